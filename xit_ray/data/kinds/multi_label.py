"""Any number of labels for a text or a pair of texts."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from xit_ray.data.encode import Encoded
from xit_ray.data.kinds.base import INDEX, TEXT, HeadData, Schema, label_shares, pair_columns
from xit_ray.data.lines import Record
from xit_ray.data.row_reader import RowReader
from xit_ray.data.tokenise import Tokenizer, encode_pairs
from xit_ray.tasks.kinds import MultiLabel


class MultiLabelData(HeadData[MultiLabel]):
    schema: ClassVar[Schema] = {"text_a": TEXT, "text_b": TEXT, "labels": pa.list_(INDEX)}
    texts = ("text_a", "text_b")

    def row(self, row: RowReader, task: MultiLabel) -> tuple[Any, ...]:
        """Labels are a list of names or numbers, or one column for each label with 0 or 1."""
        field = row.fields.get("labels", "labels")
        given = _by_column(row, task, field) if isinstance(field, tuple) else row.optional("labels")
        if given is None:
            raise row.unlabelled()
        if not isinstance(given, list):
            raise row.bad(f"has {given!r} as labels; wanted: a list")
        names = row.spelled or task.labels
        labels = sorted({row.index(value, names, len(task.labels)) for value in given})
        return *row.pair(), labels

    def with_answer(self, task: MultiLabel, record: Record) -> Record:
        return {**record, "labels": []}

    def check_table(self, table: pa.Table, origin: str) -> None:
        pair_columns(table, origin)

    def describe(self, task: MultiLabel, table: pa.Table) -> str:
        return label_shares(task.labels, (label for row in table.column("labels").to_pylist() for label in row))

    def tokenise(self, table: pa.Table, tokenizer: Tokenizer, max_length: int) -> Encoded:
        """The labels of a row are the bits of one number."""
        rows = table.column("labels").to_pylist()
        bits = np.asarray([sum(1 << label for label in row) for row in rows], dtype=np.int64)
        return encode_pairs(table, tokenizer, max_length, labels=bits)


def _by_column(row: RowReader, task: MultiLabel, columns: tuple[str, ...]) -> list[int] | None:
    """The labels whose columns say 1, in the task's order of labels."""
    if len(columns) != len(task.labels):
        raise row.bad(f"has {len(columns)} columns of labels; {task.name} has {len(task.labels)} labels")
    values = [row.value(column) for column in columns]
    if any(value is None for value in values):
        return None
    bad = next((value for value in values if value not in (0, 1, "0", "1")), None)
    if bad is not None:
        raise row.bad(f"has {bad!r} in a column of a label; allowed: 0, 1")
    return [number for number, value in enumerate(values) if str(int(value)) == "1"]
