"""TPC-H's tables: the data as Parquet and CSV, made once and kept, and the statements that declare them."""

import os
import subprocess
import sys
from pathlib import Path

CACHE = Path(os.environ["BENCH_CACHE"])
QUERIES = Path(__file__).parents[2] / "tpch"

COLUMNS = {
    "region": "r_regionkey bigint, r_name varchar(25), r_comment varchar(152)",
    "nation": "n_nationkey bigint, n_name varchar(25), n_regionkey bigint, n_comment varchar(152)",
    "supplier": "s_suppkey bigint, s_name varchar(25), s_address varchar(40), s_nationkey bigint, s_phone varchar(15), "
    "s_acctbal numeric(15,2), s_comment varchar(101)",
    "customer": "c_custkey bigint, c_name varchar(25), c_address varchar(40), c_nationkey bigint, c_phone varchar(15), "
    "c_acctbal numeric(15,2), c_mktsegment varchar(10), c_comment varchar(117)",
    "part": "p_partkey bigint, p_name varchar(55), p_mfgr varchar(25), p_brand varchar(10), p_type varchar(25), "
    "p_size integer, p_container varchar(10), p_retailprice numeric(15,2), p_comment varchar(23)",
    "partsupp": "ps_partkey bigint, ps_suppkey bigint, ps_availqty integer, ps_supplycost numeric(15,2), "
    "ps_comment varchar(199)",
    "orders": "o_orderkey bigint, o_custkey bigint, o_orderstatus varchar(1), o_totalprice numeric(15,2), "
    "o_orderdate date, o_orderpriority varchar(15), o_clerk varchar(15), o_shippriority integer, o_comment varchar(79)",
    "lineitem": "l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber integer, l_quantity numeric(15,2), "
    "l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2), l_returnflag varchar(1), "
    "l_linestatus varchar(1), l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct varchar(25), "
    "l_shipmode varchar(10), l_comment varchar(44)",
}


# What PostgreSQL needs to answer the queries in a sensible time.
INDEXES = [
    "region (r_regionkey)", "nation (n_nationkey)", "supplier (s_suppkey)", "supplier (s_nationkey)",
    "customer (c_custkey)", "customer (c_nationkey)", "part (p_partkey)", "partsupp (ps_partkey, ps_suppkey)",
    "partsupp (ps_suppkey)", "orders (o_orderkey)", "orders (o_custkey)", "orders (o_orderdate)",
    "lineitem (l_orderkey, l_linenumber)", "lineitem (l_partkey, l_suppkey)", "lineitem (l_suppkey)",
    "lineitem (l_shipdate)",
]


def queries():
    """The names and texts of the 22 queries."""
    return [(path.stem, path.read_text().strip().rstrip(";")) for path in sorted(QUERIES.glob("q*.sql"))]


def parquet(scale):
    """The folder in which each table has a folder with its Parquet files."""
    folder = CACHE / "data" / f"tpch-{scale:g}"
    if not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        program = Path(sys.executable).parent / "tpchgen-cli"
        flags = ["--row-group-bytes=64MB", "--parts=1", "--output-dir", unfinished]
        subprocess.run([program, "parquet", "-s", f"{scale:g}", *flags], check=True, stdout=subprocess.DEVNULL)
        unfinished.rename(folder)
    return folder


def csv(scale, table):
    """A table's rows as CSV, for COPY."""
    path = CACHE / "data" / f"tpch-{scale:g}-csv" / f"{table}.csv"
    if not path.exists():
        write(f"FROM read_parquet('{parquet(scale)}/{table}/*.parquet')", path, "FORMAT csv, HEADER false")
    return path


def write(query, path, options):
    """Writes the rows of a query of DuckDB's into a file, which gets its name when it is complete."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    connection.execute(f"COPY ({query}) TO '{unfinished}' ({options})")
    unfinished.rename(path)


def copy(server, table, path):
    """COPY … FROM STDIN by psql, in a transaction of its own."""
    command = f"\\copy {table} FROM '{path}' (FORMAT csv)"
    psql = Path(os.environ["POSTGRESQL_BIN"]) / "psql"
    address = ["-h", "127.0.0.1", "-p", str(server.port), "-U", server.user, "-d", server.database]
    done = subprocess.run([psql, "-X", "-q", *address, "-c", command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"COPY to {server.name}: {done.stderr.strip()}")


def load(server, scale, indexes=(), analyze="VACUUM"):
    """Makes all tables in a server, and fills them."""
    with server.connect() as connection:
        for table, columns in COLUMNS.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
            copy(server, table, csv(scale, table))
        for index in indexes:
            connection.execute(f"CREATE INDEX ON {index}")
        connection.execute(analyze)


def load_duckdb(duckdb, scale, kind):
    """Makes all tables in DuckDB: as its own, or (`VIEW`) as views of the Parquet files."""
    for table in COLUMNS:
        duckdb.execute(f"CREATE {kind} {table} AS SELECT * FROM read_parquet('{parquet(scale)}/{table}/*.parquet')")


def declare_external(server, scale, schema="files"):
    """Declares the Parquet files as external tables, and has the server look at them now and not meanwhile."""
    with server.connect() as connection:
        connection.execute(f"CREATE EXTERNAL SCHEMA {schema}")
        for table, columns in COLUMNS.items():
            location = f"file://{parquet(scale)}/{table}/"
            connection.execute(f"CREATE EXTERNAL TABLE {schema}.{table} ({columns}) STORED AS PARQUET LOCATION '{location}'")
            connection.execute(f"ANALYZE {schema}.{table}")


def declare_in_datafusion(datafusion, scale):
    """Makes the same tables in DataFusion."""
    for table in COLUMNS:
        datafusion.execute(f"CREATE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION '{parquet(scale)}/{table}/'")
