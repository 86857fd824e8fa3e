"""Rows to token ids, kept as one flat array so that a memory-mapped file serves as well as memory does."""

from __future__ import annotations

import functools
from collections.abc import Sequence
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
    """Token ids of some sequences, specials included, end to end."""

    tokens: npt.NDArray[np.int32]
    """Shape (tokens,)."""
    starts: Ids
    """Shape (sequences + 1,): where each sequence begins in ``tokens``, and where the last one ends."""
    types: npt.NDArray[np.int8] | None
    """Token types, shape (tokens,), for tokenizers that give them (BERT's)."""
    labels: Ids | None
    """Shape (sequences,); None for texts without a label."""
    truncated: int
    """How many sequences were longer than allowed and were cut."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @functools.cached_property
    def lengths(self) -> Ids:
        """Tokens of each sequence, shape (sequences,)."""
        return np.diff(self.starts)

    def places(self, rows: Ids) -> Ids:
        """Where the tokens of some sequences lie in ``tokens``, in the order of the rows."""
        lengths = self.lengths[rows]
        shift = self.starts[rows] - (np.cumsum(lengths) - lengths)
        places: Ids = np.repeat(shift, lengths) + np.arange(int(lengths.sum()))
        return places


def join(parts: Sequence[Encoded]) -> Encoded:
    """Several sets of sequences as one; labels and types are kept where every part has them."""
    labels = [part.labels for part in parts if part.labels is not None]
    types = [part.types for part in parts if part.types is not None]
    return Encoded(
        tokens=np.concatenate([part.tokens for part in parts]),
        starts=np.concatenate([[0], np.cumsum(np.concatenate([part.lengths for part in parts]))]),
        types=np.concatenate(types) if len(types) == len(parts) else None,
        labels=np.concatenate(labels) if len(labels) == len(parts) else None,
        truncated=sum(part.truncated for part in parts),
    )


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
    columns = {name: whole[name] for name in ("input_ids", "token_type_ids") if name in whole}
    long = [index for index, sequence in enumerate(columns["input_ids"]) if len(sequence) > max_length]
    if long:
        chosen = [[column[i] for i in long] for column in texts]
        cut = tokenizer(*chosen, truncation="longest_first", max_length=max_length, **options)
        for name, column in columns.items():
            for index, sequence in zip(long, cut[name], strict=True):
                column[index] = sequence
    return from_sequences(columns["input_ids"], columns.get("token_type_ids"), labels, len(long))


def from_sequences(
    ids: Sequence[Sequence[int] | Ids],
    types: Sequence[Sequence[int]] | None = None,
    labels: Ids | None = None,
    truncated: int = 0,
) -> Encoded:
    """Sequences given one by one."""
    return Encoded(
        tokens=np.concatenate([np.asarray(sequence, dtype=np.int32) for sequence in ids]),
        starts=np.concatenate([[0], np.cumsum([len(sequence) for sequence in ids])]),
        types=np.concatenate([np.asarray(sequence, dtype=np.int8) for sequence in types]) if types else None,
        labels=labels,
        truncated=truncated,
    )
