"""Planning all queries of TPC-H and TPC-DS on external tables (Parquet files on the local disk), warm, beside DataFusion.

Ours answers EXPLAIN, the library makes its physical plan; neither runs it. What is compared is the time for all of them.
"""

from .. import tpc
from ..peers import Samples
from ..turns import rotated, sampled

RATIO_MAX = 2.0


def run(bench):
    connections, queries = tpc.declared(bench), tpc.chosen(bench)
    for benchmark, ours in connections.items():
        datafusion = bench.datafusion_planner()
        tpc.BENCHMARKS[benchmark].declare_in_datafusion(datafusion, bench.scale)
        for name, query in queries[benchmark]:
            measure(bench, [ours, datafusion], name, query)
    for what in ("wall", "cpu"):
        rows = [row for row in bench.results.time_rows.values() if len(row) == 2]
        ours, theirs = (sum(row[peer][what] for row in rows) for peer in ("thermocline", "datafusion"))
        bench.results.note(f"{what} of {len(rows)} queries that both plan: {ours:.3f} s, DataFusion {theirs:.3f} s")
        bench.results.at_most(f"{what} of planning all / DataFusion's", ours / theirs if rows else float("nan"), RATIO_MAX)


def measure(bench, peers, name, query):
    """Lets the peers plan a query in rounds, after one that is not timed."""
    text = {"thermocline": f"EXPLAIN {query}", "datafusion": query}
    samples, able = {}, []
    for peer in peers:
        samples[peer.name] = Samples()
        if sampled(bench.results, name, peer, text[peer.name], samples):
            able.append(peer)
            samples[peer.name] = Samples()
    for round_ in range(bench.rounds):
        for peer in rotated(able, round_) if able else []:
            if not sampled(bench.results, name, peer, text[peer.name], samples):
                able.remove(peer)
    if samples:
        bench.results.times(name, samples)
