"""100,000 single-row INSERTs, and what a scan of the whole table costs then, and when it has been compacted."""

from .. import pgbench, processes
from ..peers import Samples

ROWS = 100_000
CLIENTS = 16
SCRIPT = (
    "\\set k random(1, 100)\n\\set v random(1, 1000000)\n"
    "INSERT INTO bench_small (k, v, t) VALUES (:k, :v, 'a text of some length');\n"
)
SCAN = "SELECT k, count(*), sum(v), max(t) FROM bench_small GROUP BY k ORDER BY k"
SCANS_MIN = 9


def run(bench):
    server = bench.thermocline()
    peer = bench.wire(server)
    peer.execute("CREATE TABLE bench_small (k integer, v bigint, t varchar(40))")
    processes.reset_peak_memory(server.pid)
    empty = processes.resident_memory_mb(server.pid)
    each = max(int(ROWS * bench.scale), CLIENTS) // CLIENTS
    load = pgbench.run(server, SCRIPT, CLIENTS, "prepared", transactions=each)
    peak, filled = processes.peak_memory_mb(server.pid), processes.resident_memory_mb(server.pid)
    bench.results.rates("INSERT", "transactions/s", {server.name: [load.rate]}, {server.name: [load.cpu_per_transaction]})

    rows = scan(bench, peer, "scan after the inserts")
    peer.execute("VACUUM bench_small")
    if scan(bench, peer, "scan after VACUUM") != rows:
        bench.results.wrong("VACUUM changes the answer")
    if sum(row[1] for row in rows) != load.transactions:
        bench.results.wrong(f"{sum(row[1] for row in rows)} rows of {load.transactions}")
    bench.results.note(f"memory: {empty:.0f} MB before, {filled:.0f} MB after {load.transactions} rows, {peak:.0f} MB at most")
    for what in ("cpu", "wall"):
        after, compacted = (bench.results.median(name, server.name, what) for name in ("scan after the inserts", "scan after VACUUM"))
        bench.results.at_most(f"{what} of the scan / compacted", after / compacted, 2.0)


def scan(bench, peer, name):
    samples = Samples()
    peer.execute(SCAN)
    rows = peer.rows()
    for _ in range(max(bench.rounds, SCANS_MIN)):
        peer.sample(SCAN, samples)
    bench.results.times(name, {peer.name: samples})
    return rows
