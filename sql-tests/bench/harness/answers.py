"""Whether two engines answer the same. Types differ between engines: numbers are compared as numbers."""

import datetime
import decimal

# DuckDB divides decimals as doubles, and sums of doubles depend on the order.
RELATIVE = 1e-9
# PostgreSQL and we show quotients with as many digits as the types decide.
ABSOLUTE = 1e-9


def difference(ours, theirs, absolute=ABSOLUTE):
    """The first difference between two lists of rows in words, or None. Rows may come in any order."""
    def same_row(one, other):
        return len(one) == len(other) and all(same_value(*values, absolute) for values in zip(one, other))

    if len(ours) != len(theirs):
        return f"{len(ours)} rows, not {len(theirs)}"
    if all(map(same_row, ours, theirs)):
        return None
    for one, other in zip(sorted(ours, key=sort_key), sorted(theirs, key=sort_key)):
        if not same_row(one, other):
            return f"{one} is not {other}"
    return None


def same_value(one, other, absolute):
    if one is None or other is None:
        return one is other
    one, other = plain(one), plain(other)
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= max(absolute, RELATIVE * max(abs(one), abs(other)))
    return one == other


def plain(value):
    if isinstance(value, (int, float, decimal.Decimal)):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None).isoformat()
    # A truncated date is a timestamp for one, a date for another.
    if isinstance(value, datetime.date):
        return datetime.datetime.combine(value, datetime.time()).isoformat()
    return str(value)


def sort_key(row):
    # Texts first: numbers may differ in their last digits, and rows would then be paired wrongly.
    values = [plain(value) if value is not None else "" for value in row]
    return [value for value in values if isinstance(value, str)], [value for value in values if isinstance(value, float)]
