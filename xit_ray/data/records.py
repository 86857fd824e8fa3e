"""Records of any source to the Arrow table of a task's kind. Bad rows are errors; repairs the field makes are counted."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from xit_ray.data.formats import Record
from xit_ray.spec.errors import UserError
from xit_ray.tasks.base import Task
from xit_ray.tasks.kinds import Classification, MultipleChoice, SpanQA, Tagging
from xit_ray.tasks.scores.chunks import repaired

UNLABELLED = (None, "", "-", -1, "-1")
"""How datasets spell that a row has no label: a stripped test set, or annotators who could not agree."""

_TEXT, _INDEX = pa.string(), pa.int64()
_ANSWER = pa.list_(pa.struct([("text", _TEXT), ("start", _INDEX)]))
SCHEMAS: dict[str, dict[str, pa.DataType]] = {
    "classification": {"text_a": _TEXT, "text_b": _TEXT, "label": _INDEX},
    "multiple choice": {"text": _TEXT, "options": pa.list_(_TEXT), "label": _INDEX},
    "tagging": {"tokens": pa.list_(_TEXT), "tags": pa.list_(_INDEX)},
    "span QA": {"id": _TEXT, "question": _TEXT, "context": _TEXT, "answers": _ANSWER},
    "masked LM": {"text": _TEXT},
    "retrieval": {"text_a": _TEXT, "text_b": _TEXT},
    "mining": {"side": _TEXT, "text": _TEXT, "keys": pa.list_(_TEXT)},
    "ranking": {"side": _TEXT, "text": _TEXT, "keys": pa.list_(_TEXT)},
}
"""The one Arrow schema of each kind."""


def as_table(
    task: Task, records: Iterable[tuple[int, Record]], fields: Mapping[str, str | tuple[str, ...]], origin: str
) -> tuple[pa.Table, dict[str, int]]:
    """A kind's table.

    Args:
        task: says what labels there are.
        records: rows with their numbers.
        fields: our columns to the records' fields, as in ``tasks.base.Layout``.
        origin: file or repository, for messages.

    Returns:
        the table, and what was repaired or left out, counted.

    Raises:
        UserError: a row is bad.
    """
    schema = SCHEMAS[task.kind]
    columns: dict[str, list[Any]] = {name: [] for name in schema}
    notes: Counter[str] = Counter()
    for number, record in records:
        row = _Row(task, record, fields, f"{origin}: row {number}", notes)
        values = _ROWS[task.kind](row)
        if values is not None:
            for name, value in zip(schema, values, strict=True):
                columns[name].append(value)
    return pa.table(columns, schema=pa.schema(list(schema.items()))), {what: n for what, n in notes.items() if n}


def every(table: pa.Table, number: int, keep: bool) -> pa.Table:
    """One row in a number, drawn once for all, or the others; files often have their classes or documents in turns."""
    drawn = np.random.default_rng(0).permutation(table.num_rows)[: -(-table.num_rows // number)]
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[drawn] = True
    return table.filter(pa.array(chosen if keep else ~chosen))


class _Row:
    """One record while it becomes a row."""

    def __init__(
        self, task: Task, record: Record, fields: Mapping[str, str | tuple[str, ...]], where: str, notes: Counter[str]
    ) -> None:
        self.task, self.record, self.fields, self.where, self.notes = task, record, fields, where, notes

    def bad(self, problem: str) -> UserError:
        return UserError(f"{self.where} {problem}")

    def value(self, path: str) -> Any:
        """A field, or one inside it."""
        found: Any = self.record
        for part in path.split("."):
            if not isinstance(found, dict) or part not in found:
                raise self.bad(f"has no field {path!r}; found: {', '.join(self.record)}")
            found = found[part]
        return found

    def text(self, column: str) -> str:
        """A text; of several fields they are joined by a space."""
        names = self.fields.get(column, column)
        texts = [self.value(name) for name in ((names,) if isinstance(names, str) else names)]
        if isinstance(self.task, MultipleChoice) and self.task.prompts:
            if texts[-1] not in self.task.prompts:
                allowed = ", ".join(self.task.prompts)
                raise self.bad(f"has the {names[-1]} {texts[-1]!r}; allowed: {allowed}")
            texts[-1] = self.task.prompts[texts[-1]]
        texts = [" ".join(text) if isinstance(text, list) else text for text in texts]
        if not all(isinstance(text, str) for text in texts):
            raise self.bad(f"has {texts[0]!r} as {column}; wanted: a text")
        joined = " ".join(text for text in texts if text)
        self.notes["empty texts"] += not joined.strip()
        return joined

    def texts(self, column: str) -> list[str]:
        """A list of texts: one field that is a list, or several fields."""
        names = self.fields.get(column, column)
        found = self.value(names) if isinstance(names, str) else [self.value(name) for name in names]
        if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
            raise self.bad(f"has {found!r} as {column}; wanted: a list of texts")
        return found

    def label(self, column: str, names: tuple[str, ...], count: int) -> int | None:
        """The index of a label that is spelled out or counted from 0; None where the row has none."""
        value = self.value(str(self.fields.get(column, column))) if column in self._given() else None
        if value in UNLABELLED:
            return None
        if isinstance(value, str):  # some repositories write in capitals what the dataset's files do not
            close = next((name for name in names if name.lower() == value.lower()), None)
            if close is not None:
                return names.index(close)
        number = int(value) if isinstance(value, str) and value.isdigit() and not names else value
        if not isinstance(number, int) or not 0 <= number < count:
            allowed = ", ".join(names) if names else f"0 to {count - 1}"
            raise self.bad(f"has the label {value!r}; allowed: {allowed}")
        return int(number)

    def _given(self) -> set[str]:
        """Our columns whose field the record has."""
        return {
            name for name in SCHEMAS[self.task.kind] if str(self.fields.get(name, name)).split(".")[0] in self.record
        }

    def unlabelled(self) -> UserError:
        return self.bad("has no label; an unlabelled file cannot be trained on or scored")


def _classification(row: _Row) -> tuple[Any, ...] | None:
    task = row.task
    assert isinstance(task, Classification)
    label = row.label("label", task.labels, len(task.labels))
    if label is None:
        if not task.drop_unlabelled:
            raise row.unlabelled()
        row.notes["rows without a label left out"] += 1
        return None
    # A single text is a row without a second one; a pair's second text that is missing is an error.
    single = "text_b" not in row.fields and "text_b" not in row.record
    return row.text("text_a"), None if single else row.text("text_b"), label


def _multiple_choice(row: _Row) -> tuple[Any, ...]:
    assert isinstance(row.task, MultipleChoice)
    options = row.texts("options")
    if len(options) < 2:
        raise row.bad(f"has {len(options)} options; wanted: two or more")
    label = row.label("label", row.task.labels[: len(options)], len(options))
    if label is None:
        raise row.unlabelled()
    return row.text("text"), options, label


def _tagging(row: _Row) -> tuple[Any, ...] | None:
    task = row.task
    assert isinstance(task, Tagging)
    tokens = row.texts("tokens")
    if not tokens:
        row.notes["sentences without words left out"] += 1
        return None
    given = row.value(str(row.fields.get("tags", "tags")))
    if len(given) != len(tokens):
        raise row.bad(f"has {len(tokens)} tokens and {len(given)} tags")
    tags = []
    for tag in given:
        if isinstance(tag, str) and tag not in task.labels and task.others is not None:
            row.notes[f"rare tags read as {task.others}"] += 1
            tag = task.others
        known = task.labels.index(tag) if tag in task.labels else tag
        if not isinstance(known, int) or not 0 <= known < len(task.labels):
            raise row.bad(f"has the tag {tag!r}; allowed: {', '.join(task.labels[:20])}")
        tags.append(known)
    if task.entities:
        row.notes["entities that begin with I- read as beginning there"] += repaired([task.labels[i] for i in tags])
    return tokens, tags


def _span_qa(row: _Row) -> tuple[Any, ...]:
    task = row.task
    assert isinstance(task, SpanQA)
    name, question, context = (row.text(column) for column in ("id", "question", "context"))
    if "answers" not in row._given():
        raise row.bad("has no answers; an unlabelled file cannot be trained on or scored")
    given = row.value(str(row.fields.get("answers", "answers")))
    if isinstance(given, dict):  # the hub keeps them as lists
        given = [{"text": t, "start": s} for t, s in zip(given["text"], given["answer_start"], strict=True)]
    if any(not answer["text"] for answer in given):
        raise row.bad("has an answer without text; an unlabelled file cannot be trained on or scored")
    if not given and not task.unanswerable:
        raise row.bad("has no answer; allowed only in tasks with unanswerable questions")
    answers = [answer for answer in (_located(row, one, context) for one in given) if answer is not None]
    if given and not answers:
        raise row.bad(f"has the answer {given[0]['text']!r}, which is not in its context")
    return name, question, context, answers


def _located(row: _Row, answer: dict[str, Any], context: str) -> dict[str, Any] | None:
    """An answer where it is in its context: its place may be counted otherwise (CMRC, TyDiQA), or not be there at all."""
    text, start = answer["text"], answer["start"]
    if start >= 0 and context[start : start + len(text)] == text:
        return {"text": text, "start": start}
    places = [place for place in range(len(context)) if context.startswith(text, place)]
    if not places:
        row.notes["answers that are not in their context left out"] += 1
        return None
    row.notes["answers moved to where they are in their context"] += 1
    return {"text": text, "start": min(places, key=lambda place: abs(place - start))}


def _pool(row: _Row) -> tuple[Any, ...]:
    return row.record["side"], row.text("text"), row.record["keys"]


_ROWS: dict[str, Callable[[_Row], tuple[Any, ...] | None]] = {
    "classification": _classification,
    "multiple choice": _multiple_choice,
    "tagging": _tagging,
    "span QA": _span_qa,
    "masked LM": lambda row: (row.text("text"),),
    "retrieval": lambda row: (row.text("text_a"), row.text("text_b")),
    "mining": _pool,
    "ranking": _pool,
}
