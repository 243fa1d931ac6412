"""Joins of TPC-DS's tables, in pieces, from which the same query is made with its relations in any order.

Stars and snowflakes of three to nine relations. All groups are shown, and nothing that depends on the order of rows: so
whatever the order of the relations, the answer is the same.
"""

import random
import re
from dataclasses import dataclass, field

SEED = 1
# In so many orders each query is written; the first is that of the list.
ORDERS = 5
# A query with few relations has few orders.
TRIES_MAX = 1000
# By what a table's columns begin.
PREFIXES = {
    "cc": "call_center", "cr": "catalog_returns", "cs": "catalog_sales", "c": "customer", "ca": "customer_address",
    "cd": "customer_demographics", "d": "date_dim", "hd": "household_demographics", "ib": "income_band",
    "inv": "inventory", "i": "item", "p": "promotion", "r": "reason", "sm": "ship_mode", "s": "store",
    "sr": "store_returns", "ss": "store_sales", "t": "time_dim", "w": "warehouse", "wp": "web_page", "wr": "web_returns",
    "ws": "web_sales", "web": "web_site",
}


@dataclass(frozen=True)
class StarQuery:
    """`joins` has conditions between relations, `where` those on one of them, and semi joins.

    `left` has relations that are joined by LEFT JOIN, and on which condition.
    """

    groups: str
    shown: str
    relations: list
    joins: list
    where: list
    left: dict = field(default_factory=dict)
    # Relations stand with commas between them, or each with JOIN … ON.
    commas: bool = False

    def text(self, order):
        """The query with its relations in this order."""
        relations, conditions = self.with_commas(order) if self.commas else self.with_joins(order)
        conditions = "\n  AND ".join([*conditions, *self.where])
        where = f"\nWHERE {conditions}" if conditions else ""
        return f"SELECT {self.groups}, {self.shown}\nFROM {relations}{where}\nGROUP BY {self.groups}"

    def with_commas(self, order):
        """The relations, and what is left to WHERE: all conditions but those of left joins."""
        items, item_of = [], {}
        for relation in order:
            if relation not in self.left:
                item_of[name(relation)] = len(items)
                items.append(relation)
                continue
            # A comma binds less: the condition sees one item only.
            condition = self.left[relation]
            (item,) = {item_of[other] for other in names(condition) - {name(relation)}}
            item_of[name(relation)] = item
            items[item] += f"\n     LEFT JOIN {relation} ON {condition}"
        return ",\n     ".join(items), self.joins

    def with_joins(self, order):
        """The relations, each with the conditions for which all others are there, and what is left to WHERE."""
        text, there, waiting = order[0], {name(order[0])}, list(self.joins)
        for relation in order[1:]:
            there.add(name(relation))
            if relation in self.left:
                text += f"\n     LEFT JOIN {relation} ON {self.left[relation]}"
                continue
            ready = [condition for condition in waiting if names(condition) <= there]
            waiting = [condition for condition in waiting if condition not in ready]
            on = " AND ".join(ready)
            text += f"\n     JOIN {relation} ON {on}" if ready else f"\n     CROSS JOIN {relation}"
        return text, waiting

    def possible(self, order):
        """The order, with each relation of a left join behind those on which its condition is."""
        waiting, placed, there = list(order), [], set()
        while waiting:
            relation = next(it for it in waiting if it not in self.left or names(self.left[it]) <= there | {name(it)})
            waiting.remove(relation)
            placed.append(relation)
            there.add(name(relation))
        return placed

    def texts(self, seed):
        """The query in different orders of its relations; the seed decides which."""
        chance, order = random.Random(seed), [*self.relations, *self.left]
        texts = [self.text(order)]
        for _ in range(TRIES_MAX):
            if len(texts) == ORDERS:
                break
            text = self.text(self.possible(chance.sample(order, len(order))))
            if text not in texts:
                texts.append(text)
        return texts


def name(relation):
    """By what columns of a relation are qualified."""
    return relation.split()[-1]


def names(condition):
    """Whose columns a condition has."""
    columns = re.findall(r"(?:(\w+)\.)?([a-z]+)_\w+", re.sub(r"'[^']*'", "", condition))
    return {qualifier or PREFIXES[prefix] for qualifier, prefix in columns}


def queries():
    """The names of the queries, and each one's texts."""
    return [(title, query.texts(f"{SEED} {title}")) for title, query in QUERIES.items()]


