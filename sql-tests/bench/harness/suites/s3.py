"""The month of ad events through an S3 server that takes 20 ms a request and counts: with caches warm, and with empty ones.

Beside it are our server over the same files on the local disk, and DataFusion as it comes over the same bucket. DataFusion
is warm when it has answered before in the same process, and cold in a new one, in which the table has been declared: it
lists the files then and reads their footers, which is counted apart.
"""

import psycopg

from .. import answers, cold, events_data, s3_server
from ..needed_chunks import needed
from ..peers import Samples
from ..turns import measure

DELAY_SECONDS = 0.020
LISTING_TTL = "10min"
LOCAL = "local files"
STATEMENTS = {
    "month by user": events_data.MONTH,
    "day and country": events_data.day_and_country(events_data.COUNTRY),
    "one minute": events_data.ONE_MINUTE,
    "needle": events_data.NEEDLE,
}
# The manifest of a table: what its files are and where in them everything is.
REFRESH = "REFRESH EXTERNAL TABLE files.events"
# Times of DataFusion's.
AIMS_BESIDE_DATAFUSION = {"needle": 1 / 10, "month by user": 1 / 3}


def run(bench):
    folder = events_data.folder(bench.days, bench.scale)
    store = bench.s3_server(folder, DELAY_SECONDS)
    cache = ["--column-cache", bench.options.column_cache]
    server = bench.thermocline(*cache, "--s3-endpoint", store.endpoint)
    local = bench.thermocline(*cache, "--external-root", folder, name=LOCAL)
    events_data.declare(server, f"{store.location}/parquet")
    events_data.declare(local, f"file://{folder}/parquet")
    ours, beside = bench.wire(server), bench.wire(local)
    datafusion = bench.datafusion(s3_server.BUCKET, store.endpoint)
    events_data.declare_in_datafusion(datafusion, f"{store.location}/parquet")
    bench.results.note(f"{bench.days} days (in full {events_data.DAYS_IN_FULL}); {DELAY_SECONDS * 1000:.0f} ms a request; cold is "
                       "with empty caches, warm after the same statement")
    # What is below the locations is listed once; each of the statements below would do so again.
    for peer in (ours, beside):
        peer.execute(f"SET thermocline.listing_ttl = '{LISTING_TTL}'")
    bench.results.note(f"listing_ttl is {LISTING_TTL} where it is warm, and zero where it is cold")
    warm(bench, store, ours, beside, datafusion)
    ours.execute("SET thermocline.listing_ttl = 0")
    of_what = Needs(ours, folder)
    without_manifest(bench, store, ours, datafusion, of_what)
    with_manifest(bench, store, ours, datafusion, of_what)


class Needs:
    """The files and bytes that the statements cannot do without."""

    def __init__(self, ours, folder):
        files = sorted((folder / "parquet").glob("*/*/*.parquet"))
        of_day = [file for file in files if f"dt={events_data.DAY}" in str(file)]
        self.month = needed(files, ["user_id", "cost"])
        self.country = needed(of_day, ["country", "cost"], equal=("country", events_data.COUNTRY))
        ours.execute(f"SELECT count(DISTINCT (dt, hour)) FROM files.events WHERE user_id = '{events_data.NEEDLE_USER}'")
        ((self.needle_files,),) = ours.rows()


def warm(bench, store, ours, beside, datafusion):
    """Times beside the others, then the requests of one more time."""
    results = bench.results
    for name, statement in STATEMENTS.items():
        measure(results, [ours, beside, datafusion], name, statement, bench.rounds)
    requests = 0
    for name, statement in STATEMENTS.items():
        store.counts()
        ours.execute(statement)
        counts = store.counts()
        results.counts(f"{name}, warm", counts)
        requests += counts["GET"] + counts["HEAD"]
    results.at_most("GETs and HEADs of all statements, warm", requests, 0)
    for name in STATEMENTS:
        results.at_most(f"wall / local files', warm, {name}", results.ratio(name, "wall", ours.name, LOCAL), 1.1)
    for name, aim in AIMS_BESIDE_DATAFUSION.items():
        results.at_most(f"wall / DataFusion's, warm, {name}", results.ratio(name, "wall", ours.name, datafusion.name), aim)


