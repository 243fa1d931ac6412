"""Makes TPC-DS's tables as Parquet: FOLDER SCALE. `tpcds_data` runs it by the Python of another environment.

PyPI has the extension with the generator for one version of DuckDB, which is not the version that is measured.
"""

import sys
from pathlib import Path

import duckdb
import duckdb_extension_tpcds

# A fact table has several row groups then, and a dimension one.
ROWS_PER_GROUP = 250_000


def make(folder, scale):
    """Writes a folder a table."""
    folder.mkdir(parents=True)
    # On the disk, because a larger scale does not fit into memory.
    database = folder / "database"
    connection = duckdb.connect(str(database), config={"allow_unsigned_extensions": "true"})
    connection.execute("SET enable_progress_bar = false")
    (extension,) = Path(duckdb_extension_tpcds.__file__).parent.glob("extensions/*/tpcds.duckdb_extension")
    connection.execute(f"LOAD '{extension}'")
    connection.execute(f"CALL dsdgen(sf = {scale})")
    for (table,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY table_name").fetchall():
        (folder / table).mkdir()
        options = f"FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {ROWS_PER_GROUP}"
        connection.execute(f"COPY {table} TO '{folder}/{table}/{table}.parquet' ({options})")
    connection.close()
    database.unlink()


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2])
