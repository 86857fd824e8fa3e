"""A number for a text or a pair of texts."""

import math
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from xit_ray.data.encode import Encoded
from xit_ray.data.kinds.base import NUMBER, TEXT, HeadData, Schema, pair_columns
from xit_ray.data.lines import Record
from xit_ray.data.row_reader import UNLABELLED, RowReader
from xit_ray.data.tokenise import Tokenizer, encode_pairs
from xit_ray.tasks.kinds import Regression


class RegressionData(HeadData[Regression]):
    schema: ClassVar[Schema] = {"text_a": TEXT, "text_b": TEXT, "label": NUMBER}
    texts = ("text_a", "text_b")

    def row(self, row: RowReader, task: Regression) -> tuple[Any, ...]:
        value = row.optional("label")
        # -1 marks stripped labels only where it is no number of the range.
        if value in (None, "", "-") or (value in UNLABELLED and not task.low <= -1):
            raise row.unlabelled()
        return *row.pair(), _number(row, task, value)

    def with_answer(self, task: Regression, record: Record) -> Record:
        return {**record, "label": task.low}

    def check_table(self, table: pa.Table, origin: str) -> None:
        pair_columns(table, origin)

    def describe(self, task: Regression, table: pa.Table) -> str:
        values = table.column("label").to_numpy()
        return f"mean {values.mean():.2f}, {values.min():g} to {values.max():g}" if len(values) else ""

    def tokenise(self, table: pa.Table, tokenizer: Tokenizer, max_length: int) -> Encoded:
        labels = table.column("label").to_numpy().astype(np.float64)
        return encode_pairs(table, tokenizer, max_length, labels=labels)

    def prepared(self, task: Regression, encoded: Encoded) -> Encoded:
        """Labels as shares of the task's range."""
        assert encoded.labels is not None
        return replace(encoded, labels=(encoded.labels - task.low) / (task.high - task.low))


def _number(row: RowReader, task: Regression, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not task.low <= number <= task.high:
        raise row.bad(f"has the label {value!r}; allowed: a number from {task.low:g} to {task.high:g}")
    return number