QUERIES = {
    "brands": StarQuery(
        "d_year, i_brand", "count(*), sum(ss_ext_sales_price)",
        ["date_dim", "store_sales", "item"],
        ["d_date_sk = ss_sold_date_sk", "ss_item_sk = i_item_sk"],
        ["i_manufact_id = 128", "d_moy = 11"],
        commas=True,
    ),
    "categories-of-stores": StarQuery(
        "s_store_name, i_category", "count(*), sum(ss_net_profit)",
        ["store_sales", "date_dim", "item", "store"],
        ["d_date_sk = ss_sold_date_sk", "ss_item_sk = i_item_sk", "ss_store_sk = s_store_sk"],
        ["d_year = 2000", "d_moy = 12", "s_market_id IN (2, 8)"],
    ),
    "promoted-items": StarQuery(
        "i_item_id", "avg(ss_quantity), avg(ss_list_price), avg(ss_coupon_amt)",
        ["store_sales", "customer_demographics", "date_dim", "item", "promotion"],
        ["ss_sold_date_sk = d_date_sk", "ss_item_sk = i_item_sk", "ss_cdemo_sk = cd_demo_sk", "ss_promo_sk = p_promo_sk"],
        ["cd_gender = 'M'", "cd_marital_status = 'S'", "cd_education_status = 'College'",
         "(p_channel_email = 'N' OR p_channel_event = 'N')", "d_year = 2000"],
        commas=True,
    ),
    "brands-bought-elsewhere": StarQuery(
        "i_brand_id, i_brand, i_manufact_id", "sum(ss_ext_sales_price)",
        ["date_dim", "store_sales", "item", "customer", "customer_address", "store"],
        ["d_date_sk = ss_sold_date_sk", "ss_item_sk = i_item_sk", "ss_customer_sk = c_customer_sk",
         "c_current_addr_sk = ca_address_sk", "ss_store_sk = s_store_sk", "substr(ca_zip, 1, 5) <> substr(s_zip, 1, 5)"],
        ["i_manager_id = 8", "d_moy = 11", "d_year = 1998"],
        commas=True,
    ),
    "large-baskets": StarQuery(
        "ss_ticket_number, c_last_name, c_first_name", "count(*)",
        ["store_sales", "date_dim", "store", "household_demographics", "customer"],
        ["ss_sold_date_sk = d_date_sk", "ss_store_sk = s_store_sk", "ss_hdemo_sk = hd_demo_sk",
         "ss_customer_sk = c_customer_sk"],
        ["d_dom BETWEEN 1 AND 3", "hd_buy_potential = '>10000'", "hd_vehicle_count > 2", "d_year = 1999",
         "s_county = 'Williamson County'", "ss_quantity > 90"],
    ),
    "kinds-of-customers": StarQuery(
        "cd_education_status, hd_dep_count", "avg(ss_quantity), avg(ss_ext_sales_price), sum(ss_ext_wholesale_cost)",
        ["store_sales", "store", "customer_demographics", "household_demographics", "customer_address", "date_dim"],
        ["s_store_sk = ss_store_sk", "ss_sold_date_sk = d_date_sk", "ss_hdemo_sk = hd_demo_sk", "cd_demo_sk = ss_cdemo_sk",
         "ss_addr_sk = ca_address_sk"],
        ["d_year = 2001", "cd_marital_status = 'M'", "ss_sales_price BETWEEN 50 AND 150",
         "ca_state IN ('TX', 'OH', 'KY', 'NM')"],
    ),
    "half-an-hour": StarQuery(
        "s_store_name", "count(*)",
        ["store_sales", "household_demographics", "time_dim", "store"],
        ["ss_sold_time_sk = t_time_sk", "ss_hdemo_sk = hd_demo_sk", "ss_store_sk = s_store_sk"],
        ["t_hour = 20", "t_minute >= 30", "hd_dep_count = 7"],
        commas=True,
    ),
    "income-of-buyers": StarQuery(
        "ib_lower_bound, i_class", "count(*), sum(ss_net_paid)",
        ["store_sales", "household_demographics", "income_band", "date_dim", "item"],
        ["ss_hdemo_sk = hd_demo_sk", "hd_income_band_sk = ib_income_band_sk", "ss_sold_date_sk = d_date_sk",
         "ss_item_sk = i_item_sk"],
        ["ib_upper_bound <= 50000", "i_category = 'Music'", "d_year = 2002"],
        commas=True,
    ),
    "income-of-customers": StarQuery(
        "s_city, ca_county", "count(*), sum(ss_net_paid)",
        ["store_sales", "customer", "customer_address", "household_demographics", "income_band", "date_dim", "store"],
        ["ss_customer_sk = c_customer_sk", "c_current_addr_sk = ca_address_sk", "c_current_hdemo_sk = hd_demo_sk",
         "hd_income_band_sk = ib_income_band_sk", "ss_sold_date_sk = d_date_sk", "ss_store_sk = s_store_sk"],
        ["ib_lower_bound >= 150001", "d_year = 2001", "d_moy = 4", "ca_gmt_offset = -5"],
    ),
    "returned-and-bought-again": StarQuery(
        "i_item_id, s_state", "count(*), avg(ss_quantity), avg(sr_return_quantity), avg(cs_quantity)",
        ["store_sales", "store_returns", "catalog_sales", "date_dim d1", "date_dim d2", "date_dim d3", "store", "item"],
        ["d1.d_date_sk = ss_sold_date_sk", "i_item_sk = ss_item_sk", "s_store_sk = ss_store_sk",
         "ss_customer_sk = sr_customer_sk", "ss_item_sk = sr_item_sk", "ss_ticket_number = sr_ticket_number",
         "sr_returned_date_sk = d2.d_date_sk", "sr_customer_sk = cs_bill_customer_sk", "sr_item_sk = cs_item_sk",
         "cs_sold_date_sk = d3.d_date_sk"],
        ["d1.d_year = 2001", "d2.d_year = 2001", "d3.d_year IN (2001, 2002)"],
        commas=True,
    ),
    "profit-of-what-came-back": StarQuery(
        "i_item_id, i_item_desc", "sum(ss_net_profit), sum(sr_net_loss), sum(cs_net_profit)",
        ["store_sales", "store_returns", "catalog_sales", "date_dim d1", "date_dim d2", "date_dim d3", "store", "item"],
        ["d1.d_date_sk = ss_sold_date_sk", "i_item_sk = ss_item_sk", "s_store_sk = ss_store_sk",
         "ss_customer_sk = sr_customer_sk", "ss_item_sk = sr_item_sk", "ss_ticket_number = sr_ticket_number",
         "sr_returned_date_sk = d2.d_date_sk", "sr_customer_sk = cs_bill_customer_sk", "sr_item_sk = cs_item_sk",
         "cs_sold_date_sk = d3.d_date_sk"],
        ["d1.d_year = 2000", "d1.d_moy <= 6", "d2.d_year = 2000", "d3.d_year = 2000", "s_number_employees >= 200"],
    ),
    "couples-who-returned": StarQuery(
        "i_product_name, ca_city", "count(*), sum(ss_wholesale_cost)",
        ["store_sales", "store_returns", "customer", "customer_address", "customer_demographics cd1",
         "customer_demographics cd2", "household_demographics", "date_dim", "item"],
        ["ss_item_sk = sr_item_sk", "ss_ticket_number = sr_ticket_number", "ss_customer_sk = c_customer_sk",
         "ss_addr_sk = ca_address_sk", "ss_cdemo_sk = cd1.cd_demo_sk", "c_current_cdemo_sk = cd2.cd_demo_sk",
         "ss_hdemo_sk = hd_demo_sk", "ss_sold_date_sk = d_date_sk", "ss_item_sk = i_item_sk",
         "cd1.cd_marital_status <> cd2.cd_marital_status"],
        ["i_color IN ('purple', 'burlywood', 'indian', 'spring')", "i_current_price BETWEEN 10 AND 60", "d_year = 1999",
         "hd_dep_count < 8"],
        commas=True,
    ),
    "call-centers": StarQuery(
        "cc_name, i_category", "count(*), sum(cs_sales_price)",
        ["catalog_sales", "date_dim", "item", "call_center"],
        ["cs_sold_date_sk = d_date_sk", "cs_item_sk = i_item_sk", "cs_call_center_sk = cc_call_center_sk"],
        ["d_year = 1999", "d_qoy = 2", "i_class = 'pants'"],
        commas=True,
    ),
    "catalog-promotions": StarQuery(
        "i_item_id", "avg(cs_quantity), avg(cs_list_price), avg(cs_sales_price)",
        ["catalog_sales", "customer_demographics", "date_dim", "item", "promotion"],
        ["cs_sold_date_sk = d_date_sk", "cs_item_sk = i_item_sk", "cs_bill_cdemo_sk = cd_demo_sk",
         "cs_promo_sk = p_promo_sk"],
        ["cd_gender = 'F'", "cd_marital_status = 'W'", "cd_education_status = 'Primary'", "p_channel_event = 'N'",
         "d_year = 1998"],
    ),
    "days-until-shipped": StarQuery(
        "w_warehouse_sk, sm_type, cc_name", "count(*), sum(cs_ship_date_sk - cs_sold_date_sk)",
        ["catalog_sales", "warehouse", "ship_mode", "call_center", "date_dim"],
        ["cs_ship_date_sk = d_date_sk", "cs_warehouse_sk = w_warehouse_sk", "cs_ship_mode_sk = sm_ship_mode_sk",
         "cs_call_center_sk = cc_call_center_sk"],
        ["d_month_seq BETWEEN 1200 AND 1211", "sm_carrier = 'DHL'"],
        commas=True,
    ),
    "families-by-county": StarQuery(
        "ca_state, ca_county", "count(*), avg(cs_quantity), avg(c_birth_year), avg(cd1.cd_dep_count)",
        ["catalog_sales", "customer_demographics cd1", "customer_demographics cd2", "customer", "customer_address",
         "date_dim", "item"],
        ["cs_sold_date_sk = d_date_sk", "cs_item_sk = i_item_sk", "cs_bill_cdemo_sk = cd1.cd_demo_sk",
         "cs_bill_customer_sk = c_customer_sk", "c_current_cdemo_sk = cd2.cd_demo_sk", "c_current_addr_sk = ca_address_sk"],
        ["cd1.cd_gender = 'F'", "cd1.cd_education_status = 'Unknown'", "c_birth_month IN (1, 6, 8, 9)", "d_year = 1998",
         "ca_state IN ('MS', 'IN', 'ND', 'OK', 'NM', 'VA')"],
        commas=True,
    ),
    "sold-and-shipped": StarQuery(
        "d1.d_moy, d2.d_day_name", "count(*), sum(cs_ext_ship_cost)",
        ["catalog_sales", "date_dim d1", "date_dim d2"],
        ["cs_sold_date_sk = d1.d_date_sk", "cs_ship_date_sk = d2.d_date_sk"],
        ["d1.d_year = 2000", "d2.d_holiday = 'Y'"],
    ),
    "out-of-stock": StarQuery(
        "w_warehouse_sk, d1.d_week_seq", "count(*), count(DISTINCT i_item_sk)",
        ["catalog_sales", "inventory", "warehouse", "item", "customer_demographics", "household_demographics",
         "date_dim d1", "date_dim d2", "date_dim d3"],
        ["cs_item_sk = inv_item_sk", "w_warehouse_sk = inv_warehouse_sk", "i_item_sk = cs_item_sk",
         "cs_bill_cdemo_sk = cd_demo_sk", "cs_bill_hdemo_sk = hd_demo_sk", "cs_sold_date_sk = d1.d_date_sk",
         "inv_date_sk = d2.d_date_sk", "cs_ship_date_sk = d3.d_date_sk", "d1.d_week_seq = d2.d_week_seq",
         "inv_quantity_on_hand < cs_quantity", "d3.d_date > d1.d_date + 5"],
        ["hd_buy_potential = '1001-5000'", "d1.d_year = 2001", "cd_marital_status = 'M'"],
        commas=True,
    ),
    "losses-of-call-centers": StarQuery(
        "cc_call_center_id, cd_marital_status, cd_education_status", "sum(cr_net_loss)",
        ["call_center", "catalog_returns", "date_dim", "customer", "customer_address", "customer_demographics",
         "household_demographics"],
        ["cr_call_center_sk = cc_call_center_sk", "cr_returned_date_sk = d_date_sk",
         "cr_returning_customer_sk = c_customer_sk", "cd_demo_sk = c_current_cdemo_sk", "hd_demo_sk = c_current_hdemo_sk",
         "ca_address_sk = c_current_addr_sk"],
        ["d_year = 1998", "hd_buy_potential LIKE 'Unknown%'", "ca_gmt_offset = -7"],
    ),
    "web-sites": StarQuery(
        "web_name, i_category", "count(*), sum(ws_ext_discount_amt)",
        ["web_sales", "date_dim", "item", "web_site"],
        ["ws_sold_date_sk = d_date_sk", "ws_item_sk = i_item_sk", "ws_web_site_sk = web_site_sk"],
        ["i_manufact_id BETWEEN 100 AND 120", "d_date BETWEEN DATE '2000-01-27' AND DATE '2000-04-26'"],
        commas=True,
    ),
    "morning-on-the-web": StarQuery(
        "wp_web_page_id, d_year", "count(*)",
        ["web_sales", "time_dim", "household_demographics", "web_page", "date_dim"],
        ["ws_sold_time_sk = t_time_sk", "ws_ship_hdemo_sk = hd_demo_sk", "ws_web_page_sk = wp_web_page_sk",
         "ws_sold_date_sk = d_date_sk"],
        ["t_hour BETWEEN 8 AND 9", "hd_dep_count = 6", "wp_char_count BETWEEN 4000 AND 6000"],
    ),
    "reasons-of-web-returns": StarQuery(
        "r_reason_desc", "count(*), avg(ws_quantity), avg(wr_refunded_cash), avg(wr_fee)",
        ["web_sales", "web_returns", "web_page", "customer_demographics cd1", "customer_demographics cd2",
         "customer_address", "date_dim", "reason"],
        ["ws_web_page_sk = wp_web_page_sk", "ws_item_sk = wr_item_sk", "ws_order_number = wr_order_number",
         "ws_sold_date_sk = d_date_sk", "cd1.cd_demo_sk = wr_refunded_cdemo_sk", "cd2.cd_demo_sk = wr_returning_cdemo_sk",
         "ca_address_sk = wr_refunded_addr_sk", "r_reason_sk = wr_reason_sk",
         "cd1.cd_marital_status = cd2.cd_marital_status"],
        ["d_year = 2000", "ca_country = 'United States'", "ws_net_profit BETWEEN 50 AND 300"],
        commas=True,
    ),
    "shipped-from-the-web": StarQuery(
        "w_warehouse_sk, sm_type, web_name", "count(*)",
        ["web_sales", "warehouse", "ship_mode", "web_site", "date_dim"],
        ["ws_ship_date_sk = d_date_sk", "ws_warehouse_sk = w_warehouse_sk", "ws_ship_mode_sk = sm_ship_mode_sk",
         "ws_web_site_sk = web_site_sk"],
        ["d_month_seq BETWEEN 1200 AND 1211", "ws_ship_date_sk - ws_sold_date_sk > 60"],
        commas=True,
    ),
    "stock-of-warehouses": StarQuery(
        "w_warehouse_sk, i_item_id", "sum(inv_quantity_on_hand)",
        ["inventory", "warehouse", "item", "date_dim"],
        ["i_item_sk = inv_item_sk", "inv_warehouse_sk = w_warehouse_sk", "inv_date_sk = d_date_sk"],
        ["i_current_price BETWEEN 0.99 AND 1.49", "d_date BETWEEN DATE '2000-02-10' AND DATE '2000-04-10'"],
    ),
    "in-stock-and-sold": StarQuery(
        "i_item_id, i_current_price", "count(*)",
        ["item", "inventory", "date_dim", "catalog_sales"],
        ["inv_item_sk = i_item_sk", "d_date_sk = inv_date_sk", "cs_item_sk = i_item_sk"],
        ["i_current_price BETWEEN 68 AND 98", "d_date BETWEEN DATE '2000-02-01' AND DATE '2000-04-01'",
         "i_manufact_id IN (677, 940, 694, 808)", "inv_quantity_on_hand BETWEEN 100 AND 500"],
        commas=True,
    ),
    "stock-in-the-week-of-a-sale": StarQuery(
        "d1.d_week_seq", "count(*), sum(ss_quantity), sum(inv_quantity_on_hand)",
        ["store_sales", "date_dim d1", "date_dim d2", "inventory", "item"],
        ["ss_sold_date_sk = d1.d_date_sk", "d1.d_week_seq = d2.d_week_seq", "inv_date_sk = d2.d_date_sk",
         "ss_item_sk = inv_item_sk", "ss_item_sk = i_item_sk"],
        ["i_manufact_id = 200", "d1.d_year = 2000"],
    ),
    "with-what-was-returned": StarQuery(
        "s_store_name, i_category", "count(*), count(sr_item_sk), sum(sr_return_amt)",
        ["store_sales", "date_dim", "item", "store"],
        ["ss_sold_date_sk = d_date_sk", "ss_item_sk = i_item_sk", "ss_store_sk = s_store_sk"],
        ["d_year = 2001", "d_moy = 3", "i_manager_id < 20"],
        left={"store_returns": "sr_item_sk = ss_item_sk AND sr_ticket_number = ss_ticket_number"},
    ),
    "with-reasons-if-there-are": StarQuery(
        "web_name, r_reason_desc", "count(*), sum(wr_return_amt)",
        ["web_sales", "date_dim", "web_site", "item"],
        ["ws_sold_date_sk = d_date_sk", "ws_web_site_sk = web_site_sk", "ws_item_sk = i_item_sk"],
        ["d_year = 1999", "i_category = 'Books'"],
        left={"web_returns": "wr_item_sk = ws_item_sk AND wr_order_number = ws_order_number",
              "reason": "r_reason_sk = wr_reason_sk"},
        commas=True,
    ),
    "with-and-without-promotion": StarQuery(
        "w_warehouse_sk, i_category", "count(*), count(p_promo_sk), count(cr_order_number)",
        ["catalog_sales", "date_dim", "item", "warehouse"],
        ["cs_sold_date_sk = d_date_sk", "cs_item_sk = i_item_sk", "cs_warehouse_sk = w_warehouse_sk"],
        ["d_year = 1998", "d_dow = 0", "i_current_price > 20"],
        left={"promotion": "cs_promo_sk = p_promo_sk",
              "catalog_returns": "cr_item_sk = cs_item_sk AND cr_order_number = cs_order_number"},
    ),
    "never-returned": StarQuery(
        "cc_name, d_moy", "count(*), sum(cs_net_profit)",
        ["catalog_sales", "date_dim", "call_center", "item"],
        ["cs_sold_date_sk = d_date_sk", "cs_call_center_sk = cc_call_center_sk", "cs_item_sk = i_item_sk"],
        ["d_year = 2000", "cr_order_number IS NULL", "i_category = 'Jewelry'"],
        left={"catalog_returns": "cr_item_sk = cs_item_sk AND cr_order_number = cs_order_number"},
        commas=True,
    ),
    "what-is-known-of-customers": StarQuery(
        "ca_state, cd_education_status, ib_upper_bound", "count(*), count(hd_demo_sk)",
        ["customer", "customer_address"],
        ["c_current_addr_sk = ca_address_sk"],
        ["ca_gmt_offset = -8", "c_birth_year > 1970"],
        left={"household_demographics": "hd_demo_sk = c_current_hdemo_sk",
              "income_band": "ib_income_band_sk = hd_income_band_sk",
              "customer_demographics": "cd_demo_sk = c_current_cdemo_sk"},
    ),
    "customers-of-stores-and-the-web": StarQuery(
        "cd_gender, cd_marital_status, cd_education_status, cd_credit_rating", "count(*)",
        ["customer", "customer_address", "customer_demographics"],
        ["c_current_addr_sk = ca_address_sk", "cd_demo_sk = c_current_cdemo_sk"],
        ["ca_state IN ('GA', 'TX', 'IL')",
         "EXISTS (SELECT * FROM store_sales, date_dim WHERE c_customer_sk = ss_customer_sk AND ss_sold_date_sk = d_date_sk "
         "AND d_year = 2002)",
         "EXISTS (SELECT * FROM web_sales, date_dim WHERE c_customer_sk = ws_bill_customer_sk AND ws_sold_date_sk = d_date_sk "
         "AND d_year = 2002)"],
        commas=True,
    ),
    "also-sold-on-the-web": StarQuery(
        "s_store_name, i_brand", "count(*), sum(ss_net_paid)",
        ["store_sales", "date_dim", "store", "item"],
        ["ss_sold_date_sk = d_date_sk", "ss_store_sk = s_store_sk", "ss_item_sk = i_item_sk"],
        ["d_year = 1998", "i_manager_id = 10",
         "i_item_sk IN (SELECT ws_item_sk FROM web_sales WHERE ws_quantity > 95)"],
    ),
    "from-several-warehouses": StarQuery(
        "ca_state", "count(DISTINCT cs1.cs_order_number), sum(cs1.cs_ext_ship_cost), sum(cs1.cs_net_profit)",
        ["catalog_sales cs1", "date_dim", "customer_address", "call_center"],
        ["cs1.cs_ship_date_sk = d_date_sk", "cs1.cs_ship_addr_sk = ca_address_sk",
         "cs1.cs_call_center_sk = cc_call_center_sk"],
        ["d_date BETWEEN DATE '2002-02-01' AND DATE '2002-04-02'", "ca_state IN ('GA', 'VA')",
         "EXISTS (SELECT * FROM catalog_sales cs2 WHERE cs1.cs_order_number = cs2.cs_order_number "
         "AND cs1.cs_warehouse_sk <> cs2.cs_warehouse_sk)",
         "NOT EXISTS (SELECT * FROM catalog_returns WHERE cs1.cs_order_number = cr_order_number)"],
    ),
    "returns-of-some-weeks": StarQuery(
        "i_item_id, s_store_name", "count(*), sum(sr_return_quantity)",
        ["store_returns", "item", "date_dim", "store"],
        ["sr_item_sk = i_item_sk", "sr_returned_date_sk = d_date_sk", "sr_store_sk = s_store_sk"],
        ["d_week_seq IN (SELECT d_week_seq FROM date_dim WHERE d_date IN (DATE '2000-06-30', DATE '2000-09-27', "
         "DATE '2000-11-17'))"],
    ),
    "web-customers-of-stores": StarQuery(
        "ca_state, i_category", "count(*), sum(ws_net_paid)",
        ["web_sales", "date_dim", "customer", "customer_address", "item"],
        ["ws_sold_date_sk = d_date_sk", "ws_bill_customer_sk = c_customer_sk", "c_current_addr_sk = ca_address_sk",
         "ws_item_sk = i_item_sk"],
        ["d_year = 2001", "d_qoy = 1", "i_current_price > 50",
         "c_customer_sk IN (SELECT ss_customer_sk FROM store_sales, date_dim WHERE ss_sold_date_sk = d_date_sk "
         "AND d_year = 2001 AND d_qoy = 1)"],
        commas=True,
    ),
    "a-year-later": StarQuery(
        "s_store_id, d1.d_date", "count(*), sum(ss_sales_price)",
        ["store_sales", "date_dim d1", "date_dim d2", "store"],
        ["ss_sold_date_sk = d1.d_date_sk", "d1.d_same_day_ly = d2.d_date_sk", "ss_store_sk = s_store_sk"],
        ["d2.d_year = 1999", "d2.d_holiday = 'Y'"],
        commas=True,
    ),
    "dates-of-web-customers": StarQuery(
        "d1.d_moy, d2.d_day_name", "count(*), count(DISTINCT c_customer_sk), sum(ws_ext_sales_price)",
        ["web_sales", "date_dim d1", "date_dim d2", "date_dim d3", "customer", "item"],
        ["ws_sold_date_sk = d1.d_date_sk", "ws_ship_date_sk = d2.d_date_sk", "c_first_sales_date_sk = d3.d_date_sk",
         "ws_bill_customer_sk = c_customer_sk", "ws_item_sk = i_item_sk"],
        ["d1.d_year = 2002", "d3.d_year = 2000", "i_category IN ('Shoes', 'Men')", "d2.d_date > d1.d_date + 30"],
    ),
    "first-sales-of-customers": StarQuery(
        "d_year, cd_gender, ib_lower_bound", "count(*), min(ca_zip)",
        ["customer", "customer_address", "customer_demographics", "household_demographics", "income_band", "date_dim"],
        ["c_current_addr_sk = ca_address_sk", "c_current_cdemo_sk = cd_demo_sk", "c_current_hdemo_sk = hd_demo_sk",
         "hd_income_band_sk = ib_income_band_sk", "c_first_sales_date_sk = d_date_sk"],
        ["ca_city = 'Fairview'", "cd_purchase_estimate > 5000"],
        commas=True,
    ),
    "in-both-channels": StarQuery(
        "i_category, c_birth_country", "count(*), sum(ss_quantity), sum(ws_quantity)",
        ["store_sales", "web_sales", "date_dim d1", "date_dim d2", "item", "customer"],
        ["ss_item_sk = ws_item_sk", "ss_customer_sk = ws_bill_customer_sk", "ss_sold_date_sk = d1.d_date_sk",
         "ws_sold_date_sk = d2.d_date_sk", "ss_item_sk = i_item_sk", "ss_customer_sk = c_customer_sk"],
        ["d1.d_year = 2000", "d2.d_year = 2000", "i_current_price < 50"],
        commas=True,
    ),
}
