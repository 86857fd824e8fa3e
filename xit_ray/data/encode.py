"""Rows to token ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:  # importing transformers takes seconds, and planning needs only the types here
    from transformers import PreTrainedTokenizerBase

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Encoded:
    """Token ids of some sequences, specials included."""

    ids: list[Ids]
    """One array a sequence, shape (tokens,)."""
    types: list[Ids] | None
    """Token types of the same shapes, for tokenizers that give them (BERT's)."""
    labels: Ids | None
    """Shape (sequences,); None for texts without a label."""
    truncated: int
    """How many sequences were longer than allowed and were cut."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> Ids:
        """Tokens of each sequence, shape (sequences,)."""
        return np.fromiter((len(ids) for ids in self.ids), dtype=np.int64, count=len(self.ids))


def encode_pairs(table: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Encoded:
    """Pairs with labels: each pair one sequence, joined as the tokenizer's own template says."""
    texts = table.column("text_a").to_pylist(), table.column("text_b").to_pylist()
    return _encode(tokenizer, texts, max_length, table.column("label").to_numpy().astype(np.int64))


def encode_texts(texts: list[str], tokenizer: PreTrainedTokenizerBase, max_length: int) -> Encoded:
    """Single texts without labels."""
    return _encode(tokenizer, (texts,), max_length, None)


def _encode(
    tokenizer: PreTrainedTokenizerBase, texts: tuple[list[str], ...], max_length: int, labels: Ids | None
) -> Encoded:
    has_types = "token_type_ids" in tokenizer.model_input_names
    options = {"return_attention_mask": False, "return_token_type_ids": has_types, "verbose": False}
    whole = tokenizer(*texts, truncation=False, **options)
    columns = {name: _arrays(whole[name]) for name in ("input_ids", "token_type_ids") if name in whole}
    long = [index for index, sequence in enumerate(columns["input_ids"]) if len(sequence) > max_length]
    if long:
        chosen = [[column[i] for i in long] for column in texts]
        cut = tokenizer(*chosen, truncation="longest_first", max_length=max_length, **options)
        for name, column in columns.items():
            for index, sequence in zip(long, _arrays(cut[name]), strict=True):
                column[index] = sequence
    return Encoded(columns["input_ids"], columns.get("token_type_ids"), labels, len(long))


def _arrays(sequences: list[list[int]]) -> list[Ids]:
    return [np.asarray(sequence, dtype=np.int64) for sequence in sequences]