def without_manifest(bench, store, ours, datafusion, of_what):
    """What is asked for with empty caches, by a server that knows of the files what their names tell."""
    results, counts = bench.results, {}
    for name, statement in STATEMENTS.items():
        samples, counts[name] = cold.of_bucket(ours, store, statement)
        answer = ours.rows()
        theirs = Samples()
        datafusion.forget()
        store.counts()
        events_data.declare_in_datafusion(datafusion, f"{store.location}/parquet")
        declaring = store.counts()
        datafusion.sample(statement, theirs)
        results.counts(f"{name}, cold", counts[name])
        results.counts(f"{name}, cold, DataFusion", store.counts())
        results.times(f"{name}, cold", {ours.name: samples, datafusion.name: theirs})
        if different := answers.difference(answer, datafusion.rows()):
            results.wrong(f"{name}, cold: {ours.name} and {datafusion.name} differ: {different}")
    for name, chunks in (("month by user", of_what.month), ("day and country", of_what.country)):
        results.at_most(f"bytes / needed column chunks, cold, {name}", counts[name]["bytes"] / chunks.bytes, 1.2)
    results.at_most("GETs a file, cold, month by user", counts["month by user"]["GET"] / of_what.month.files, 2)
    results.at_most("GETs a matching file, cold, day and country", counts["day and country"]["GET"] / of_what.country.files, 3)
    results.at_most("GETs a file, cold, needle", counts["needle"]["GET"] / of_what.month.files, 1.2)
    for name, aim in AIMS_BESIDE_DATAFUSION.items():
        ratio = results.ratio(f"{name}, cold", "wall", ours.name, datafusion.name)
        results.at_most(f"wall / DataFusion's, cold, {name}", ratio, aim)
    results.counts("declaring, DataFusion", declaring)
    footers_once(bench, store, ours)


def footers_once(bench, store, ours):
    """The footers that a statement has read are there for another one that reads other parts of the same files."""
    cold.sampled(ours, events_data.day_and_country(events_data.COUNTRY))
    store.counts()
    ours.execute(events_data.day_and_country(events_data.OTHER_COUNTRY))
    counts = store.counts()
    bench.results.counts("another country, footers warm", counts)
    bench.results.at_most("GETs of footers, footers warm, day and country", counts["footers"], 0)


def with_manifest(bench, store, ours, datafusion, of_what):
    """The same by a server that has been told to look at the files before."""
    results = bench.results
    try:
        ours.execute(REFRESH)
    except psycopg.errors.SyntaxError:
        results.note(f"the figures with a manifest are left out: the server does not know {REFRESH.rsplit(' ', 1)[0]}")
        return
    results.counts("making the manifest", store.counts())
    counts = {}
    for name, statement in STATEMENTS.items():
        samples, counts[name] = cold.of_bucket(ours, store, statement)
        results.counts(f"{name}, cold, manifest", counts[name])
        results.times(f"{name}, cold, manifest", {ours.name: samples})
    results.at_most("GETs a file, cold, manifest, month by user", counts["month by user"]["GET"] / of_what.month.files, 1.1)
    results.at_most("GETs a matching file, cold, manifest, needle", counts["needle"]["GET"] / of_what.needle_files, 3)
    for name, aim in AIMS_BESIDE_DATAFUSION.items():
        ratio = results.median(f"{name}, cold, manifest", ours.name, "wall") / results.median(f"{name}, cold", datafusion.name, "wall")
        results.at_most(f"wall / DataFusion's, cold, manifest, {name}", ratio, aim)
