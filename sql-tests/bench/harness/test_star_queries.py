"""The queries that are made from pieces must be the same query in each order. `--smoke` runs this first."""

import unittest

from .star_queries import ORDERS, QUERIES, StarQuery, queries


def query(commas):
    joins = ["ss_sold_date_sk = d1.d_date_sk", "ss_item_sk = i_item_sk"]
    left = {"promotion": "p_promo_sk = ss_promo_sk"}
    return StarQuery("i_brand", "count(*)", ["store_sales", "date_dim d1", "item"], joins, ["d1.d_year = 2000"], left, commas)


class Orders(unittest.TestCase):
    def test_each_order_is_another_text_with_all_pieces(self):
        for title, texts in queries():
            it = QUERIES[title]
            self.assertEqual(len(set(texts)), ORDERS, title)
            for text in texts:
                for piece in [*it.relations, *it.joins, *it.where, *it.left, *it.left.values()]:
                    self.assertIn(piece, text, title)

    def test_orders_are_always_the_same(self):
        self.assertEqual(queries(), queries())

    def test_conditions_stand_where_all_relations_are_there(self):
        text = query(commas=False).text(["date_dim d1", "item", "store_sales", "promotion"])
        self.assertIn(
            "FROM date_dim d1\n     CROSS JOIN item\n     JOIN store_sales ON ss_sold_date_sk = d1.d_date_sk AND "
            "ss_item_sk = i_item_sk\n     LEFT JOIN promotion ON p_promo_sk = ss_promo_sk\nWHERE d1.d_year = 2000\n", text,
        )

    def test_left_joins_stand_behind_the_relation_they_belong_to(self):
        it = query(commas=True)
        order = it.possible(["promotion", "item", "store_sales", "date_dim d1"])
        self.assertEqual(order, ["item", "store_sales", "promotion", "date_dim d1"])
        self.assertIn("FROM item,\n     store_sales\n     LEFT JOIN promotion ON p_promo_sk = ss_promo_sk,\n     date_dim d1\n",
                      it.text(order))
