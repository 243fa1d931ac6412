"""A month of ad events in local Parquet files: how much is read of them, and what it costs beside CSV and DuckDB."""

from .. import answers, cold, events_data
from ..needed_chunks import needed
from ..turns import measure

STATEMENTS = {
    "month by user": events_data.MONTH,
    "day and country": events_data.day_and_country(events_data.COUNTRY),
    "one minute": events_data.ONE_MINUTE,
    "needle": events_data.NEEDLE,
    "promoted campaigns": events_data.PROMOTED,
    "CSV.gz by user": events_data.CSV_BY_USER,
}
# Our server may have to be started anew for each of them.
COLD_ROUNDS_MAX = 3


def run(bench):
    folder = events_data.folder(bench.days, bench.scale)
    server = bench.thermocline("--column-cache", bench.options.column_cache, "--external-root", folder)
    events_data.declare(server, f"file://{folder}/parquet", f"file://{folder}/csv")
    ours, duckdb = bench.wire(server), bench.duckdb()
    events_data.declare_in_duckdb(duckdb, folder)
    for name, statement in STATEMENTS.items():
        measure(bench.results, [ours, duckdb], name, statement, bench.rounds)
    bytes_read = {name: read_cold(bench, ours, name, sql) for name, sql in STATEMENTS.items() if name != "needle"}
    bytes_read["all campaigns"] = read_cold(bench, ours, "all campaigns", events_data.PROMOTED_OF_ALL)
    ours.execute(events_data.PROMOTED)
    promoted = ours.rows()
    ours.execute(events_data.PROMOTED_OF_ALL)
    if different := answers.difference(ours.rows(), promoted):
        bench.results.wrong(f"all campaigns and promoted campaigns differ: {different}")
    figures(bench, ours, rows_by_kind(bench, duckdb), bytes_read, folder)


def read_cold(bench, ours, name, statement):
    """Bytes read when nothing is in the caches; the time is noted, too."""
    samples, read = cold.of_files(ours, statement, min(bench.rounds, COLD_ROUNDS_MAX))
    bench.results.times(f"{name}, cold", {ours.name: samples})
    return read


def rows_by_kind(bench, duckdb):
    """How many events there are in Parquet, and in CSV."""
    csv_end = events_data.date(events_data.CSV_DAYS)
    duckdb.execute(f"SELECT count(*), count(*) FILTER (dt < DATE '{csv_end}') FROM files.events")
    ((parquet, csv),) = duckdb.rows()
    bench.results.note(f"{parquet:,} events in Parquet (in full {events_data.DAYS_IN_FULL} days), {csv:,} of them in CSV.gz")
    return {"parquet": parquet, "csv": csv}


def figures(bench, ours, rows, bytes_read, folder):
    results = bench.results
    files = sorted((folder / "parquet").glob("*/*/*.parquet"))
    month = needed(files, ["user_id", "cost"])
    of_day = [file for file in files if f"dt={events_data.DAY}" in str(file)]
    country = needed(of_day, ["country", "cost"], equal=("country", events_data.COUNTRY))
    for name, chunks in (("month by user", month), ("day and country", country)):
        results.counts(f"{name}, cold", {"bytes": bytes_read[name], "needed": chunks.bytes, "files": chunks.files})
    for name in ("one minute", "promoted campaigns", "all campaigns", "CSV.gz by user"):
        results.counts(f"{name}, cold", {"bytes": bytes_read[name]})
    results.at_most("bytes read / needed column chunks, month by user", bytes_read["month by user"] / month.bytes, 1.05)
    results.at_most("bytes read / column chunks that can match, day and country",
                    bytes_read["day and country"] / country.bytes, 1.2)
    per_row = {kind: results.median(name, ours.name, "cpu") / rows[kind]
               for kind, name in (("parquet", "month by user, cold"), ("csv", "CSV.gz by user, cold"))}
    results.at_most("cpu a row / that of CSV.gz, by user, cold", per_row["parquet"] / per_row["csv"], 0.2)
    results.at_most("cpu / DuckDB's, month by user", results.ratio("month by user", "cpu", ours.name, "duckdb"), 1.0)
    results.at_most("partitions touched, one minute", partitions_touched(ours, events_data.ONE_MINUTE), 1)
    results.at_most("bytes read / those without dynamic filters, promoted campaigns",
                    bytes_read["promoted campaigns"] / bytes_read["all campaigns"], 0.05)


def partitions_touched(ours, statement):
    """Of how many partitions a statement has read files, as the server's log says."""
    ours.execute(statement)
    ours.execute("SELECT partitions_read FROM thermocline.query_log_scans ORDER BY query_id DESC LIMIT 1")
    ((partitions,),) = ours.rows()
    return partitions
