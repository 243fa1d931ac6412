"""Ad events, made once and kept: a Parquet file an hour, the first days again as CSV.gz, and what is asked of them.

Every value is computed from its day, hour, row and column, so the rows are the same whenever they are made. Within a file
they are sorted by campaign and time; a campaign runs in one country, and campaigns are numbered country by country, so the
country is sorted, too. Users are in no order. One of them, the needle, was there once in every twelfth hour.
"""

import datetime
import gzip
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

CACHE = Path(os.environ["BENCH_CACHE"])
# The figures are about 30 days, of 24 files each: 50 million rows.
DAYS_IN_FULL = 30
CSV_DAYS = 3
FIRST_DAY = datetime.date(2026, 3, 1)
ROWS_PER_HOUR = 69_500
# A file has one row group, as writers of such files make them.
ROWS_PER_GROUP, ROWS_PER_PAGE = 1 << 20, 1_024
# How much is going on in each hour of a day.
HOURS = [46, 38, 33, 31, 34, 45, 64, 83, 95, 103, 108, 112, 116, 117, 118, 120, 125, 134, 146, 155, 150, 131, 102, 70]
USERS, COUNTRIES, CAMPAIGNS_PER_COUNTRY, PAGES = 200_000, 40, 250, 1_000_000
CAMPAIGNS = COUNTRIES * CAMPAIGNS_PER_COUNTRY
NEEDLE_EVERY_HOURS = 12
COUNTRY_CODES = [
    "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CO", "CZ", "DE", "DK", "EG", "ES", "FI", "FR", "GB", "GR", "HU", "ID",
    "IE", "IN", "IT", "JP", "KE", "KR", "MA", "MX", "MY", "NG", "NL", "NO", "NZ", "PE", "PL", "PT", "RO", "SE", "TR", "US",
]
DEVICES = ["phone", "tablet", "desktop", "tv"]

COLUMNS = (
    "user_id varchar(16), cost double precision, campaign_id integer, country varchar(2), device varchar(8), "
    "page_id bigint, seen timestamp, clicks integer"
)
PARTITION_COLUMNS = "dt date, hour integer"
SCHEMA = pa.schema([
    ("user_id", pa.string()), ("cost", pa.float64()), ("campaign_id", pa.int32()), ("country", pa.string()),
    ("device", pa.string()), ("page_id", pa.int64()), ("seen", pa.timestamp("us")), ("clicks", pa.int32()),
])
# What nearly always differs is not put into dictionaries: a dictionary would have to be read with every page.
DICTIONARIES = ["campaign_id", "country", "device", "clicks"]


def folder(days, scale):
    """The folder in which `parquet` has all days, and `csv` the first ones."""
    path = CACHE / "data" / f"events-{days}-{scale:g}-v2"
    if not path.exists():
        unfinished = path.with_suffix(path.suffix + ".unfinished")
        with multiprocessing.get_context("spawn").Pool() as pool:
            pool.starmap(write_day, [(unfinished, day, scale) for day in range(days)], chunksize=1)
        unfinished.rename(path)
    return path


def write_day(into, day, scale):
    """Writes the files of a day."""
    choices = Choices()
    for hour in range(24):
        rows = hour_of_events(choices, day, hour, scale)
        place = f"dt={date(day)}/hour={hour:02}"
        write_parquet(rows, into / "parquet" / place / "events.parquet")
        if day < CSV_DAYS:
            write_csv(rows, into / "csv" / place / "events.csv.gz")


