"""Records of any source to the Arrow table of a task's kind. Bad rows are errors; repairs the field makes are counted."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from xit_ray.data.kinds import data_kind
from xit_ray.data.lines import Record
from xit_ray.data.row_reader import RowReader
from xit_ray.tasks.base import Fields, Task


def as_table(
    task: Task,
    records: Iterable[tuple[int, Record]],
    fields: Fields,
    origin: str,
    notes: Counter[str],
    spelled: tuple[str, ...] = (),
) -> pa.Table:
    """A kind's table.

    Args:
        task: says what labels there are.
        records: rows with their numbers.
        fields: our columns to the records' fields, as in ``tasks.base.Layout``.
        origin: file or repository, for messages.
        notes: where what is repaired or left out is counted.
        spelled: how this source spells the labels, where not as the task does.

    Raises:
        UserError: a row is bad.
    """
    kind = data_kind(task)
    columns: dict[str, list[Any]] = {name: [] for name in (*kind.schema, "item")}
    for place, (number, record) in enumerate(records):
        row = RowReader(task, record, fields, spelled, f"{origin}: row {number}", notes)
        values = kind.row(row, task)
        if values is not None:
            for name, value in zip(columns, (*values, row.item(place)), strict=True):
                columns[name].append(value)
    table = pa.table(columns, schema=pa.schema([*kind.schema.items(), ("item", pa.string())]))
    kind.check_table(table, origin)
    return table


def hold_out(table: pa.Table, number: int, keep: bool, about: str) -> pa.Table:
    """One row in a number, always the same ones, or the others; files often have their classes or documents in turns.

    Rows about one text (questions about a context, hypotheses about a premise, a sentence that occurs twice) are drawn
    together: dev rows about a text that was trained on tell little about texts that were not.

    Args:
        table: the rows.
        number: one row in so many is drawn.
        keep: whether the drawn rows are wanted, or the others.
        about: the column that holds what a row is about.
    """
    if not table.num_rows:
        return table
    groups = list(map(str, table.column(about).to_pylist()))
    names = list(dict.fromkeys(groups))
    drawn = {names[place] for place in _shuffled(len(names))[: -(-len(names) // number)]}
    return table.filter(pa.array([(group in drawn) == keep for group in groups]))


def subsample(table: pa.Table, examples: int | None) -> pa.Table:
    """The first rows of a fixed shuffle, all where no number is given; more rows have the fewer ones among them."""
    return table if examples is None else table.take(_shuffled(table.num_rows)[:examples])


def _shuffled(count: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(count)
