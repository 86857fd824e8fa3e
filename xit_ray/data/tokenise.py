"""What the kinds share when they turn rows into token ids. Nothing is cut silently: what does not fit is counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from xit_ray.data.encode import Encoded, from_sequences
from xit_ray.spec.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Tokenizer: TypeAlias = "PreTrainedTokenizerBase"
"""A fast tokenizer. Importing transformers takes seconds, and only the type is needed here."""


def encode_texts(texts: list[str], tokenizer: Tokenizer, max_length: int) -> Encoded:
    """Single texts without labels; what is too long is cut at its end."""
    return encode_sequences(tokenizer, texts, None, max_length)


def encode_pairs(table: pa.Table, tokenizer: Tokenizer, max_length: int, **values: Any) -> Encoded:
    """Rows of ``text_a`` and ``text_b``, or of ``text_a`` alone where there is no second text; values as in ``Encoded``."""
    second = table.column("text_b")
    if 0 < second.null_count < len(second):
        raise UserError("text_b: some rows have one and some have none; a task is about pairs or about single texts")
    texts = None if second.null_count else second.to_pylist()
    return encode_sequences(tokenizer, table.column("text_a").to_pylist(), texts, max_length, **values)


def encode_sequences(
    tokenizer: Tokenizer, first: list[str], second: list[str] | None, max_length: int, **values: Any
) -> Encoded:
    """Texts or pairs, each one sequence, joined as the tokenizer's own template says; the longer side is cut."""
    texts = (first,) if second is None else (first, second)
    whole = _call(tokenizer, *texts, truncation=False)
    long = np.asarray([i for i, one in enumerate(whole["input_ids"]) if len(one) > max_length], dtype=np.int64)
    if len(long):
        chosen = [[column[i] for i in long] for column in texts]
        cut = _call(tokenizer, *chosen, truncation="longest_first", max_length=max_length)
        for name in whole:
            for index, sequence in zip(long, cut[name], strict=True):
                whole[name][index] = sequence
    rows = values.pop("rows", np.arange(len(first) + 1))
    truncated = len(np.unique(np.searchsorted(rows, long, side="right")))
    return from_sequences(
        whole["input_ids"], types=_types(whole.get("token_type_ids")), rows=rows, truncated=truncated, **values
    )


def encodings(tokenizer: Tokenizer, *texts: Any, **options: Any) -> list[Any]:
    """What a fast tokenizer knows of each text: ids, words, characters, and what went over the longest length.

    Raises:
        UserError: the tokenizer is not a fast one.
    """
    if not tokenizer.is_fast:
        raise UserError(f"model.name: {tokenizer.name_or_path!r} has no fast tokenizer, which this kind of task needs")
    batch = tokenizer(*texts, verbose=False, **({"return_overflowing_tokens": False} | options))
    if not options.get("return_overflowing_tokens"):
        return list(batch.encodings)
    # transformers flattens what the tokenizer gives; the first piece of each text still knows the others.
    samples = batch["overflow_to_sample_mapping"]
    return [one for i, one in enumerate(batch.encodings) if i == 0 or samples[i] != samples[i - 1]]


def from_encodings(pieces: list[Any], tokenizer: Tokenizer, **values: Any) -> Encoded:
    """Rows of what ``encodings`` gave; the other values as in ``Encoded``."""
    has_types = "token_type_ids" in tokenizer.model_input_names
    types = _types([one.type_ids for one in pieces]) if has_types else None
    return from_sequences([one.ids for one in pieces], types=types, **values)


def _call(tokenizer: Tokenizer, *texts: Any, **options: Any) -> dict[str, Any]:
    has_types = "token_type_ids" in tokenizer.model_input_names
    batch = tokenizer(*texts, return_attention_mask=False, return_token_type_ids=has_types, verbose=False, **options)
    return {name: batch[name] for name in ("input_ids", "token_type_ids") if name in batch}


def _types(types: Sequence[Sequence[int]] | None) -> np.ndarray | None:
    return None if types is None else np.concatenate([np.asarray(one, dtype=np.int8) for one in types])
