"""A tag for every word."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from xit_ray.data.encode import NO_LABEL, Encoded, Ids
from xit_ray.data.kinds.base import INDEX, TEXT, HeadData, Schema, label_shares
from xit_ray.data.lines import Record
from xit_ray.data.row_reader import RowReader
from xit_ray.data.tokenise import Tokenizer, encodings, from_encodings
from xit_ray.spec.errors import UserError
from xit_ray.tasks.kinds import Tagging
from xit_ray.tasks.scores.chunks import repaired

OTHER_TAG = "?"
"""Stands for tags that no training row has."""


class TaggingData(HeadData[Tagging]):
    schema: ClassVar[Schema] = {"tokens": pa.list_(TEXT), "tags": pa.list_(INDEX)}
    texts = ("tokens",)
    labels_from_rows = True

    def row(self, row: RowReader, task: Tagging) -> tuple[Any, ...] | None:
        tokens = row.texts("tokens")
        if not tokens:
            row.notes["sentences without words left out"] += 1
            return None
        given = row.optional("tags")
        if given is None:
            raise row.unlabelled()
        if not isinstance(given, list):
            raise row.bad(f"has {given!r} as tags; wanted: a list")
        if len(given) != len(tokens):
            raise row.bad(f"has {len(tokens)} tokens and {len(given)} tags")
        tags = [_index(row, task, tag) for tag in given]
        if task.entities:
            names = [task.labels[tag] for tag in tags]
            row.notes["entities that begin with I- read as beginning there"] += repaired(names)
        return tokens, tags

    def with_answer(self, task: Tagging, record: Record) -> Record:
        """A plain text is a sentence whose words are between spaces."""
        if "tokens" not in record and isinstance(record.get("text"), str):
            record = {**record, "tokens": record["text"].split()}
        tokens = record.get("tokens")
        return {**record, "tags": [0] * len(tokens)} if isinstance(tokens, list) else record

    def with_labels(self, task: Tagging, names: Iterable[str]) -> Tagging:
        """The task with the tags of its training rows, and a last one for any others."""
        known = set(names) - {OTHER_TAG}
        if any(tag.startswith("B-") for tag in known):
            raise UserError(
                f"{task.name}: its tags mark entities; name them under 'labels', by which entities are scored"
            )
        return replace(task, labels=(*sorted(known), OTHER_TAG), others=OTHER_TAG)

    def describe(self, task: Tagging, table: pa.Table) -> str:
        return label_shares(task.labels, (tag for row in table.column("tags").to_pylist() for tag in row))

    def tokenise(self, table: pa.Table, tokenizer: Tokenizer, max_length: int) -> Encoded:
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
        encoded = _words(tokenizer, pieces, truncation=True, max_length=max_length)
        labels = _labels(encoded, [tag for row in table.column("tags").to_pylist() for tag in row])
        return from_encodings(
            encoded, tokenizer, rows=np.asarray(rows), labels=labels, per="token", truncated=truncated
        )


def _index(row: RowReader, task: Tagging, tag: Any) -> int:
    if isinstance(tag, str) and tag not in task.labels and task.others is not None:
        row.notes[f"rare tags read as {task.others}"] += 1
        tag = task.others
    known = task.labels.index(tag) if tag in task.labels else tag
    if isinstance(known, bool) or not isinstance(known, int) or not 0 <= known < len(task.labels):
        raise row.bad(f"has the tag {tag!r}; allowed: {', '.join(task.labels[:20])}")
    return known


def _labels(encoded: list[Any], tags: list[int]) -> Ids:
    """The tag of each word at its first token, ``NO_LABEL`` at others."""
    left, labels = iter(tags), []
    for one in encoded:
        before = None
        for word in one.word_ids:
            labels.append(next(left) if word is not None and word != before else NO_LABEL)
            before = word
    assert next(left, None) is None, "a word is without a token"
    return np.asarray(labels)


def _word_sizes(sentences: list[list[str]], tokenizer: Tokenizer) -> list[Ids]:
    """Tokens of every word of every sentence."""
    encoded = _words(tokenizer, sentences, add_special_tokens=False)
    return [
        np.bincount([word for word in one.word_ids if word is not None], minlength=len(words))
        for one, words in zip(encoded, sentences, strict=True)
    ]


def _words(tokenizer: Tokenizer, sentences: list[list[str]], **options: Any) -> list[Any]:
    """Sentences that come as words. A byte-level tokenizer knows a word's beginning by the space before it."""
    if "ByteLevel" in repr(tokenizer.backend_tokenizer.pre_tokenizer):
        sentences = [[words[0], *(f" {word}" for word in words[1:])] if words else [] for words in sentences]
    return encodings(tokenizer, sentences, is_split_into_words=True, **options)
