"""UPDATE of one row in a hundred and DELETE of one in ten of lineitem, by key, beside PostgreSQL, and a scan after each."""

from .. import answers, tpch_data
from ..peers import Samples
from ..turns import rotated

SCAN = "SELECT count(*), sum(l_quantity), sum(l_extendedprice * (1 - l_discount)) FROM lineitem"
# The keys are spread over the whole table: TPC-H's orders are numbered with gaps, so their rank decides.
UPDATE = "UPDATE lineitem SET l_quantity = l_quantity + 1 WHERE l_orderkey IN (SELECT o FROM order_rank WHERE n % 100 = 7)"
DELETE = "DELETE FROM lineitem WHERE l_orderkey IN (SELECT o FROM order_rank WHERE n % 10 = 3)"
STEPS = [("scan before", SCAN), ("UPDATE of 1 %", UPDATE), ("scan after UPDATE", SCAN), ("DELETE of 10 %", DELETE),
         ("scan after DELETE", SCAN), ("VACUUM", "VACUUM lineitem"), ("scan after VACUUM", SCAN)]
# A table is loaded anew for each round.
ROUNDS_MAX = 3
SCANS = 5


def run(bench):
    servers = [bench.thermocline(), bench.postgresql()]
    peers = [bench.wire(server) for server in servers]
    rounds = min(bench.rounds, ROUNDS_MAX)
    samples = {name: {peer.name: Samples() for peer in peers} for name, _ in STEPS}
    for peer in peers:
        peer.execute("CREATE TABLE order_rank (o bigint, n bigint)")
        tpch_data.copy(peer.server, "order_rank", ranks(bench))
    for round_ in range(rounds):
        for peer in peers:
            peer.execute("DROP TABLE IF EXISTS lineitem")
            peer.execute(f"CREATE TABLE lineitem ({tpch_data.COLUMNS['lineitem']})")
            tpch_data.copy(peer.server, "lineitem", tpch_data.csv(bench.scale, "lineitem"))
            peer.execute("VACUUM")
        for name, statement in STEPS:
            step(bench, rotated(peers, round_), name, statement, samples[name])
    for name, _ in STEPS:
        bench.results.times(name, samples[name])
    figures(bench.results)


def step(bench, peers, name, statement, samples):
    shown = {}
    for peer in peers:
        if statement is SCAN:
            peer.execute(statement)
        for _ in range(SCANS if statement is SCAN else 1):
            peer.sample(statement, samples[peer.name])
        shown[peer.name] = peer.rows()
    if different := answers.difference(shown["thermocline"], shown["postgresql"]):
        bench.results.wrong(f"{name}: {different}")


def ranks(bench):
    """The keys of the orders with their ranks, as CSV."""
    path = tpch_data.csv(bench.scale, "lineitem").with_name("order_rank.csv")
    if not path.exists():
        source = f"read_parquet('{tpch_data.parquet(bench.scale)}/orders/*.parquet')"
        ranked = f"SELECT o_orderkey, row_number() OVER (ORDER BY o_orderkey) FROM {source}"
        tpch_data.write(ranked, path, "FORMAT csv, HEADER false")
    return path


def figures(results):
    for name in ("UPDATE of 1 %", "DELETE of 10 %"):
        results.at_most(f"{name}: wall / PostgreSQL's", results.ratio(name, "wall", "thermocline", "postgresql"), 1.0)
    before = results.median("scan before", "thermocline", "cpu")
    for name, aim in (("scan after UPDATE", 1.2), ("scan after DELETE", 1.2), ("scan after VACUUM", 1.05)):
        results.at_most(f"{name}: cpu / before", results.median(name, "thermocline", "cpu") / before, aim)
