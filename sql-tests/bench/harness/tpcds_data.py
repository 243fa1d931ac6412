"""TPC-DS's tables: the data as Parquet, made once and kept, and the statements that declare them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

CACHE = Path(os.environ["BENCH_CACHE"])
BENCH = Path(__file__).parents[1]
QUERIES = BENCH.parent / "tpcds"


def queries():
    """The names and texts of the 99 queries."""
    return [(path.stem, path.read_text().strip().rstrip("; \n")) for path in sorted(QUERIES.glob("q*.sql"))]


def parquet(scale):
    """The folder in which each table has a folder with its Parquet file."""
    folder = CACHE / "data" / f"tpcds-{scale:g}"
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        program = [environment() / "bin" / "python", BENCH / "harness" / "tpcds_files.py", unfinished, f"{scale:g}"]
        subprocess.run(program, check=True)
        unfinished.rename(folder)
    return folder


def environment():
    """The Python with the DuckDB that has a generator of the data, installed unless it is there."""
    folder = CACHE / "tpcds-environment"
    install = 'source "$1" && install_python "$2" "$3"'
    arguments = [BENCH.parent / "install.sh", folder, BENCH / "requirements-tpcds.txt"]
    subprocess.run(["bash", "-c", install, "bash", *arguments], check=True)
    return folder


def tables(scale):
    """The names of the tables."""
    return sorted(path.name for path in parquet(scale).iterdir())


def columns(scale, table):
    """A table's columns as the files have them: keys and counts are of eight bytes there, and `char` is not padded."""
    import duckdb

    described = duckdb.execute(f"DESCRIBE FROM '{parquet(scale)}/{table}/*.parquet'").fetchall()
    lengths = dict(re.findall(r"^ +(\w+) (?:var)?char(\(\d+\))", (QUERIES / "tables.ddl").read_text(), re.MULTILINE))
    # DuckDB's names of types are PostgreSQL's, too.
    return ", ".join(f"{name} {kind}{lengths[name] if kind == 'VARCHAR' else ''}" for name, kind, *_ in described)


def declare_external(server, scale, schema="files"):
    """Declares the Parquet files as external tables of a server of ours, and has it look at them now and not meanwhile."""
    with server.connect() as connection:
        connection.execute(f"CREATE EXTERNAL SCHEMA {schema}")
        for table in tables(scale):
            location = f"file://{parquet(scale)}/{table}/"
            connection.execute(f"CREATE EXTERNAL TABLE {schema}.{table} ({columns(scale, table)}) "
                               f"STORED AS PARQUET LOCATION '{location}'")
            connection.execute(f"ANALYZE {schema}.{table}")


def declare_in_duckdb(duckdb, scale):
    """Makes the same tables as views of DuckDB's, which then puts NULL where PostgreSQL does: LIMIT shows the same rows."""
    duckdb.execute("SET default_null_order = 'nulls_last_on_asc_first_on_desc'")
    for table in tables(scale):
        duckdb.execute(f"CREATE OR REPLACE VIEW {table} AS FROM read_parquet('{parquet(scale)}/{table}/*.parquet')")


def declare_in_datafusion(datafusion, scale):
    """Makes the same tables in DataFusion."""
    for table in tables(scale):
        datafusion.execute(f"CREATE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION '{parquet(scale)}/{table}/'")
