"""Ad events as bidders log them, made once and kept in three layouts, with two dimensions, and what is asked of them.

Every value is computed from its day, hour, row and column, so the rows are the same whenever they are made. The layouts, each
in a folder that has the name of its table:

* `events`: a Parquet file an hour, sorted by campaign and time, with a Bloom filter of the campaigns;
* `events_daily`: the same rows, a Parquet file a day, sorted by country and content, in several row groups;
* `events_csv`: the first days again, a CSV.gz an hour.

Beside them are `campaigns` and `users`, which are loaded. Users, contents, campaigns and countries are chosen by Zipf's law:
few of them have most of the events.
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

from .events_data import bounds, last_steps

CACHE = Path(os.environ["BENCH_CACHE"])
QUERIES = Path(__file__).parents[1] / "queries" / "ad_events"
# The figures are about 30 days, of 24 files each: 50 million rows.
DAYS_IN_FULL = 30
CSV_DAYS = 3
FIRST_DAY = datetime.date(2017, 8, 1)
FIRST_MILLISECOND = 1_501_545_600_000
SEED = 20_170_801
# SplitMix64 counts in steps of this size.
STEP = np.uint64(0x9E3779B97F4A7C15)
ROWS_PER_HOUR = 69_444
# How much is going on in each hour of a day, and on each day of a week, and the mean of the two's product.
HOURS = [62, 50, 42, 38, 38, 44, 58, 76, 92, 102, 108, 112, 116, 118, 118, 118, 120, 126, 136, 146, 150, 142, 118, 84]
WEEKDAYS = [100, 101, 102, 103, 104, 96, 94]
MEAN_OF_PRODUCT = 9_640
USERS, CONTENTS, SLOTS, AGENTS = 200_000, 4_000_000, 2_000, 3_000
# An hour is one row group, a day is several.
ROWS_PER_GROUP_OF_HOUR, ROWS_PER_GROUP_OF_DAY = 1 << 20, 250_000
COUNTRIES = (
    "US GB IN BR DE FR CA MX JP ID RU IT ES AU TR PH NL PL AR TH CO SA MY ZA VN SE BE EG KR CL "
    "CH NG PE AT NO UA RO PT CZ DK GR HU IL FI IE AE NZ SG HK KE MA PK BD LK EC BG SK HR RS LT"
).split()
SYSTEMS = ["Android", "iOS", "Windows", "macOS", "Linux", "KaiOS", "tvOS", "other"]
SYSTEM_WEIGHTS = np.array([62, 27, 6, 3, 1, 1, 0.5, 0.3])
CATEGORIES = [
    "games", "retail", "travel", "finance", "auto", "food", "fashion", "health", "news", "music",
    "video", "education", "telecom", "energy", "realestate", "sports", "beauty", "pets", "home", "jobs",
]
STATES = ["active", "active", "paused", "ended"]

COLUMNS = (
    "user_id varchar(24), campaign_id varchar(24), os varchar(16), ua varchar(255), country varchar(2), content_id bigint, "
    "ts bigint, billing double precision, clicks integer"
)
PARTITION_COLUMNS = "date date, hour integer"
# How the layouts are stored, and which columns their folders' names have.
LAYOUTS = {
    "events": ("STORED AS PARQUET", PARTITION_COLUMNS),
    "events_daily": ("STORED AS PARQUET", "date date"),
    "events_csv": ("ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' STORED AS TEXTFILE", PARTITION_COLUMNS),
}
DIMENSIONS = {
    "campaigns": "campaign_id varchar(24), advertiser_id integer, name varchar(32), category varchar(16), "
    "daily_budget double precision, status varchar(8)",
    "users": "user_id varchar(24), segment varchar(8), home_country varchar(2), signup date",
}
SCHEMA = pa.schema([
    ("user_id", pa.string()), ("campaign_id", pa.string()), ("os", pa.string()), ("ua", pa.string()), ("country", pa.string()),
    ("content_id", pa.int64()), ("ts", pa.int64()), ("billing", pa.float64()), ("clicks", pa.int32()),
])


def queries():
    """The names and texts of the queries."""
    texts = [(path.stem, path.read_text()) for path in sorted(QUERIES.glob("e*.sql"))]
    return [(name, text.strip().rstrip(";").format(**LOOKED_FOR)) for name, text in texts]


def folder(days, scale):
    """The folder in which each layout and each dimension has a folder."""
    path = CACHE / "data" / f"ad-events-{days}-{scale:g}"
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.unfinished")
        write_dimensions(unfinished, days)
        with multiprocessing.get_context("spawn").Pool() as pool:
            pool.starmap(write_day, [(unfinished, day, scale) for day in range(days)], chunksize=1)
        unfinished.rename(path)
    return path


def write_day(into, day, scale):
    """Writes the files of a day."""
    choices = Choices()
    date, hours = FIRST_DAY + datetime.timedelta(days=day), []
    for hour in range(24):
        rows = hour_of_events(choices, day, hour, scale)
        place = f"date={date}/hour={hour}"
        write_parquet(rows, into / "events" / place, ROWS_PER_GROUP_OF_HOUR)
        if day < CSV_DAYS:
            write_csv(rows, into / "events_csv" / place)
        hours.append(rows)
    order = [("country", "ascending"), ("content_id", "ascending"), ("ts", "ascending")]
    write_parquet(pa.concat_tables(hours).sort_by(order), into / "events_daily" / f"date={date}", ROWS_PER_GROUP_OF_DAY)


def write_parquet(rows, into, rows_per_group):
    into.mkdir(parents=True, exist_ok=True)
    # With room for its dictionary, no column of texts falls back to plain values in the middle of a group.
    pa.parquet.write_table(
        rows, into / "part-0.parquet", row_group_size=rows_per_group, write_page_index=True, store_schema=False,
        compression="snappy", dictionary_pagesize_limit=2 << 20, data_page_size=128 << 10,
        bloom_filter_options={"campaign_id": {"ndv": 4096, "fpp": 0.01}},
    )


def write_csv(rows, into):
    into.mkdir(parents=True, exist_ok=True)
    options = pa.csv.WriteOptions(include_header=False, delimiter="|", quoting_style="none")
    # Without the time at which it was packed, the same rows are the same bytes.
    with open(into / "part-0.csv.gz", "wb") as file, gzip.GzipFile("", "wb", 3, file, mtime=0) as packed:
        pa.csv.write_csv(rows, packed, options)


class Choices:
    """What events are made of, and how often each of it comes."""

    def __init__(self):
        self.users, self.agents = pa.array(user_ids(np.arange(USERS))), pa.array(map(user_agent, range(AGENTS)))
        skewed = [(SLOTS, 0.9), (USERS, 0.75), (CONTENTS, 0.85), (AGENTS, 0.9)]
        # In the order of the columns of chance.
        self.bounds = [
            *(zipf_bounds(count, exponent) for count, exponent in skewed),
            bounds(SYSTEM_WEIGHTS),
            zipf_bounds(len(COUNTRIES), 1.0),
        ]


def zipf_bounds(count, exponent):
    return bounds(1.0 / np.power(np.arange(1, count + 1, dtype=np.float64), exponent))


def hour_of_events(choices, day, hour, scale):
    """The rows of an hour, sorted."""
    count = int(ROWS_PER_HOUR * scale) * HOURS[hour] * WEEKDAYS[(day + 1) % 7] // MEAN_OF_PRODUCT
    (first,) = mixed([SEED * 1_000_003 + day * 24 + hour])
    number = first + np.arange(count, dtype=np.uint64) * STEP

    def chance(column):
        return mixed(number + (column << 56))

    slot, user, content, agent, system, country = (
        np.searchsorted(bound, chance(column)) for column, bound in enumerate(choices.bounds, 1)
    )
    ts = FIRST_MILLISECOND + (day * 24 + hour) * 3_600_000 + (chance(7) % 3_600_000).astype(np.int64)
    luck = chance(8)
    rarity = (luck >> 20) % 10_000
    clicks = (rarity < 150).astype(np.int32) + (rarity < 20) + (rarity < 3)
    # Whole millionths: sums are exact, in whatever order.
    price = slot_prices()[slot] + (luck % 40).astype(np.int64) * 10
    billing = (price * (1 + 20 * clicks)).astype(np.float64)
    content_id = (mixed(content + (17 << 40)) >> 30).astype(np.int64)
    running, place = np.unique(campaigns_on(day)[slot], return_inverse=True)
    campaigns = np.array(campaign_ids(running))
    # Files are sorted by the campaigns' names, whose order is that of the keys only by chance.
    order = np.lexsort((ts, np.argsort(np.argsort(campaigns))[place]))
    texts = [(user, choices.users), (place, campaigns), (system, SYSTEMS), (agent, choices.agents), (country, COUNTRIES)]
    columns = [text_column(codes[order], values) for codes, values in texts]
    columns += [pa.array(values[order]) for values in (content_id, ts, billing, clicks)]
    return pa.table(columns, schema=SCHEMA)


def text_column(codes, values):
    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), pa.array(values)).cast(pa.string())


def mixed(numbers):
    """Evenly spread 64-bit numbers, the same for the same numbers."""
    return last_steps(np.asarray(numbers).astype(np.uint64) + STEP)


def campaigns_on(day):
    """The keys of the campaigns that the slots show: one runs for up to fifteen days, then the next has its slot."""
    slots = np.arange(SLOTS)
    luck = mixed(slots + (11 << 40))
    days, offset = (luck % 15 + 1).astype(np.int64), ((luck >> 8) % 15).astype(np.int64)
    return slots * 64 + (day + offset) // days


def slot_prices():
    luck = mixed(np.arange(SLOTS) + (11 << 40))
    return ((luck >> 16) % 80 + 5).astype(np.int64) * 100


def campaign_ids(keys):
    return identifiers(0x58000000, keys, mixed(keys + (13 << 40)))


def user_ids(ranks):
    return identifiers(0x59000000, ranks, mixed(ranks * 2 + (1 << 40)))


def identifiers(first, numbers, scattered):
    """Texts of 24 digits, as databases of documents make them: a counter, and what nobody can guess."""
    return [f"{first + number:08x}{suffix:016x}" for number, suffix in zip(numbers.tolist(), scattered.tolist())]


def user_agent(number):
    """What a browser calls itself: three in five are of one system, most others of a second."""
    (luck,) = mixed([number + (7 << 40)]).tolist()
    a, b, c = luck % 13, (luck >> 8) % 97, (luck >> 20) % 60
    if luck % 100 < 62:
        return (
            f"Mozilla/5.0 (Linux; Android {4 + a % 5}.{b % 4}.{c % 3}; "
            f"SM-{'GJAN'[luck % 4]}{100 + b * 7}{'FMHV'[(luck >> 5) % 4]} Build/{'LMNO'[a % 4]}RX{b:02d}{'KPQ'[c % 3]}) "
            f"AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{40 + c % 20}.0.{2600 + b * 11}.{c} Mobile Safari/537.36"
        )
    if luck % 100 < 90:
        return (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS {8 + a % 4}_{b % 4}_{c % 3} like Mac OS X) "
            f"AppleWebKit/60{a % 5}.{b % 9}.{c % 50} (KHTML, like Gecko) Version/{8 + a % 4}.0 "
            f"Mobile/{12 + a % 3}{'ABCDEF'[b % 6]}{100 + b} Safari/60{a % 5}.{b % 9}"
        )
    return (
        f"Mozilla/5.0 (Windows NT {6 + a % 5}.{b % 4}; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{50 + c % 11}.0.{2600 + b * 11}.{c} Safari/537.36"
    )


def write_dimensions(into, days):
    """Writes the campaigns that run on any of the days, and the users."""
    for name, rows in (("campaigns", campaigns(days)), ("users", users())):
        (into / name).mkdir(parents=True, exist_ok=True)
        pa.parquet.write_table(rows, into / name / "part-0.parquet", store_schema=False)


def campaigns(days):
    keys = np.unique(np.concatenate([campaigns_on(day) for day in range(days)]))
    luck = mixed(keys + (19 << 40))
    return pa.table({
        "campaign_id": campaign_ids(keys),
        "advertiser_id": pa.array(((luck >> 4) % 800).astype(np.int32) + 1),
        "name": [f"campaign {key:06d}" for key in keys.tolist()],
        "category": text_column(luck % len(CATEGORIES), CATEGORIES),
        "daily_budget": ((luck >> 24) % 500 + 1).astype(np.float64) * 10,
        "status": text_column((luck >> 40) % len(STATES), STATES),
    })


def users():
    ranks = np.arange(USERS)
    luck = mixed(ranks + (23 << 40))
    return pa.table({
        "user_id": user_ids(ranks),
        "segment": [f"seg{number:02d}" for number in (luck % 24).tolist()],
        "home_country": text_column((luck >> 8) % len(COUNTRIES), COUNTRIES),
        "signup": np.datetime64(FIRST_DAY) - ((luck >> 16) % 1500).astype("timedelta64[D]"),
    })


# A user in the middle of the ranks, the campaign of the last slot and one of the first twentieth, on the second day.
LOOKED_FOR = {
    "needle_user": user_ids(np.array([USERS // 2]))[0],
    "needle_campaign": campaign_ids(campaigns_on(1)[[SLOTS - 1]])[0],
    "busy_campaign": campaign_ids(campaigns_on(1)[[SLOTS // 20]])[0],
}


def declare(server, path):
    """Declares the events in a server of ours, loads the dimensions, and has it look at all of them now and not meanwhile."""
    with server.connect() as connection:
        connection.execute("CREATE EXTERNAL SCHEMA files")
        for table, (stored, partition_columns) in LAYOUTS.items():
            connection.execute(f"CREATE EXTERNAL TABLE files.{table} ({COLUMNS}) PARTITIONED BY ({partition_columns}) {stored} "
                               f"LOCATION 'file://{path}/{table}/' TABLE PROPERTIES ('partition_discovery'='hive')")
            connection.execute(f"ANALYZE files.{table}")
        for table, columns in DIMENSIONS.items():
            connection.execute(f"CREATE EXTERNAL TABLE files.{table} ({columns}) STORED AS PARQUET "
                               f"LOCATION 'file://{path}/{table}/'")
            connection.execute(f"CREATE TABLE {table} ({columns})")
            connection.execute(f"INSERT INTO {table} SELECT * FROM files.{table}")
            connection.execute(f"VACUUM {table}")
            connection.execute(f"ANALYZE {table}")


def declare_in_duckdb(duckdb, path):
    """Makes the events views of DuckDB's over the same files, and the dimensions tables of its own."""
    names = ", ".join(f"'{name}': '{kind}'" for name, kind in (column.split(" ", 1) for column in COLUMNS.split(", ")))
    hour = "hive_partitioning = true, hive_types = {'date': DATE, 'hour': INTEGER}"
    day = "hive_partitioning = true, hive_types = {'date': DATE}"
    csv = f"header = false, delim = '|', columns = {{{names}}}"
    for view, files in {
        "events": f"read_parquet('{path}/events/*/*/*.parquet', {hour})",
        "events_daily": f"read_parquet('{path}/events_daily/*/*.parquet', {day})",
        "events_csv": f"read_csv('{path}/events_csv/*/*/*.csv.gz', {csv}, {hour})",
    }.items():
        duckdb.execute(f"CREATE VIEW {view} AS FROM {files}")
    for table in DIMENSIONS:
        duckdb.execute(f"CREATE TABLE {table} AS FROM read_parquet('{path}/{table}/*.parquet')")
