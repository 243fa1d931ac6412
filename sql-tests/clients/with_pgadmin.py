"""pgAdmin's tree of a database, walked as its page does, and its query tool.

What the nodes are called, and the SQL that pgAdmin would make them with, is recorded in inspected/pgadmin.txt, about the relations
of inspected/schema.sql.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

import pgadmin4
import psycopg
import requests

from answers import Answers
from check import AUTHORITY, DATABASE, PASSWORD, PORT, Checks, values

checks = Checks()
answers = Answers(checks, "inspected/pgadmin.txt")

LOGIN = {"email": "clients@example.com", "password": "of the clients"}
PROGRAM = next(iter(pgadmin4.__path__))
START_SECONDS_MAX = 120
# What pgAdmin asks of a node that is opened.
OF_A_NODE = "obj", "sql", "stats", "dependency", "dependent"
OF_THE_SERVER = "tablespace", "role"
OF_THE_DATABASE = (
    "cast",
    "event_trigger",
    "extension",
    "foreign_data_wrapper",
    "language",
    "publication",
    "subscription",
    "catalog",
)
OF_A_SCHEMA = (
    "aggregate",
    "collation",
    "domain",
    "foreign_table",
    "fts_configuration",
    "fts_dictionary",
    "fts_parser",
    "fts_template",
    "function",
    "mview",
    "operator",
    "procedure",
    "sequence",
    "table",
    "trigger_function",
    "type",
    "view",
)
OF_A_VIEW = "column", "rule", "trigger"
OF_A_TABLE = (
    *OF_A_VIEW,
    "index",
    # Of every kind.
    "constraints",
    "partition",
    "row_security_policy",
)
STATEMENTS = "select_sql", "insert_sql", "update_sql", "delete_sql"
# What pgAdmin itself has not for nodes of some kind: 404 of a role, 406 of others.
NOT_THERE = 404, 406


def make_schema():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "inspected", "schema.sql"), encoding="utf-8") as file:
        statements = file.read()
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(statements)


@contextlib.contextmanager
def serving():
    """pgAdmin on a free port, with nothing in it but the one who logs in."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = {
            **os.environ,
            "PGADMIN_DATA": folder,
            "PGADMIN_PORT": str(port),
            "PGADMIN_SETUP_EMAIL": LOGIN["email"],
            "PGADMIN_SETUP_PASSWORD": LOGIN["password"],
        }
        # It would take them for its own.
        for name in "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSSLMODE", "PGSSLROOTCERT":
            environment.pop(name, None)
        setup = [sys.executable, os.path.join(PROGRAM, "setup.py"), "setup-db"]
        subprocess.run(setup, env=environment, check=True, capture_output=True)
        server = subprocess.Popen(
            [sys.executable, os.path.join(PROGRAM, "pgAdmin4.py")],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield Browser(f"http://127.0.0.1:{port}")
        finally:
            server.kill()
            server.wait()


class Browser:
    def __init__(self, address):
        self.address = address
        self.session = requests.Session()
        self.wait()
        page = self.session.post(f"{address}/authenticate/login", data={**LOGIN, "internal_button": "Login"})
        checks.equal("logged in", page.status_code, 200)

    def wait(self):
        end = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                self.session.get(f"{self.address}/login")
                return
            except requests.ConnectionError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)

    def ask(self, path, method="get", allowed=(), **arguments):
        """The answer's data. That it fails is a failure, unless with a status that is allowed."""
        reply = self.session.request(method, self.address + path, **arguments)
        try:
            answer = reply.json()
        except ValueError:
            answer = reply.text
        checks.count += 1
        if reply.status_code not in (200, 201, *allowed):
            told = answer.get("errormsg") or str(answer) if isinstance(answer, dict) else answer
            # Numbers of objects are others in each run.
            checks.fail(re.sub(r"/\d+", "/…", path), f"{reply.status_code}: {told[:400]}")
            return None
        if reply.status_code in allowed:
            return answer.get("errormsg") if isinstance(answer, dict) else answer
        return answer.get("data", answer) if isinstance(answer, dict) and "data" in answer else answer

    def nodes(self, kind, parent):
        return sorted(self.ask(f"/browser/{kind}/nodes/{parent}/") or [], key=lambda it: str(it["label"]))


def connect(browser):
    """The path of the database, which begins that of each node in it."""
    group = browser.ask("/browser/nodes/")[0]["_id"]
    server = {
        "name": "of the clients",
        "host": "localhost",
        "port": PORT,
        "db": DATABASE,
        "username": "clients",
        "password": PASSWORD,
        "save_password": True,
        "connect_now": True,
        "gid": group,
        "connection_params": [
            {"name": "sslmode", "keyword": "sslmode", "value": "require"},
        ],
        "kerberos_conn": False,
        "tags": [],
    }
    made = browser.ask(f"/browser/server/obj/{group}/", "post", json=server)
    path = f"{group}/{made['node']['_id']}"
    password = {"password": PASSWORD, "save_password": "false"}
    browser.ask(f"/browser/server/connect/{path}", "post", data=password)
    databases = browser.nodes("database", path)
    checks.equal("database", DATABASE in [it["label"] for it in databases], True)
    with psycopg.connect() as connection:
        database = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()[0]
    browser.ask(f"/browser/database/connect/{path}/{database}", "post")
    return path, f"{path}/{database}"


