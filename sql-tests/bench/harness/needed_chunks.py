"""What a query cannot do without: the column chunks of the row groups that may have rows for it, by the files' footers."""

from dataclasses import dataclass

import pyarrow.parquet


@dataclass
class Needed:
    """Bytes of column chunks, and the files that have them."""

    bytes: int = 0
    files: int = 0
    row_groups: int = 0


def needed(paths, columns, equal=None):
    """Sums the chunks of these columns; `equal`, a column and a value, leaves out the row groups whose statistics exclude it."""
    found = Needed()
    for path in paths:
        footer = pyarrow.parquet.read_metadata(path)
        groups = [group for group in map(footer.row_group, range(footer.num_row_groups)) if may_have(group, equal)]
        found.files += bool(groups)
        found.row_groups += len(groups)
        found.bytes += sum(chunk.total_compressed_size for group in groups for chunk in chunks(group, columns))
    return found


def may_have(group, equal):
    if not equal:
        return True
    column, value = equal
    (chunk,) = chunks(group, [column])
    statistics = chunk.statistics
    return not (statistics and statistics.has_min_max) or statistics.min <= value <= statistics.max


def chunks(group, columns):
    return [chunk for chunk in map(group.column, range(group.num_columns)) if chunk.path_in_schema in columns]
