"""The plans of queries whose relations stand in different orders: the order must not decide how they are joined.

Stars and snowflakes of TPC-DS's tables (external, Parquet files on the local disk), each in five orders. For each of them
the plan is asked for, and the first and the last order are run, to compare what they answer.
"""

from dataclasses import dataclass

from .. import answers, plans, star_queries, tpcds_data
from ..peers import OverLimit

# By so much a plan's cost may be above that of the best one.
COST_MAX = 1.1
# A query that takes longer is given up, and its answers are not compared.
SECONDS_MAX = 60


@dataclass
class Plan:
    """What is compared of a plan."""

    shape: str
    cost: float

    @classmethod
    def of(cls, peer, query):
        root = plans.explained(peer, query)
        if root["Total Cost"] <= 0:
            # Any plan would be as good as any other.
            raise ValueError("the plan has no cost")
        return cls(plans.shape(root), root["Total Cost"])

    def is_as_good_as(self, best):
        return self.shape == best.shape or self.cost <= COST_MAX * best.cost


def run(bench):
    scale, folder = bench.scale, tpcds_data.parquet(bench.scale)
    server = bench.thermocline("--column-cache", bench.options.column_cache, "--external-root", folder)
    tpcds_data.declare_external(server, scale)
    ours = bench.wire(server)
    ours.execute("SET search_path = files")
    ours.limit(SECONDS_MAX)
    queries = bench.chosen(star_queries.queries())
    reached = sum(planned_alike(bench.results, ours, name, texts) for name, texts in queries)
    for name, texts in queries:
        compare(bench.results, ours, name, texts)
    title = f"queries with the same plan, or one of a cost within {COST_MAX - 1:.0%}, in all {star_queries.ORDERS} orders"
    bench.results.at_least(title, reached, len(queries))


def planned_alike(results, ours, name, texts):
    """Whether the plan is as good in each order."""
    try:
        # What it has to find out about the tables it knows then, for all orders.
        Plan.of(ours, texts[0])
        found = [Plan.of(ours, text) for text in texts]
    except Exception as error:
        results.fail(f"{name}: {str(error).splitlines()[0]}")
        return False
    cost = lambda plan: plan.cost
    best = min(found, key=cost)
    others = [plan for plan in found if not plan.is_as_good_as(best)]
    results.counts(name, {
        "orders": len(texts), "shapes": len({plan.shape for plan in found}), "least cost": round(best.cost, 2),
        "greatest / least": round(max(map(cost, found)) / best.cost, 3),
    })
    for plan in [best, max(others, key=cost)] if others else []:
        results.note(f"{name}, order {found.index(plan) + 1}, cost {plan.cost:.2f}: {plan.shape}")
    print(f"  {name}", flush=True)
    return not others


def compare(results, ours, name, texts):
    """Runs the query in its first and its last order."""
    rows = []
    for text in (texts[0], texts[-1]):
        try:
            ours.execute(text)
        except OverLimit:
            results.note(f"{name}: given up after {SECONDS_MAX} s, its answers are not compared")
            return
        except Exception as error:
            results.fail(f"{name}: {str(error).splitlines()[0]}")
            return
        rows.append(ours.rows())
    if different := answers.difference(*rows, ours.absolute):
        results.wrong(f"{name}: the first and the last order differ: {different}")
