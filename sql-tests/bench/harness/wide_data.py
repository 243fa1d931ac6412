"""Views of pages in a table of a hundred columns, made once and kept: a query shows all of them and looks at one or two.

Every value is computed from its row and column, so the rows are the same whenever they are made. They are in no order of time
or of users, and every file has views of the whole month, so that statistics rule nothing out. Small integers are the most
frequent, and most texts are empty, as they are where every feature ever added has a column.
"""

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from .events_data import scrambled

CACHE = Path(os.environ["BENCH_CACHE"])
ROWS, FILES, GROUPS_PER_FILE = 2_000_000, 4, 4
VIEWS_PER_PAGE = 4
FIRST_MICROSECOND = np.datetime64("2026-03-01", "us").astype(np.int64)
MONTH_SECONDS = 31 * 24 * 3600
# Greater than any number of rows, and a prime: modulo the rows, its multiples are all different.
STRIDE = 2_654_435_761
# Columns have other numbers than those that the texts are made with.
FIRST_SALT = 1000

# Words that one page in so many has in its address.
RARE_WORD, RARE_EVERY = "lighthouse", 5_000
COMMON_WORD, COMMON_EVERY = "harbour", 20
WORDS = (
    "apple autumn bank bicycle bread bridge camera castle chair cheap city coffee computer cotton dinner doctor dress engine "
    "evening family fashion film fish flower forest free garden glass größe guide health history hotel house insurance island "
    "jacket kitchen lamp letter market mañana meadow mirror morning mountain museum music naïve new ocean online orange paper "
    "photo piano price quick rain recipe review river sale school season señal shoes silver snow spring station street summer "
    "table ticket train travel used video village water weather wedding window winter wood"
).split()
HOSTS = [f"{word}{number}.example" for word in WORDS for number in range(20)]
AGENTS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    for system in ("X11; Linux x86_64", "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X", "Linux; Android 10; K")
    for version in range(90, 140)
]

# How many values an integer column has.
INTEGERS = {
    "site_id": 6_000, "region_id": 5_000, "city_id": 20_000, "network_id": 60_000, "provider_id": 3_000,
    "resolution_width": 2_500, "resolution_height": 1_600, "window_width": 2_500, "window_height": 1_600, "colour_depth": 4,
    "browser": 90, "browser_major": 140, "browser_minor": 60, "system": 40, "time_zone": 48,
    "search_engine": 90, "advertising_engine": 30, "traffic_source": 12, "social_network_id": 20, "interests": 16_384,
    "age": 6, "sex": 3, "income": 4, "sends_timing": 30_000, "dns_timing": 5_000,
    "connect_timing": 8_000, "response_timing": 40_000, "fetch_timing": 60_000, "scroll_depth": 101, "clicks": 30,
    "is_mobile": 2, "is_refresh": 2, "is_link": 2, "is_download": 2, "is_bounce": 2,
    "is_robot": 2, "cookies_enabled": 2, "script_enabled": 2, "currency_id": 40, "page_number": 500,
}
# How many rows have each value of a column of keys.
BIGINTS = {
    "view_id": 1, "user_id": 20, "session_id": 5, "device_id": 15, "page_hash": 4,
    "referer_hash": 6, "host_hash": 1_000, "order_id": 500, "basket_id": 100, "goal_id": 10_000,
    "campaign_id": 4_000, "banner_id": 1_500, "group_id": 20_000, "partner_id": 50_000, "remote_address": 12,
    "request_id": 1, "trace_id": 2, "experiment_id": 200_000, "account_id": 2_000, "document_id": 30,
}
# How long before the view it was at most, in seconds; `event_time` is another in every row.
TIMESTAMPS = {
    "event_time": 1, "client_time": 600, "local_time": 50_000, "session_start": 3_600, "previous_view": 86_400,
    "first_visit": 40_000_000, "last_purchase": 9_000_000, "cookie_time": 30_000_000, "banner_time": 1_000, "loaded_time": 30,
}
DATES = {
    "event_date": 1, "first_visit_date": 40_000_000, "cohort_date": 60_000_000, "birth_date": 2_000_000_000,
    "campaign_date": 6_000_000,
}
# Columns whose value is unknown in most rows.
MOSTLY_NULL = ["last_purchase", "banner_time", "birth_date", "campaign_date"]


def address(numbers):
    """An address of a page; some have one of the words that are looked for."""
    pool = pa.array([*WORDS, COMMON_WORD, RARE_WORD])
    choice = scrambled(numbers, 1) % len(WORDS)
    choice[numbers % COMMON_EVERY == 1] = len(WORDS)
    choice[numbers % RARE_EVERY == 0] = len(WORDS) + 1
    host, section, last = chosen(HOSTS, numbers, 2), chosen(WORDS, numbers, 3), chosen(WORDS, numbers, 4)
    number = pa.array(numbers).cast(pa.string())
    return joined("https://", host, "/", section, "/", pool.take(pa.array(choice)), "-", last, ".html?id=", number)


def title(numbers):
    first, second, host = chosen(WORDS, numbers, 5), chosen(WORDS, numbers, 6), chosen(HOSTS, numbers, 2)
    return joined(phrase(numbers), ", ", first, " and ", second, " | ", host)


def phrase(numbers):
    return joined(chosen(WORDS, numbers, 7), " ", chosen(WORDS, numbers, 8), " ", chosen(WORDS, numbers, 9))


def word(numbers):
    return chosen(WORDS, numbers, 10)


