"""The comparison of answers must notice what is wrong, and nothing else. `--smoke` runs this first."""

import datetime
import unittest
from decimal import Decimal

from .answers import difference


class Difference(unittest.TestCase):
    def test_types_and_order_do_not_count(self):
        ours = [(1, Decimal("2.50"), "a"), (2, None, "b")]
        theirs = [(2, None, "b"), (Decimal(1), 2.5, "a")]
        self.assertIsNone(difference(ours, theirs))
        self.assertIsNone(difference([(datetime.datetime(2020, 1, 1),)], [(datetime.date(2020, 1, 1),)]))

    def test_last_digits_do_not_count(self):
        self.assertIsNone(difference([(1.0 / 3,)], [(Decimal("0.3333333333333333"),)]))

    def test_quotients_that_are_cut_off_may_be_let_pass(self):
        one, other = [(1, Decimal("96.668600"))], [(1, 96.66868288232904)]
        self.assertIsNotNone(difference(one, other))
        self.assertIsNone(difference(one, other, absolute=1e-4))
        self.assertIsNotNone(difference([(1, Decimal("96.6"))], other, absolute=1e-4))

    def test_values_count(self):
        for one, other in [(1, 2), (1.0, 1.000001), ("a", "b"), ("a", "a "), (None, 0), (0, None)]:
            self.assertIsNotNone(difference([(one,)], [(other,)]))

    def test_the_number_of_rows_counts(self):
        self.assertIsNotNone(difference([(1,)], [(1,), (1,)]))
        self.assertIsNotNone(difference([(1,), (2,)], [(1,), (1,)]))
