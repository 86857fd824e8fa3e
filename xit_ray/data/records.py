"""Records of any source to the Arrow table of a task's kind. Bad rows are errors; repairs the field makes are counted."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xit_ray.data.kinds import data_kind
from xit_ray.data.lines import Record
from xit_ray.data.row_reader import RowReader
from xit_ray.tasks.base import Fields, Task

PORTION = 20_000
"""Rows that are in memory as Python objects at a time."""


def schema_of(task: Task) -> pa.Schema:
    """The kind's columns, and ``item``."""
    return pa.schema([*data_kind(task).schema.items(), ("item", pa.string())])


def as_batches(
    task: Task,
    records: Iterable[tuple[int, Record]],
    fields: Fields,
    origin: str,
    notes: Counter[str],
    spelled: tuple[str, ...] = (),
) -> Iterator[pa.RecordBatch]:
    """A kind's rows, in portions.

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
    kind, schema = data_kind(task), schema_of(task)
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for place, (number, record) in enumerate(records):
        row = RowReader(task, record, fields, spelled, f"{origin}: row {number}", notes)
        values = kind.row(row, task)
        if values is not None:
            for name, value in zip(columns, (*values, row.item(place)), strict=True):
                columns[name].append(value)
            if len(columns["item"]) == PORTION:
                yield pa.record_batch(columns, schema=schema)
                columns = {name: [] for name in schema.names}
    if columns["item"]:
        yield pa.record_batch(columns, schema=schema)


def as_table(
    task: Task,
    records: Iterable[tuple[int, Record]],
    fields: Fields,
    origin: str,
    notes: Counter[str],
    spelled: tuple[str, ...] = (),
) -> pa.Table:
    """A kind's table; arguments and errors as of ``as_batches``."""
    batches = as_batches(task, records, fields, origin, notes, spelled)
    table = pa.Table.from_batches(list(batches), schema=schema_of(task))
    data_kind(task).check_table(table, origin)
    return table


def held_out(table: pa.Table, number: int, about: str) -> npt.NDArray[np.bool_]:
    """Which rows are held out: one in a number, always the same ones; files often have their classes or documents in turns.

    Rows about one text (questions about a context, hypotheses about a premise, a sentence that occurs twice) are drawn
    together: dev rows about a text that was trained on tell little about texts that were not.

    Args:
        table: the rows.
        number: one row in so many is drawn.
        about: the column that holds what a row is about.

    Returns:
        shape (rows,).
    """
    if not table.num_rows:
        return np.zeros(0, dtype=bool)
    column = table.column(about)
    if not pa.types.is_string(column.type):
        column = pa.chunked_array([pa.array(map(str, column.to_pylist()), pa.string())])
    groups = column.dictionary_encode()  # numbered by first occurrence, in all chunks alike
    count = len(groups.chunk(groups.num_chunks - 1).dictionary)
    drawn = np.zeros(count, dtype=bool)
    drawn[_shuffled(count)[: -(-count // number)]] = True
    return np.concatenate([drawn[chunk.indices.to_numpy()] for chunk in groups.chunks])


def hold_out(table: pa.Table, number: int, keep: bool, about: str) -> pa.Table:
    """The rows that are held out, or the others.

    Args:
        table, number, about: as for ``held_out``.
        keep: whether those that are held out are wanted.
    """
    return table.filter(pa.array(held_out(table, number, about) == keep))


def subsample(table: pa.Table, examples: int | None) -> pa.Table:
    """The first rows of a fixed shuffle, all where no number is given; more rows have the fewer ones among them."""
    return table if examples is None else table.take(_shuffled(table.num_rows)[:examples])


def distinct_texts(table: pa.Table, columns: Iterable[str]) -> pa.Table:
    """Every different text of some columns, as rows of a ``text`` each: words of a sentence joined, options apart."""
    parts = []
    for name in columns:
        column = table.column(name).combine_chunks()
        if pa.types.is_list(column.type):
            column = pc.binary_join(column, " ") if name == "tokens" else column.flatten()
        parts.append(column.drop_null())
    texts = pc.unique(pa.chunked_array(parts))
    return pa.table({"text": texts.filter(pc.greater(pc.binary_length(texts), 0))})


def _shuffled(count: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(count)
