"""From a kind's Arrow table to token ids. Nothing is cut silently: what does not fit is split, or counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from xit_ray.data.encode import NO_LABEL, Encoded, Ids, from_sequences
from xit_ray.spec.errors import UserError
from xit_ray.tasks.base import Task
from xit_ray.tasks.kinds import Classification, MaskedLM, MultipleChoice, SpanQA, Tagging

if TYPE_CHECKING:  # importing transformers takes seconds, and planning needs only the types here
    from transformers import PreTrainedTokenizerBase

OVERLAP = 3
"""Windows of a long context share one token in this many (128 of 384, as in SQuAD's reference implementations)."""
LEAST_WINDOW = 32
"""Tokens of a window that hold a question, specials, and something of a context."""
LONGEST_QUESTION = 2
"""A question takes at most one token of a window in this many."""


def tokenise(task: Task, table: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Encoded:
    """The rows of a task of a kind that has a head.

    Args:
        task: says what the columns mean.
        table: with the kind's columns.
        tokenizer: a fast one; choices, tags and spans need to know which characters a token comes from.
        max_length: longest sequence, specials included.
    """
    makers: dict[type, Callable[..., Encoded]] = {
        Classification: _classification,
        MultipleChoice: _multiple_choice,
        Tagging: _tagging,
        SpanQA: _span_qa,
        MaskedLM: _masked_lm,
    }
    return makers[type(task)](table, tokenizer, max_length)


def encode_texts(texts: list[str], tokenizer: PreTrainedTokenizerBase, max_length: int) -> Encoded:
    """Single texts without labels; what is too long is cut at its end."""
    return _encode(tokenizer, texts, None, max_length)


def _classification(table: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Encoded:
    first, second = (table.column(name).to_pylist() for name in ("text_a", "text_b"))
    labels = table.column("label").to_numpy().astype(np.int64)
    if None not in second:
        return _encode(tokenizer, first, second, max_length, labels=labels)
    if any(text is not None for text in second):
        raise UserError("text_b: some rows have one and some have none; a task is about pairs or about single texts")
    return _encode(tokenizer, first, None, max_length, labels=labels)


def _multiple_choice(table: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Encoded:
    texts, options = table.column("text").to_pylist(), table.column("options").to_pylist()
    first = [text for text, row in zip(texts, options, strict=True) for _ in row]
    rows = np.append(0, np.cumsum([len(row) for row in options]))
    labels = table.column("label").to_numpy().astype(np.int64)
    return _encode(tokenizer, first, [text for row in options for text in row], max_length, rows=rows, labels=labels)


def _encode(
    tokenizer: PreTrainedTokenizerBase, first: list[str], second: list[str] | None, max_length: int, **values: Any
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


def _call(tokenizer: PreTrainedTokenizerBase, *texts: Any, **options: Any) -> dict[str, Any]:
    has_types = "token_type_ids" in tokenizer.model_input_names
    found = tokenizer(*texts, return_attention_mask=False, return_token_type_ids=has_types, verbose=False, **options)
    return {name: found[name] for name in ("input_ids", "token_type_ids") if name in found}


def _tagging(table: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Encoded:
    """Every word's tag is asked at its first token; a sentence that is too long becomes several sequences."""
    pieces: list[list[str]] = []
    rows, truncated = [0], 0
    sentences = table.column("tokens").to_pylist()
    for words, sizes in zip(sentences, _word_sizes(sentences, tokenizer), strict=True):
        # A word the tokenizer makes nothing of (a lone variation selector) still has a tag.
        words = [word if size else tokenizer.unk_token for word, size in zip(words, sizes, strict=True)]
        room = max_length - tokenizer.num_special_tokens_to_add()
        truncated += int(max(sizes) > room)
        begin = used = 0
        for end, size in enumerate(np.clip(sizes, 1, room).tolist()):
            if used + size > room:
                pieces.append(words[begin:end])
                begin, used = end, 0
            used += size
        pieces.append(words[begin:])
        rows.append(len(pieces))
    found = _words(tokenizer, pieces, truncation=True, max_length=max_length)
    tags = iter(tag for row in table.column("tags").to_pylist() for tag in row)
    labels = []
    for one in found:
        before = None
        for word in one.word_ids:
            labels.append(next(tags) if word is not None and word != before else NO_LABEL)
            before = word
    assert next(tags, None) is None, "a word is without a token"
    return _from_batch(
        found, tokenizer, rows=np.asarray(rows), labels=np.asarray(labels), per="token", truncated=truncated
    )


def _word_sizes(sentences: list[list[str]], tokenizer: PreTrainedTokenizerBase) -> list[Ids]:
    """Tokens of every word of every sentence."""
    found = _words(tokenizer, sentences, add_special_tokens=False)
    return [
        np.bincount([word for word in one.word_ids if word is not None], minlength=len(words))
        for one, words in zip(found, sentences, strict=True)
    ]


def _words(tokenizer: PreTrainedTokenizerBase, sentences: list[list[str]], **options: Any) -> list[Any]:
    """Sentences that come as words. A byte-level tokenizer knows a word's beginning by the space before it."""
    if "ByteLevel" in repr(tokenizer.backend_tokenizer.pre_tokenizer):
        sentences = [[words[0], *(f" {word}" for word in words[1:])] if words else [] for words in sentences]
    return _batch(tokenizer, sentences, is_split_into_words=True, **options)


def _span_qa(table: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Encoded:
    """A question with each window of its context; the answer is asked where it lies whole, else the first token. An answer
    that is whole in no window counts as cut."""
    if max_length < LEAST_WINDOW:
        raise UserError(f"model.max_length: found {max_length}; span QA needs {LEAST_WINDOW} or more")
    questions, truncated = _short_questions(table.column("question").to_pylist(), tokenizer, max_length)
    found = _batch(
        tokenizer,
        questions,
        table.column("context").to_pylist(),
        truncation="only_second",
        max_length=max_length,
        stride=max_length // OVERLAP,
        return_overflowing_tokens=True,
    )
    answers = table.column("answers").to_pylist()
    rows, windows, labels, offsets = [0], [], [], []
    for one, known in zip(found, answers, strict=True):
        for window in (one, *one.overflowing):
            context = np.asarray([side == 1 for side in window.sequence_ids])
            places = np.where(context[:, None], np.asarray(window.offsets, dtype=np.int32), np.int32(-1))
            windows.append(window)
            offsets.append(places)
            labels.append(_span(known[0], places) if known else (0, 0))
        truncated += bool(known) and not any(last for _, last in labels[rows[-1] :])
        rows.append(len(windows))
    return _from_batch(
        windows,
        tokenizer,
        rows=np.asarray(rows),
        labels=np.asarray(labels, dtype=np.int64),
        per="sequence",
        offsets=np.concatenate(offsets),
        truncated=truncated,
    )


def _span(answer: dict[str, Any], places: np.ndarray) -> tuple[int, int]:
    """First and last token of an answer in a window; both 0 where it does not lie whole in it."""
    begin, end = answer["start"], answer["start"] + len(answer["text"])
    inside = np.flatnonzero((places[:, 0] >= 0) & (places[:, 1] > begin) & (places[:, 0] < end))
    if not len(inside) or places[inside[0], 0] > begin or places[inside[-1], 1] < end:
        return 0, 0
    return int(inside[0]), int(inside[-1])


def _short_questions(texts: list[str], tokenizer: PreTrainedTokenizerBase, max_length: int) -> tuple[list[str], int]:
    """Questions that leave room for a context, and how many had to be cut for it."""
    most, truncated, questions = max_length // LONGEST_QUESTION, 0, []
    for text, one in zip(texts, _batch(tokenizer, texts, add_special_tokens=False), strict=True):
        truncated += len(one.ids) > most
        questions.append(text[: one.offsets[most - 1][1]] if len(one.ids) > most else text)
    return questions, truncated


def _masked_lm(table: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Encoded:
    """Texts in pieces that fit; which tokens are covered is drawn anew at every step (``core.masking``)."""
    if tokenizer.mask_token_id is None:
        raise UserError(f"model.name: {tokenizer.name_or_path!r} has no mask token, which masked LM needs")
    texts = table.column("text").to_pylist()
    found = _batch(tokenizer, texts, truncation=True, max_length=max_length, return_overflowing_tokens=True)
    pieces, rows = [], [0]
    for one in found:
        pieces += [one, *one.overflowing]
        rows.append(len(pieces))
    words = [-1 if word is None else word for one in pieces for word in one.word_ids]
    special = np.concatenate([one.special_tokens_mask for one in pieces]).astype(bool)
    covered = np.where(special, -1, np.asarray(words, dtype=np.int32)).astype(np.int32)
    return _from_batch(pieces, tokenizer, rows=np.asarray(rows), words=covered, mask=int(tokenizer.mask_token_id))


def _batch(tokenizer: PreTrainedTokenizerBase, *texts: Any, **options: Any) -> list[Any]:
    """What a fast tokenizer knows of each text: ids, words, characters, and what went over the longest length."""
    if not tokenizer.is_fast:
        raise UserError(f"model.name: {tokenizer.name_or_path!r} has no fast tokenizer, which this kind of task needs")
    found = tokenizer(*texts, verbose=False, **({"return_overflowing_tokens": False} | options))
    if not options.get("return_overflowing_tokens"):
        return list(found.encodings)
    # transformers flattens what the tokenizer gives; the first piece of each text still knows the others.
    samples = found["overflow_to_sample_mapping"]
    return [one for i, one in enumerate(found.encodings) if i == 0 or samples[i] != samples[i - 1]]


def _from_batch(found: list[Any], tokenizer: PreTrainedTokenizerBase, **values: Any) -> Encoded:
    has_types = "token_type_ids" in tokenizer.model_input_names
    return from_sequences(
        [one.ids for one in found], types=_types([one.type_ids for one in found]) if has_types else None, **values
    )


def _types(types: Sequence[Sequence[int]] | None) -> np.ndarray | None:
    return None if types is None else np.concatenate([np.asarray(one, dtype=np.int8) for one in types])