def agent(numbers):
    return chosen(AGENTS, numbers, 11)


def parameters(numbers):
    price = pa.array(numbers % 100_000).cast(pa.string())
    return joined('{"kind": "', word(numbers), '", "words": "', phrase(numbers), '", "price": ', price, "}")


def language(numbers):
    return chosen(["en", "de", "es", "fr", "pt", "pl", "tr", "nl"], numbers, 12)


# What a column of texts is made of, and in which percentage of the rows it is not empty.
TEXTS = {
    "url": (address, 100), "title": (title, 95), "referer": (address, 80), "original_url": (address, 15),
    "user_agent": (agent, 100), "search_phrase": (phrase, 12), "parameters": (parameters, 8), "browser_language": (language, 100),
    "browser_country": (language, 90), "page_language": (language, 60), "phone_brand": (word, 20), "phone_model": (word, 20),
    "utm_source": (word, 6), "utm_medium": (word, 6), "utm_campaign": (phrase, 6), "utm_content": (phrase, 3),
    "utm_term": (phrase, 2), "banner_text": (title, 3), "social_network": (word, 1), "social_action": (word, 1),
    "social_page": (address, 1), "goal_name": (phrase, 4), "basket_currency": (word, 2), "experiment": (word, 30),
    "error_text": (title, 1),
}
KINDS = {
    **dict.fromkeys(TIMESTAMPS, ("timestamp", pa.timestamp("us"))), **dict.fromkeys(DATES, ("date", pa.date32())),
    **dict.fromkeys(BIGINTS, ("bigint", pa.int64())), **dict.fromkeys(TEXTS, ("varchar(512)", pa.string())),
    **dict.fromkeys(INTEGERS, ("integer", pa.int32())),
}
COLUMNS = ", ".join(f"{name} {kind}" for name, (kind, _) in KINDS.items())
SCHEMA = pa.schema([(name, kind) for name, (_, kind) in KINDS.items()])
SALTS = {name: FIRST_SALT + number for number, name in enumerate(KINDS)}


def folder(scale):
    """The folder with the Parquet files."""
    path = CACHE / "data" / f"wide-{scale:g}"
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.unfinished")
        unfinished.mkdir(parents=True, exist_ok=True)
        with multiprocessing.get_context("spawn").Pool() as pool:
            pool.starmap(write_file, [(unfinished, number, scale) for number in range(FILES)], chunksize=1)
        unfinished.rename(path)
    return path


def write_file(into, number, scale):
    """Writes a file as pyarrow does by itself, but for the rows in a group."""
    rows_per_group = max(int(ROWS * scale) // (FILES * GROUPS_PER_FILE), 1)
    rows = rows_per_group * FILES * GROUPS_PER_FILE
    with pa.parquet.ParquetWriter(into / f"part-{number}.parquet", SCHEMA, compression="snappy", store_schema=False) as file:
        for group in range(number * GROUPS_PER_FILE, (number + 1) * GROUPS_PER_FILE):
            file.write_table(some_rows(group * rows_per_group, rows_per_group, rows))


def some_rows(first, count, rows):
    """So many of all rows."""
    row = np.arange(first, first + count)
    time = FIRST_MICROSECOND + row * STRIDE % rows * (MONTH_SECONDS * 1_000_000 // rows)
    return pa.table([column(name, row, time, rows) for name in SCHEMA.names], schema=SCHEMA)


def column(name, row, time, rows):
    """A column's values in these rows, which were seen at these times."""
    luck = scrambled(row, SALTS[name])
    if name in INTEGERS:
        share = luck / 2.0**64
        # The third power, for small values to be more frequent.
        return pa.array((share * share * share * INTEGERS[name]).astype(np.int32))
    if name in BIGINTS:
        return pa.array(key(name, luck % max(rows // BIGINTS[name], 1)))
    if name in TEXTS:
        return text(*TEXTS[name], luck, rows)
    seconds = {**TIMESTAMPS, **DATES}[name]
    values = (time - (luck % seconds).astype(np.int64) * 1_000_000).astype("datetime64[us]")
    return pa.array(values, mask=luck >> 32 & 7 != 0 if name in MOSTLY_NULL else None).cast(SCHEMA.field(name).type, safe=False)


def key(name, numbers):
    return (scrambled(numbers, SALTS[name]) >> 1).astype(np.int64)


def text(made, percent, luck, rows):
    shown = pa.array((luck >> 40) % 100 < percent)
    return pa.compute.if_else(shown, made(luck % max(rows // VIEWS_PER_PAGE, 1)), "")


def chosen(pool, numbers, salt):
    return pa.array(pool).take(pa.array(scrambled(numbers, salt) % len(pool)))


def joined(*parts):
    return pa.compute.binary_join_element_wise(*parts, "")


# A user with about as many views as any other.
(SOME_USER,) = key("user_id", np.arange(1)).tolist()


def declare(server, path):
    """Declares the files as an external table of a server of ours, and has it look at them now and not meanwhile."""
    with server.connect() as connection:
        connection.execute("CREATE EXTERNAL SCHEMA files")
        connection.execute(f"CREATE EXTERNAL TABLE files.hits ({COLUMNS}) STORED AS PARQUET LOCATION 'file://{path}/'")
        connection.execute("ANALYZE files.hits")


def declare_in_duckdb(duckdb, path):
    """Makes the same table a view of DuckDB's."""
    duckdb.execute(f"CREATE VIEW hits AS FROM read_parquet('{path}/*.parquet')")
