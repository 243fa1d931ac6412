"""The command line: which suites, how large, against which server."""

import argparse
import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
import unittest
from pathlib import Path

from . import processes
from .peers import Wire, datafusion, datafusion_planner, duckdb
from .results import Results
from .s3_server import S3Server
from .servers import PostgreSQL, Thermocline

SUITES = [
    "insert", "point", "stream", "connections", "cancel", "copy", "tpch-hot", "tpch-external",
    "tpcds-external", "join-order", "estimates", "planning", "events", "ad-events", "needle", "s3", "partitions", "update",
    "small-inserts", "restart", "introspection", "micro",
]
REPOSITORY = Path(__file__).parents[3]
SMOKE = {"scale": 0.01, "rounds": 1, "seconds": 1, "days": 2}
TESTS = ["test_answers", "test_plans", "test_star_queries", "test_s3_server"]


def arguments():
    parser = argparse.ArgumentParser(
        prog="sql-tests/bench/run",
        description="Measures the server beside PostgreSQL, DuckDB and DataFusion, on the same data in the same run.",
    )
    parser.add_argument("suite", nargs="+", choices=[*SUITES, "all"], metavar="SUITE", help=f"{', '.join(SUITES)}, all")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the data that the figures are about [1]")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds, after one that is not timed [5]")
    parser.add_argument("--seconds", type=int, default=5, help="length of each round of concurrent clients [5]")
    parser.add_argument("--queries", type=lambda names: names.split(","), help="only these queries: q64,q72 of "
                        "TPC-H or TPC-DS, tpch-q09,tpcds-q64 where a suite has both, e16_count of ad-events")
    parser.add_argument("--smoke", action="store_true", help="seconds of work, to see that everything runs")
    parser.add_argument("--server", type=Path, help="the server's binary [a release build of this repository]")
    parser.add_argument("--baseline", type=Path, help="another binary of the server, to compare with (suite micro)")
    parser.add_argument("--column-cache", default="2GB", help="memory for decoded columns (TPC-H, TPC-DS, events, needle) [2GB]")
    parser.add_argument("--days", type=int, default=6, help="days of ad events, of 1.7 million rows each; the figures "
                        "are about 30 (suites events, ad-events, s3) [6]")
    parser.add_argument("--statements", type=Path, help="folder of recorded statements (suite introspection)")
    parser.add_argument("--postgresql", action="store_true", help="PostgreSQL as well, where only DuckDB is compared")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp/thermocline-bench"),
                        help="where the servers' data are while it runs; the disk that is measured [%(default)s]")
    parser.add_argument("--out", type=Path, help="where to write all samples, as JSON")
    options = parser.parse_args()
    if options.smoke:
        for name, value in SMOKE.items():
            setattr(options, name, value)
    if "all" in options.suite:
        options.suite = [suite for suite in SUITES if suite != "introspection" or options.statements]
    if "introspection" in options.suite and not options.statements:
        parser.error("the suite introspection asks for --statements")
    return options


class Bench:
    """What a suite asks for: its options, and servers that are stopped when it ends."""

    def __init__(self, options, binary, results, open_things):
        self.options, self.binary, self.results, self.open_things = options, binary, results, open_things
        self.scale, self.rounds, self.seconds, self.days = options.scale, options.rounds, options.seconds, options.days

    def chosen(self, queries):
        """Those of the queries, names and texts, that are to be run."""
        names = self.options.queries or [name for name, _ in queries]
        if unknown := set(names) - {name for name, _ in queries}:
            raise ValueError(f"there is no query {', '.join(sorted(unknown))}")
        return [(name, query) for name, query in queries if name in names]

    def thermocline(self, *settings, name="thermocline", folder=None, binary=None):
        """A server of ours, with an empty data directory, started."""
        folder = self.options.work / (folder or name)
        return self.started(Thermocline(binary or self.binary, folder, name, settings))

    def postgresql(self, name="postgresql", tls=None):
        """A PostgreSQL with an empty data directory, started; `tls` is a certificate and its key."""
        return self.started(PostgreSQL(self.options.work / name, name, tls))

    def started(self, server):
        self.open_things.callback(server.close)
        server.start()
        self.results.peer(server)
        return server

    def wire(self, server):
        """A connection that is measured."""
        peer = Wire(server)
        self.open_things.callback(peer.close)
        return peer

    def duckdb(self):
        """DuckDB with an empty database."""
        path = self.options.work / "duckdb" / "database"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        return self.embedded(duckdb(path))

    def datafusion(self, *store):
        """DataFusion, with the local files or those of a bucket at an endpoint."""
        return self.embedded(datafusion(*store))

    def datafusion_planner(self):
        """DataFusion, with the local files, which only plans."""
        return self.embedded(datafusion_planner())

    def embedded(self, peer):
        self.open_things.callback(peer.close)
        self.results.peer(peer)
        return peer

    def s3_server(self, folder, delay):
        """A bucket with the files of a folder."""
        server = S3Server(folder, delay)
        self.open_things.callback(server.close)
        return server


def release_build():
    """Builds the server as it is delivered; the target directory is .ci/run's, outside of the repository."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    target = Path(os.environ.get("CARGO_TARGET_DIR", cache / "thermocline" / "target"))
    command = ["cargo", "build", "--release", "--workspace", "--bins"]
    subprocess.run(command, check=True, cwd=REPOSITORY, env={**os.environ, "CARGO_TARGET_DIR": str(target)})
    return target / "release" / "thermocline"


def run_suite(name, options, binary):
    print(f"{name} …", flush=True)
    results = Results(name)
    with contextlib.ExitStack() as open_things:
        try:
            suite = importlib.import_module(f".suites.{name.replace('-', '_')}", __package__)
            suite.run(Bench(options, binary, results, open_things))
        except Exception as error:
            traceback.print_exc()
            results.fail(f"{type(error).__name__}: {error}")
    return results


def main():
    # Servers are stopped when a suite is left, also in this way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options = arguments()
    if options.smoke:
        for test in TESTS:
            unittest.main(f"{__package__}.{test}", argv=[test], exit=False).result.wasSuccessful() or sys.exit(1)
    binary = (options.server or release_build()).resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    # PostgreSQL's owner must be able to enter it.
    options.work.chmod(0o755)
    report = {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "processors": os.cpu_count(),
        "load_before": processes.load_average(), "binary": str(binary), "scale": options.scale,
        "rounds": options.rounds, "seconds": options.seconds, "days": options.days, "suites": {},
    }
    all_results = [run_suite(name, options, binary) for name in options.suite]
    print(f"\n{report['processors']} processors; load average before: {report['load_before']:.1f}. Others' work "
          "lengthens wall times; processor seconds and the ratios within a run bear it better.")
    for results in all_results:
        results.show()
        report["suites"][results.suite] = results.as_json()
    if options.out:
        options.out.write_text(json.dumps(report, indent=1, ensure_ascii=False, default=str) + "\n")
    return 1 if any(results.wrong_answers or results.failures for results in all_results) else 0


if __name__ == "__main__":
    sys.exit(main())
