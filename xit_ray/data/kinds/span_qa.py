"""The part of a context that answers a question."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from xit_ray.data.encode import Encoded
from xit_ray.data.kinds.base import INDEX, TEXT, HeadData, Schema
from xit_ray.data.lines import Record
from xit_ray.data.row_reader import RowReader
from xit_ray.data.tokenise import Tokenizer, encodings, from_encodings
from xit_ray.spec.errors import UnlabelledError, UserError
from xit_ray.tasks.kinds import SpanQA

OVERLAP = 3
"""Windows of a long context share one token in this many (128 of 384, as in SQuAD's reference implementations)."""
LEAST_WINDOW = 32
"""Tokens of a window that hold a question, specials, and something of a context."""
LONGEST_QUESTION = 2
"""A question takes at most one token of a window in this many."""


class SpanQAData(HeadData[SpanQA]):
    schema: ClassVar[Schema] = {
        "id": TEXT,
        "question": TEXT,
        "context": TEXT,
        "answers": pa.list_(pa.struct([("text", TEXT), ("start", INDEX)])),
    }
    texts = ("context", "question")

    def row(self, row: RowReader, task: SpanQA) -> tuple[Any, ...]:
        name, question, context = (row.text(column) for column in ("id", "question", "context"))
        given = _answers(row)
        if any(not text.strip() for text, _ in given):
            raise UnlabelledError(
                f"{row.where} has an answer without text; an unlabelled file cannot be trained on or scored"
            )
        if not given and not context.strip():
            raise row.bad("has a context without text")
        if not given and not task.unanswerable:
            raise row.bad("has no answer; allowed only in tasks with unanswerable questions")
        answers = [answer for answer in (_located(row, *one, context) for one in given) if answer is not None]
        if given and not answers:
            raise row.bad(f"has the answer {given[0][0]!r}, which is not in its context")
        return name, question, context, answers

    def with_answer(self, task: SpanQA, record: Record) -> Record:
        context = str(record.get("context", ""))
        answers = [{"text": word, "start": context.index(word)} for word in context.split()[:1]]
        return {"id": "", **record, "answers": answers}

    def describe(self, task: SpanQA, table: pa.Table) -> str:
        without = sum(not row for row in table.column("answers").to_pylist())
        return f"{without / table.num_rows:.0%} without answer" if without else ""

    def tokenise(self, table: pa.Table, tokenizer: Tokenizer, max_length: int) -> Encoded:
        """A question with each window of its context; the answer is asked where it lies whole, else the first token. An
        answer that is whole in no window counts as cut."""
        if max_length < LEAST_WINDOW:
            raise UserError(f"model.max_length: found {max_length}; span QA needs {LEAST_WINDOW} or more")
        questions, truncated = _short_questions(table.column("question").to_pylist(), tokenizer, max_length)
        pieces = encodings(
            tokenizer,
            questions,
            table.column("context").to_pylist(),
            truncation="only_second",
            max_length=max_length,
            stride=max_length // OVERLAP,
            return_overflowing_tokens=True,
        )
        rows, windows, labels, offsets = [0], [], [], []
        for one, answers in zip(pieces, table.column("answers").to_pylist(), strict=True):
            for window in (one, *one.overflowing):
                context = np.asarray([side == 1 for side in window.sequence_ids])
                places = np.where(context[:, None], np.asarray(window.offsets, dtype=np.int32), np.int32(-1))
                windows.append(window)
                offsets.append(places)
                labels.append(_span(answers[0], places) if answers else (0, 0))
            truncated += bool(answers) and not any(last for _, last in labels[rows[-1] :])
            rows.append(len(windows))
        return from_encodings(
            windows,
            tokenizer,
            rows=np.asarray(rows),
            labels=np.asarray(labels, dtype=np.int64),
            per="sequence",
            offsets=np.concatenate(offsets),
            truncated=truncated,
        )


def _answers(row: RowReader) -> list[tuple[str, int]]:
    """Texts and where they begin: a list of objects, or as on the hub an object of lists."""
    given = row.optional("answers")
    if given is None:
        raise row.unlabelled()
    try:
        if isinstance(given, dict):
            given = [{"text": t, "start": s} for t, s in zip(given["text"], given["answer_start"], strict=True)]
        answers = [(one["text"], one["start"] if "start" in one else one["answer_start"]) for one in given]
        if not all(isinstance(text, str) and isinstance(start, int) for text, start in answers):
            raise TypeError
    except (KeyError, TypeError, ValueError):
        raise row.bad(f"has {given!r} as answers; wanted: a list of objects with 'text' and 'start'") from None
    return answers


def _located(row: RowReader, text: str, start: int, context: str) -> dict[str, Any] | None:
    """An answer where it is in its context: its place may be counted otherwise (CMRC, TyDiQA), or not be there at all."""
    bare = text.strip()
    if bare != text:
        row.notes["answers with spaces around them"] += 1
        start, text = start + len(text) - len(text.lstrip()), bare
    if start >= 0 and context[start : start + len(text)] == text:
        return {"text": text, "start": start}
    places = [place for place in range(len(context)) if context.startswith(text, place)]
    if not places:
        row.notes["answers that are not in their context left out"] += 1
        return None
    row.notes["answers moved to where they are in their context"] += 1
    return {"text": text, "start": min(places, key=lambda place: abs(place - start))}


def _span(answer: dict[str, Any], places: np.ndarray) -> tuple[int, int]:
    """First and last token of an answer in a window; both 0 where it does not lie whole in it."""
    begin, end = answer["start"], answer["start"] + len(answer["text"])
    inside = np.flatnonzero((places[:, 0] >= 0) & (places[:, 1] > begin) & (places[:, 0] < end))
    if not len(inside) or places[inside[0], 0] > begin or places[inside[-1], 1] < end:
        return 0, 0
    return int(inside[0]), int(inside[-1])


def _short_questions(texts: list[str], tokenizer: Tokenizer, max_length: int) -> tuple[list[str], int]:
    """Questions that leave room for a context, and how many had to be cut for it."""
    most, truncated, questions = max_length // LONGEST_QUESTION, 0, []
    for text, one in zip(texts, encodings(tokenizer, texts, add_special_tokens=False), strict=True):
        truncated += len(one.ids) > most
        questions.append(text[: one.offsets[most - 1][1]] if len(one.ids) > most else text)
    return questions, truncated
