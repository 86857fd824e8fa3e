"""Texts, some of whose words will be covered."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from xit_ray.data.encode import Encoded
from xit_ray.data.kinds.base import TEXT, HeadData, Schema
from xit_ray.data.row_reader import RowReader
from xit_ray.data.tokenise import Tokenizer, encodings, from_encodings
from xit_ray.spec.errors import UserError
from xit_ray.tasks.kinds import MaskedLM


class MaskedLMData(HeadData[MaskedLM]):
    schema: ClassVar[Schema] = {"text": TEXT}
    texts = ("text",)

    def row(self, row: RowReader, task: MaskedLM) -> tuple[Any, ...]:
        return (row.text("text"),)

    def tokenise(self, table: pa.Table, tokenizer: Tokenizer, max_length: int) -> Encoded:
        """Texts in pieces that fit; which tokens are covered is drawn anew at every step (``core.masking``)."""
        if tokenizer.mask_token_id is None:
            raise UserError(f"model.name: {tokenizer.name_or_path!r} has no mask token, which masked LM needs")
        options: dict[str, Any] = {"truncation": True, "max_length": max_length, "return_overflowing_tokens": True}
        pieces, rows = [], [0]
        for one in encodings(tokenizer, table.column("text").to_pylist(), **options):
            pieces += [one, *one.overflowing]
            rows.append(len(pieces))
        words = [-1 if word is None else word for one in pieces for word in one.word_ids]
        special = np.concatenate([one.special_tokens_mask for one in pieces]).astype(bool)
        covered = np.where(special, -1, np.asarray(words, dtype=np.int32)).astype(np.int32)
        return from_encodings(
            pieces, tokenizer, rows=np.asarray(rows), words=covered, mask=int(tokenizer.mask_token_id)
        )

    def prepared(self, task: MaskedLM, encoded: Encoded) -> Encoded:
        """Whether words are covered as a whole is the task's, and changes no token."""
        return replace(encoded, whole_words=task.whole_words)