def opened(browser, kind, path, name):
    """All that is shown of one node. Its SQL is compared."""
    for what in OF_A_NODE:
        told = browser.ask(f"/browser/{kind}/{what}/{path}", allowed=NOT_THERE if what == "stats" else ())
        # A view's query is kept as it was written, which PostgreSQL writes anew.
        if what == "sql" and name and kind not in ("view", "rule"):
            answers.same(f"SQL of {name}", lambda: sql(told))


def sql(told):
    """Its lines in their order, since that of constraints is not promised, without owners and numbers of objects."""
    if not isinstance(told, str):
        return told
    lines = (re.sub(r"OWNER TO \w+|\b(clients|thermocline|postgres)\b", "OWNER", line) for line in told.splitlines())
    return sorted(re.sub(r"OID: \d+", "OID", line).rstrip(",") for line in lines if line.strip())


def of_the_server(browser, server, database):
    for kind in OF_THE_SERVER:
        for node in browser.nodes(kind, server)[:1]:
            opened(browser, kind, f"{server}/{node['_id']}", "")
    opened(browser, "database", database, "")
    for kind in OF_THE_DATABASE:
        for node in browser.nodes(kind, database)[:2]:
            opened(browser, kind, f"{database}/{node['_id']}", "")
    for what in "get_encodings", "get_ctypes", "get_databases":
        browser.ask(f"/browser/database/{what}/{server}")


def schemas(browser, database):
    for schema in browser.nodes("schema", database):
        if schema["label"] in ("inspected", "inspected_too"):
            opened(browser, "schema", f"{database}/{schema['_id']}", f"schema {schema['label']}")
            of_a_schema(browser, f"{database}/{schema['_id']}", schema["label"])


def of_a_schema(browser, path, schema):
    for kind in OF_A_SCHEMA:
        nodes = browser.nodes(kind, path)
        answers.same(f"{kind} of {schema}", lambda: [it["label"] for it in nodes])
        for node in nodes:
            name = f"{schema}.{node['label']}"
            opened(browser, kind, f"{path}/{node['_id']}", f"{kind} {name}")
            for part in {"table": OF_A_TABLE, "view": OF_A_VIEW}.get(kind, ()):
                of_a_relation(browser, part, f"{path}/{node['_id']}", name)
            if kind == "table" and node["label"] == "orders":
                of_orders(browser, f"{path}/{node['_id']}")


def of_a_relation(browser, kind, path, relation):
    nodes = browser.nodes(kind, path)
    answers.same(f"{kind} of {relation}", lambda: [it["label"] for it in nodes])
    for node in nodes if kind == "constraints" else nodes[:2]:
        # A constraint tells which kind it is.
        own = node["_type"] if kind == "constraints" else kind
        opened(browser, own, f"{path}/{node['_id']}", f"{own} {relation}.{node['label']}")


def of_orders(browser, path):
    for what in STATEMENTS:
        answers.same(f"{what} of orders", lambda: sql(browser.ask(f"/browser/table/{what}/{path}")))
    for what in "count_rows", "get_relations", "get_oftype":
        browser.ask(f"/browser/table/{what}/{path}")


def dashboard(browser, server, database):
    number = database.split("/", 1)[1]
    charts = "session_stats,tps_stats,ti_stats,to_stats,bio_stats"
    for what in "activity", "locks", "prepared":
        browser.ask(f"/dashboard/{what}/{number}")
    browser.ask(f"/dashboard/config/{server.split('/')[1]}")
    browser.ask(f"/dashboard/dashboard_stats/{number}?chart_names={charts}")
    browser.ask(f"/search_objects/types/{number}")
    found = browser.ask(f"/search_objects/search/{number}?text=custom&type=all") or []
    names = sorted({it["name"] for it in found if it.get("type") == "table"})
    checks.equal("found", "customers" in names, True)


def query_tool(browser, database):
    number = 4711
    group, server, base = database.split("/")
    start = {"user": "clients", "role": None, "password": PASSWORD, "dbname": DATABASE}
    browser.ask(f"/sqleditor/initialize/sqleditor/{number}/{group}/{server}/{base}", "post", json=start)
    for value in values():
        query = f"SELECT format('%s', {value.sql})"
        checks.value(value, "query tool", lambda: rows(browser, number, query)[0][0])
    checks.equal("error", "nowhere" in rows(browser, number, "SELECT * FROM nowhere"), True)
    plan = rows(browser, number, "EXPLAIN SELECT count(*) FROM inspected.orders")
    checks.equal("plan", isinstance(plan, list) and len(plan) > 0, True)
    completed = browser.ask(f"/sqleditor/autocomplete/{number}", "post", json=["select * from inspected.ord"] * 2)
    checks.equal("completed", "orders" in json.dumps(completed), True)


def rows(browser, number, query):
    browser.ask(f"/sqleditor/query_tool/start/{number}", "post", json={"sql": query, "explain_plan": None})
    for _ in range(100):
        # An error of the statement is one of the page.
        told = browser.ask(f"/sqleditor/poll/{number}", allowed=(500,))
        if not isinstance(told, dict) or "status" not in told:
            return str(told)
        if told["status"] != "Busy":
            return told.get("result")
        time.sleep(0.05)
    return "busy"


def session():
    make_schema()
    with serving() as browser:
        server, database = connect(browser)
        checks.part(of_the_server, browser, server, database)
        checks.part(schemas, browser, database)
        checks.part(dashboard, browser, server, database)
        checks.part(query_tool, browser, database)


session()
answers.done()
