"""One label for a text or a pair of texts."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from xit_ray.data.encode import Encoded
from xit_ray.data.kinds.base import INDEX, TEXT, HeadData, Schema, label_shares, pair_columns
from xit_ray.data.row_reader import RowReader
from xit_ray.data.tokenise import Tokenizer, encode_pairs
from xit_ray.tasks.kinds import Classification


class ClassificationData(HeadData[Classification]):
    schema: ClassVar[Schema] = {"text_a": TEXT, "text_b": TEXT, "label": INDEX}
    texts = ("text_a", "text_b")

    def row(self, row: RowReader, task: Classification) -> tuple[Any, ...] | None:
        label = row.label(row.spelled or task.labels, len(task.labels))
        if label is None:
            if not task.drop_unlabelled:
                raise row.unlabelled()
            row.notes["rows without a label left out"] += 1
            return None
        return *row.pair(), label

    def check_table(self, table: pa.Table, origin: str) -> None:
        pair_columns(table, origin)

    def describe(self, task: Classification, table: pa.Table) -> str:
        return label_shares(task.labels, table.column("label").to_pylist())

    def tokenise(self, table: pa.Table, tokenizer: Tokenizer, max_length: int) -> Encoded:
        labels = table.column("label").to_numpy().astype(np.int64)
        return encode_pairs(table, tokenizer, max_length, labels=labels)
