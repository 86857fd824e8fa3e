"""The right one of some options."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from xit_ray.data.encode import Encoded
from xit_ray.data.kinds.base import INDEX, TEXT, HeadData, Schema, label_shares
from xit_ray.data.row_reader import RowReader
from xit_ray.data.tokenise import Tokenizer, encode_sequences
from xit_ray.tasks.kinds import MultipleChoice


class MultipleChoiceData(HeadData[MultipleChoice]):
    schema: ClassVar[Schema] = {"text": TEXT, "options": pa.list_(TEXT), "label": INDEX}
    texts = ("text", "options")

    def row(self, row: RowReader, task: MultipleChoice) -> tuple[Any, ...]:
        options = row.texts("options")
        if len(options) < 2:
            raise row.bad(f"has {len(options)} options; wanted: two or more")
        label = row.label((row.spelled or task.labels)[: len(options)], len(options))
        if label is None:
            raise row.unlabelled()
        return row.text("text", task.prompts), options, label

    def describe(self, task: MultipleChoice, table: pa.Table) -> str:
        return label_shares(task.labels, table.column("label").to_pylist())

    def tokenise(self, table: pa.Table, tokenizer: Tokenizer, max_length: int) -> Encoded:
        """Every option is a sequence of its own, after the text."""
        texts, options = table.column("text").to_pylist(), table.column("options").to_pylist()
        first = [text for text, row in zip(texts, options, strict=True) for _ in row]
        second = [text for row in options for text in row]
        rows = np.append(0, np.cumsum([len(row) for row in options]))
        labels = table.column("label").to_numpy().astype(np.int64)
        return encode_sequences(tokenizer, first, second, max_length, rows=rows, labels=labels)
