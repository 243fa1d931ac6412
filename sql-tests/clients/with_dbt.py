"""A project of dbt, built, changed and described: with_dbt.py postgres|redshift PROGRAM

Its models are in dbt/project. They are built twice, the second time with other data, and what is then in the tables is compared.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import psycopg2

from check import Checks, values

TARGET, DBT = sys.argv[1:]
SCHEMA = f"dbt_{TARGET}"
PROJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dbt", "project")
# Of its one model that is made in batches, those that have orders.
BATCHES = "--event-time-start", "2024-01-01", "--event-time-end", "2024-03-01"
# What is made in the first round, by the name of its node: which status dbt gives it.
BUILT = {
    "seed.shop.countries": "success",
    "seed.shop.orders": "success",
    "model.shop.orders_by_day": "success",
    "model.shop.countries_with_orders": "success",
    "model.shop.dear_days": "success",
    "model.shop.seen_by_append": "success",
    "model.shop.seen_by_delete_insert": "success",
    "model.shop.seen_by_merge": "success",
    "model.shop.widened": "success",
    "model.shop.by_month": "success",
    "snapshot.shop.orders_over_time": "success",
    "snapshot.shop.orders_by_time": "success",
    "unit_test.shop.countries_with_orders.counts_orders": "pass",
}
BUILT_ONLY = {
    "postgres": {
        "model.shop.unlogged": "success",
        "model.shop.indexed": "success",
        "model.shop.gathered": "success",
    },
    "redshift": {"model.shop.spread": "success", "model.shop.late": "success", "model.shop.kept": "success"},
}
TESTS = 6
# Tables after the second round: a query, and its rows as text. A numeric without digits is shown with different ones.
ROWS = {
    "countries": ("SELECT * FROM {} ORDER BY code", ["de|Germany", 'fr|France, "la"', "jp|日本"]),
    "countries_with_orders": (
        "SELECT code, name, orders, total::numeric(10,2) FROM {} ORDER BY code",
        ["de|Germany|2|40.75", 'fr|France, "la"|1|20.00', "jp|日本|1|"],
    ),
    "dear_days": ("SELECT day, days_since, mark FROM {} ORDER BY day", ["2024-01-02|1|fr!", "2024-01-03|2|de!"]),
    "orders_by_day": (
        "SELECT id, day, month::date FROM {} WHERE id > 2 ORDER BY id",
        ["3|2024-01-03|2024-01-01", "4|2024-02-01|2024-02-01"],
    ),
    "seen_by_append": ("SELECT round, count(*) FROM {} GROUP BY round ORDER BY round", ["1|4", "2|1"]),
    "seen_by_delete_insert": ("SELECT round, count(*) FROM {} GROUP BY round ORDER BY round", ["1|3", "2|1"]),
    "seen_by_merge": ("SELECT round, count(*) FROM {} GROUP BY round ORDER BY round", ["1|3", "2|1"]),
    "widened": ("SELECT id, price, country, more FROM {} WHERE id < 3 ORDER BY id", ["1|10.50|de|10", "2|20.00|fr|20"]),
    "by_month": ("SELECT id, price FROM {} ORDER BY id", ["1|10.50", "2|20.00", "3|30.25", "4|"]),
    "orders_over_time": (
        "SELECT id, price::numeric(10,2), dbt_valid_to IS NULL FROM {} ORDER BY id, price",
        ["1|10.50|False", "1|11.50|True", "2|20.00|False", "2|21.00|True", "3|30.25|False", "3|31.25|True", "4||True"],
    ),
    "orders_by_time": (
        "SELECT id, ordered_at, dbt_valid_to IS NULL FROM {} WHERE id < 3 ORDER BY id, ordered_at",
        ["1|2024-01-01 10:00:00|False", "1|2024-01-02 10:00:00|True", "2|2024-01-02 11:00:00|False"],
    ),
}
# What `docs generate` tells of columns.
DESCRIBED = {
    "seed.shop.orders": {
        "id": "integer",
        "country": {"postgres": "text", "redshift": "character varying(2)"},
        "price": "numeric(10,2)",
        "ordered_at": "timestamp without time zone",
    },
    "model.shop.countries_with_orders": {
        "code": "character varying(256)",
        "name": "character varying(50)",
        "orders": "bigint",
        "total": "numeric",
    },
}

checks = Checks()


class Project:
    """A copy of the project, and how its commands are run."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "project")
        shutil.copytree(PROJECT, self.folder)

    def dbt(self, *arguments):
        command = [DBT, "--no-use-colors", *arguments, "--profiles-dir", ".", "--target", TARGET]
        environment = {**os.environ, "SSL_CERT_FILE": os.environ["PGSSLROOTCERT"], "DO_NOT_TRACK": "1"}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)

    def artifact(self, name):
        with open(os.path.join(self.folder, "target", name), encoding="utf-8") as file:
            return json.load(file)

    def results(self):
        return {it["unique_id"]: it for it in self.artifact("run_results.json")["results"]}

    def succeeds(self, name, *arguments):
        """Runs a command, and tells which nodes failed and why."""
        run = self.dbt(*arguments)
        failed = []
        if run.returncode:
            failed = [f"{node}: {it['message']}" for node, it in self.results().items() if it["status"] in ("error", "fail")]
            failed = failed or [run.stdout[-500:] + run.stderr[-500:]]
        checks.equal(name, failed, [])


