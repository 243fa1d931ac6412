"""How far the estimated numbers of rows are from the actual ones, at the scans and joins of all queries of TPC-H and TPC-DS.

The queries run on external tables (Parquet files on the local disk). The q-error is the quotient of the estimated and the
actual number of rows, or its inverse, whichever is greater. What has not run to its end tells nothing about estimates, and is
left out: nodes that a LIMIT has ended. Joins do not tell scans below them which rows they can leave out, since those would be
missing in all that is between them.
"""

import math
from collections import Counter
from dataclasses import dataclass

from .. import plans, tpc
from ..peers import OverLimit
from ..results import median

# A query that takes longer is given up, and has no estimates.
SECONDS_MAX = 60
MEDIAN_MAX, PERCENTILE_90_MAX = 2, 10
# So many of the worst estimates are shown, and so much of their conditions.
WORST, CONDITION_CHARACTERS_MAX = 20, 160
# The property of a scan whose rows a join has cut.
DYNAMIC_FILTER = "Dynamic Filter"


@dataclass
class Estimate:
    """What was expected of a node, and what came."""

    query: str
    kind: str
    node: str
    estimated: float
    actual: float

    @property
    def q_error(self):
        return max(self.estimated / self.actual, self.actual / self.estimated)

    def __str__(self):
        return f"{self.q_error:,.1f}: {self.query}, {self.node}: estimated {self.estimated:,.0f}, actual {self.actual:,.0f}"


def run(bench):
    connections, queries = tpc.declared(bench), tpc.chosen(bench)
    found, left_out, measured = [], Counter(), 0
    for benchmark, ours in connections.items():
        ours.limit(SECONDS_MAX)
        ours.execute("SET thermocline.dynamic_filters = off")
        for name, query in queries[benchmark]:
            plan = ran(bench.results, ours, name, query)
            if plan is not None:
                found += estimates(name, plan, left_out)
                measured += 1
    figures(bench.results, found)
    reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    bench.results.note(f"scans and joins that are left out: {reasons or 'none'}")
    bench.results.at_least("queries measured", measured, sum(map(len, queries.values())))
    for estimate in sorted(found, key=lambda it: -it.q_error)[:WORST]:
        bench.results.note(str(estimate))


def ran(results, ours, name, query):
    """The plan of a query that has run, or None."""
    print(f"  {name}", flush=True)
    try:
        return plans.explained(ours, query, "ANALYZE")
    except OverLimit:
        results.note(f"{name}: given up after {SECONDS_MAX} s")
    except Exception as error:
        results.fail(f"{name}: {str(error).splitlines()[0]}")
    return None


def estimates(query, plan, left_out):
    """Those of a plan's scans and joins; counts what is left out, by reason."""
    found = []
    for node, cut in plans.nodes(plan):
        kind = "scans" if plans.is_scan(node) else "joins" if plans.is_join(node) else None
        if kind is None:
            continue
        reason = no_estimate(node, cut)
        if reason:
            left_out[f"{kind} {reason}"] += 1
        else:
            found.append(estimate(query, kind, node))
    return found


def no_estimate(node, cut):
    """Why a node tells nothing about its estimate, or None."""
    if node["Actual Loops"] == 0:
        return "that never ran"
    if plans.is_scan(node) and DYNAMIC_FILTER in node:
        return "with dynamic filters"
    return "below a LIMIT" if cut else None


def estimate(query, kind, node):
    # Nothing is estimated, or found, to be less than a row: with 0, there would be no quotient.
    actual = max(node["Actual Rows"] * node["Actual Loops"], 1)
    return Estimate(query, kind, described(node), max(node["Plan Rows"], 1), actual)


def described(node):
    """A node in words: what it reads or joins, and by which condition."""
    if plans.is_scan(node):
        what = [plans.relation(node), *([node["Filter"]] if "Filter" in node else [])]
    else:
        what = [node["Join Type"], plans.conditions(node)]
    return f"{node['Node Type']}, {', '.join(filter(None, what))[:CONDITION_CHARACTERS_MAX]}"


def figures(results, found):
    for title, kinds in (("scans", ["scans"]), ("joins", ["joins"]), ("scans and joins", ["scans", "joins"])):
        errors = sorted(it.q_error for it in found if it.kind in kinds)
        middle, percentile_90, greatest = median(errors), percentile(errors, 0.9), percentile(errors, 1)
        if errors:
            results.counts(f"q-error, {title}", {
                "nodes": len(errors), "median": round(middle, 2), "90th percentile": round(percentile_90, 2),
                "greatest": round(greatest, 1),
            })
        results.at_most(f"median q-error, {title}", middle, MEDIAN_MAX)
        results.at_most(f"90th percentile of q-errors, {title}", percentile_90, PERCENTILE_90_MAX)


def percentile(values, share):
    """The least of the values, sorted, that this share of them does not exceed."""
    return values[math.ceil(share * len(values)) - 1] if values else math.nan
