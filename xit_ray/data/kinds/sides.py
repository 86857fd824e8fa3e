"""Rows of two sides, those that search and those that are searched, with the keys that say which belong together."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from xit_ray.data.kinds.base import TEXT, Corpus
from xit_ray.data.row_reader import RowReader

SCHEMA = {"side": TEXT, "text": TEXT, "keys": pa.list_(TEXT)}
SIDES = {"a": "a", "b": "b", "query": "a", "candidate": "b"}
"""How files say whether a row searches (``a``) or is searched (``b``)."""


def read(row: RowReader) -> tuple[Any, ...]:
    """The values of ``SCHEMA``."""
    side, keys = row.value(str(row.fields.get("side", "side"))), row.texts("keys")
    if side not in SIDES:
        raise row.bad(f"has the side {side!r}; allowed: query, candidate")
    return SIDES[side], row.text("text"), keys


def side_of(table: pa.Table, side: str) -> pa.Table:
    """The rows of one side."""
    return table.filter(pc.equal(table.column("side"), side))


def corpus_of(table: pa.Table, side: str) -> Corpus:
    """The texts of one side, and their keys."""
    rows = side_of(table, side)
    return rows.column("text").to_pylist(), rows.column("keys").to_pylist()