def connecting(project):
    run = project.dbt("debug")
    checks.equal("debug", "All checks passed!" in run.stdout, True)
    if run.returncode:
        checks.fail("connection", run.stdout[-800:])


def building(project):
    project.succeeds("build", "build", *BATCHES)
    results = project.results()
    for node, status in {**BUILT, **BUILT_ONLY[TARGET]}.items():
        checks.equal(f"first, {node}", told(results, node), status)
    tests = [it["status"] for node, it in results.items() if node.startswith("test.")]
    checks.equal("tests", tests, ["pass"] * TESTS)


def told(results, node):
    """The status that a node has, and if it failed what was said of it."""
    result = results.get(node, {"status": "not run"})
    return result["status"] if result["status"] in ("success", "pass") else f"{result['status']}: {result.get('message')}"


def building_again(project):
    second = "--vars", "{round: 2}"
    project.succeeds("run again", "run", *second, *BATCHES)
    project.succeeds("snapshot again", "snapshot", *second)
    project.succeeds("test again", "test", *second)
    for node, result in project.results().items():
        checks.equal(f"again, {node}", told({node: result}, node), "pass")
    project.succeeds("source freshness", "source", "freshness")
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        for name, (query, expected) in ROWS.items():
            checks.equal(f"rows of {name}", rows(cursor, query.format(f"{SCHEMA}.{name}")), expected)


def rows(cursor, query):
    cursor.execute("SAVEPOINT query")
    try:
        cursor.execute(query)
        return ["|".join("" if it is None else str(it) for it in row) for row in cursor.fetchall()]
    except psycopg2.Error as error:
        cursor.execute("ROLLBACK TO query")
        return str(error)


def comments():
    query = f"""SELECT obj_description('{SCHEMA}.countries_with_orders'::regclass, 'pg_class'),
        col_description('{SCHEMA}.orders_by_day'::regclass, 1)"""
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        checks.equal("comments", rows(cursor, query), ["What each country has bought|the key, ü"])


def describing(project):
    project.succeeds("docs generate", "docs", "generate")
    catalog = project.artifact("catalog.json")
    checks.equal("errors", catalog["errors"], None)
    nodes = {**catalog["nodes"], **catalog["sources"]}
    for node, expected in DESCRIBED.items():
        columns = nodes[node]["columns"].values() if node in nodes else []
        got = {it["name"]: it["type"] for it in sorted(columns, key=lambda it: it["index"])}
        expected = {name: it if isinstance(it, str) else it[TARGET] for name, it in expected.items()}
        checks.equal(f"columns of {node}", got, expected)
    kinds = {name: nodes[f"model.shop.{name}"]["metadata"]["type"] for name in ("orders_by_day", "dear_days")}
    checks.equal("kinds", kinds, {"orders_by_day": "VIEW", "dear_days": "BASE TABLE"})
    checks.equal("comment", nodes["model.shop.countries_with_orders"]["metadata"]["comment"], "What each country has bought")
    checks.equal("source", "source.shop.seeded.orders" in nodes, True)


def made_anew(project):
    project.succeeds("full refresh", "run", "--full-refresh", "--select", "widened", "seen_by_merge")
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        query = f"""SELECT column_name FROM information_schema.columns
            WHERE table_schema = '{SCHEMA}' AND table_name = 'widened' ORDER BY 1"""
        checks.equal("made anew", rows(cursor, query), ["id", "price"])
    # A view that becomes a table, and a table that becomes a view.
    config = "{%% set kind = '%s' %%}{{ config(materialized=kind) }} select 1 as one"
    for kind in "view", "table", "view":
        with open(os.path.join(project.folder, "models", "changing.sql"), "w", encoding="utf-8") as file:
            file.write(config % kind)
        project.succeeds(f"becomes a {kind}", "run", "--select", "changing")


def showing(project):
    """The value that is planted wrong is found here: a command for each would take too long."""
    for value in values():
        if value.name == "int4_max":
            checks.value(value, "shown", lambda: shown(project, f"select {value.sql} as v"))


def shown(project, query):
    run = project.dbt("--quiet", "show", "--inline", query, "--output", "json", "--limit", "1")
    return str(json.loads(run.stdout[run.stdout.index("{") :])["show"][0]["v"])


def session():
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    with tempfile.TemporaryDirectory() as folder:
        project = Project(folder)
        checks.part(connecting, project)
        checks.part(building, project)
        checks.part(building_again, project)
        checks.part(comments)
        checks.part(describing, project)
        checks.part(made_anew, project)
        checks.part(showing, project)


session()
checks.done()
