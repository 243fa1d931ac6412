"""What is read out of plans, on plans written by hand. `--smoke` runs this first."""

import unittest
from collections import Counter

from .plans import nodes, shape
from .suites.estimates import estimates, percentile


def scan(relation, rows=10, actual=10, beside="Outer", **others):
    return {"Node Type": "Seq Scan", "Relation Name": relation, "Alias": relation, "Plan Rows": rows, "Actual Rows": actual,
            "Actual Loops": 1, "Parent Relationship": beside, **others}


def node(kind, *inputs, rows=10, actual=10, beside="Outer", **others):
    return {"Node Type": kind, "Plan Rows": rows, "Actual Rows": actual, "Actual Loops": 1, "Parent Relationship": beside,
            "Plans": list(inputs), **others}


def hash_join(probe, build, **others):
    return node("Hash Join", probe, node("Hash", build, beside="Inner"), **{"Join Type": "Inner", **others})


class Shape(unittest.TestCase):
    def test_sides_kinds_and_aliases_count(self):
        plans = [
            hash_join(scan("a"), scan("b")), hash_join(scan("b"), scan("a")), hash_join(scan("a"), scan("b", Alias="c")),
            hash_join(scan("a"), scan("b"), **{"Join Type": "Left"}),
            node("Nested Loop", scan("a"), scan("b"), **{"Join Type": "Inner"}),
        ]
        self.assertEqual(len(set(map(shape, plans))), len(plans))

    def test_numbers_do_not_count(self):
        self.assertEqual(shape(hash_join(scan("a", 1, 2), scan("b"))), shape(hash_join(scan("a", 3, 4), scan("b"))))


class Estimates(unittest.TestCase):
    def errors(self, plan):
        left_out = Counter()
        return {(it.kind, it.q_error) for it in estimates("q", plan, left_out)}, dict(left_out)

    def test_both_directions_and_no_rows(self):
        plan = hash_join(scan("a", 100, 10), scan("b", 0, 5), rows=1, actual=0)
        self.assertEqual(self.errors(plan), ({("scans", 10), ("scans", 5), ("joins", 1)}, {}))

    def test_loops_count(self):
        self.assertEqual(self.errors(scan("a", 10, 10, **{"Actual Loops": 3})), ({("scans", 3)}, {}))

    def test_what_did_not_run_to_its_end_is_left_out(self):
        plan = hash_join(scan("a", 10, 1, **{"Dynamic Filter": "a.x"}), scan("b", 10, 0, **{"Actual Loops": 0}))
        self.assertEqual(self.errors(plan), ({("joins", 1)}, {"scans with dynamic filters": 1, "scans that never ran": 1}))

    def test_below_a_limit(self):
        def cut(plan):
            return [it["Relation Name"] for it, is_cut in nodes(plan) if is_cut and "Relation Name" in it]

        join = hash_join(scan("a"), scan("b"))
        # The build side is read to its end.
        self.assertEqual(cut(node("Limit", join)), ["a"])
        self.assertEqual(cut(node("Limit", node("Sort", join))), [])
        self.assertEqual(cut(node("Limit", node("Aggregate", join, Strategy="Hashed"))), [])
        self.assertEqual(cut(node("Limit", node("Aggregate", join, Strategy="Sorted"))), ["a"])
        # There were fewer rows than it would have let pass.
        self.assertEqual(cut(node("Limit", join, actual=9)), [])
        self.assertEqual(cut(node("Limit", node("Limit", join, actual=9))), ["a"])

    def test_percentiles(self):
        self.assertEqual(percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9), 9)
        self.assertEqual(percentile([1, 2], 0.9), 2)
        self.assertEqual(percentile([7], 1), 7)