def write_parquet(rows, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    filters = {"user_id": {"ndv": len(rows) * 3 // 4, "fpp": 0.01}}
    pa.parquet.write_table(
        rows, path, row_group_size=ROWS_PER_GROUP, max_rows_per_page=ROWS_PER_PAGE, write_page_index=True,
        use_dictionary=DICTIONARIES, compression="snappy", bloom_filter_options=filters, store_schema=False,
    )


def write_csv(rows, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
    # Without the time at which it was packed, the same rows are the same bytes.
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 4, file, mtime=0) as packed:
        pa.csv.write_csv(rows, packed, options)


class Choices:
    """What events are made of, and how often each of it comes."""

    def __init__(self):
        self.users = pa.array(user_names(np.arange(USERS)))
        self.user_bounds = bounds(np.arange(1, USERS + 1) ** -0.7)
        popularity = np.argsort(scrambled(np.arange(CAMPAIGNS), 1)) % CAMPAIGNS_PER_COUNTRY
        country_rank = np.argsort(scrambled(np.arange(COUNTRIES), 2))
        self.countries = np.arange(CAMPAIGNS) // CAMPAIGNS_PER_COUNTRY
        weights = (popularity + 10.0) ** -0.8 * (country_rank[self.countries] + 4.0) ** -0.9
        self.campaign_bounds = bounds(weights)
        self.prices = 300 + 10 * (scrambled(np.arange(CAMPAIGNS), 3) % 800).astype(np.int64)
        self.device_bounds = bounds(np.array([60, 8, 30, 2]))


def hour_of_events(choices, day, hour, scale):
    """The rows of an hour, sorted."""
    count = max(int(ROWS_PER_HOUR * 24 * scale * HOURS[hour] / sum(HOURS)), 1)
    number = np.uint64(day * 24 + hour) * np.uint64(1 << 32) + np.arange(count, dtype=np.uint64)

    def chance(column):
        return scrambled(number, 10 + column)

    campaign = np.searchsorted(choices.campaign_bounds, chance(0))
    user = np.searchsorted(choices.user_bounds, chance(1)).astype(np.int32)
    device = np.searchsorted(choices.device_bounds, chance(2)).astype(np.int32)
    page = (chance(3) % PAGES * (chance(4) % PAGES) // PAGES).astype(np.int64)
    began = np.datetime64(f"{date(day)}T{hour:02}:00:00", "us").astype(np.int64)
    seen = began + (chance(5) % np.uint64(3_600_000)).astype(np.int64) * 1000
    luck = chance(6) % np.uint64(10_000)
    clicks = (luck < 160).astype(np.int32) + (luck < 12)
    # Whole millionths: sums are exact, in whatever order.
    cost = (choices.prices[campaign] + (chance(7) % np.uint64(97)).astype(np.int64) + 5_000 * clicks).astype(np.float64)
    order = np.lexsort((seen, campaign))
    names = pa.DictionaryArray.from_arrays(user[order], choices.users).cast(pa.string())
    if (day * 24 + hour) % NEEDLE_EVERY_HOURS == NEEDLE_EVERY_HOURS // 2:
        names = pa.concat_arrays([names[:count // 2], pa.array([NEEDLE_USER]), names[count // 2 + 1:]])
    country = pa.DictionaryArray.from_arrays(choices.countries[campaign[order]].astype(np.int32), pa.array(COUNTRY_CODES))
    device = pa.DictionaryArray.from_arrays(device[order], pa.array(DEVICES))
    values = [names, cost[order], campaign[order], country, device, page[order], seen[order], clicks[order]]
    return pa.table([pa.array(value).cast(field.type) for value, field in zip(values, SCHEMA)], schema=SCHEMA)


def scrambled(numbers, salt):
    """Evenly spread 64-bit numbers, the same for the same numbers: the last steps of SplitMix64."""
    with np.errstate(over="ignore"):
        mixed = np.asarray(numbers).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        return last_steps(mixed + np.uint64(salt * 0xD1B54A32D192ED03 % (1 << 64)))


def last_steps(mixed):
    """What SplitMix64 does with its counter."""
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return mixed ^ mixed >> np.uint64(31)


def bounds(weights):
    """Up to which 64-bit number each choice is taken."""
    shares = np.cumsum(weights) / np.sum(weights)
    upto = (np.minimum(shares, 1.0) * 2.0**53).astype(np.uint64) << np.uint64(11)
    upto[-1] = np.uint64((1 << 64) - 1)
    return upto


def user_names(ranks):
    return [f"{number:016x}" for number in scrambled(ranks, 4).tolist()]


def date(day):
    return FIRST_DAY + datetime.timedelta(days=day)


# The user nobody else is, and what the queries look for.
(NEEDLE_USER,) = user_names([USERS])
DAY = date(1)
COUNTRY, OTHER_COUNTRY = "FR", "PL"
# One in a hundred campaigns, neighbours in the files.
PROMOTED_FIRST, PROMOTED_COUNT = 25 * CAMPAIGNS_PER_COUNTRY + 50, CAMPAIGNS // 100

BY_USER = "SELECT user_id, count(*) AS n, sum(cost) AS cost FROM {table} {condition} " \
    "GROUP BY user_id ORDER BY cost DESC, user_id LIMIT 100"
IN_MONTH = f"WHERE dt >= DATE '{FIRST_DAY}' AND dt < DATE '{date(31)}'"
MONTH = BY_USER.format(table="files.events", condition=IN_MONTH)
CSV_BY_USER = BY_USER.format(table="files.events_csv", condition="")
ONE_MINUTE = f"""
    SELECT count(*), sum(cost), count(DISTINCT campaign_id) FROM files.events
    WHERE dt = DATE '{DAY}' AND hour = 13 AND seen >= TIMESTAMP '{DAY} 13:20:00' AND seen < TIMESTAMP '{DAY} 13:21:00'
"""
NEEDLE = f"SELECT seen, campaign_id, cost FROM files.events WHERE user_id = '{NEEDLE_USER}' ORDER BY seen"
# The campaigns of the hot table decide what has to be read …
PROMOTED = """
    SELECT count(*), sum(e.cost), count(DISTINCT e.user_id)
    FROM files.events e JOIN promoted p ON p.campaign_id = e.campaign_id
"""
# … and here they cannot, because every event counts for the join: the same answer, of all events.
PROMOTED_OF_ALL = """
    SELECT count(p.campaign_id), sum(CASE WHEN p.campaign_id IS NOT NULL THEN e.cost END),
           count(DISTINCT CASE WHEN p.campaign_id IS NOT NULL THEN e.user_id END)
    FROM files.events e LEFT JOIN promoted p ON p.campaign_id = e.campaign_id
"""


def day_and_country(country):
    return f"SELECT count(*), sum(cost) FROM files.events WHERE dt = DATE '{DAY}' AND country = '{country}'"


def declare(server, location, csv_location=None):
    """Declares the events in a server of ours; the partitions are found by their folders' names."""
    hive = "TABLE PROPERTIES ('partition_discovery'='hive')"
    with server.connect() as connection:
        connection.execute("CREATE EXTERNAL SCHEMA files")
        connection.execute(f"CREATE EXTERNAL TABLE files.events ({COLUMNS}) PARTITIONED BY ({PARTITION_COLUMNS}) "
                           f"STORED AS PARQUET LOCATION '{location}/' {hive}")
        if csv_location:
            connection.execute(f"CREATE EXTERNAL TABLE files.events_csv ({COLUMNS}) PARTITIONED BY ({PARTITION_COLUMNS}) "
                               f"STORED AS CSV LOCATION '{csv_location}/' {hive}")
        make_promoted(connection)


def declare_in_duckdb(duckdb, path):
    """Makes the same tables as views of DuckDB's over the local files."""
    hive = "hive_partitioning = true, hive_types = {'dt': DATE, 'hour': INTEGER}"
    names = ", ".join(f"'{name}': '{kind}'" for name, kind in (column.split(" ", 1) for column in COLUMNS.split(", ")))
    duckdb.execute("CREATE SCHEMA files")
    duckdb.execute(f"CREATE VIEW files.events AS FROM read_parquet('{path}/parquet/*/*/*.parquet', {hive})")
    duckdb.execute(f"CREATE VIEW files.events_csv AS "
                   f"FROM read_csv('{path}/csv/*/*/*.csv.gz', header = false, columns = {{{names}}}, {hive})")
    make_promoted(duckdb)


def declare_in_datafusion(datafusion, location):
    """Makes the same table in DataFusion."""
    datafusion.execute("CREATE SCHEMA files")
    datafusion.execute(f"CREATE EXTERNAL TABLE files.events ({COLUMNS}, {PARTITION_COLUMNS}) "
                       f"STORED AS PARQUET PARTITIONED BY (dt, hour) LOCATION '{location}/'")


def make_promoted(connection):
    rows = ", ".join(f"({PROMOTED_FIRST + number})" for number in range(PROMOTED_COUNT))
    connection.execute("CREATE TABLE promoted (campaign_id integer)")
    connection.execute(f"INSERT INTO promoted VALUES {rows}")
