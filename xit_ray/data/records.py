"""Records of any source to the Arrow table of a task's kind. Bad rows are errors; repairs the field makes are counted."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from xit_ray.data.lines import Record
from xit_ray.spec.errors import UnlabelledError, UserError
from xit_ray.tasks.base import Fields, Task
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
"""The one Arrow schema of each kind; tables that were read also have ``item``, which names the row's item."""
ABOUT = ("context", "text_a", "text", "tokens")
"""Columns that hold what a row is about, the first that a kind has."""


def as_table(
    task: Task,
    records: Iterable[tuple[int, Record]],
    fields: Fields,
    origin: str,
    notes: Counter[str],
    spelled: tuple[str, ...] = (),
) -> pa.Table:
    """A kind's table.

    Args:
        task: says what labels there are.
        records: rows with their numbers.
        fields: our columns to the records' fields, as in ``tasks.base.Layout``.
        origin: file or repository, for messages.
        notes: where what is repaired or left out is counted.
        spelled: how this source spells the labels, where not as the task does.

    Raises:
        UserError: a row is bad.
    """
    schema = SCHEMAS[task.kind]
    columns: dict[str, list[Any]] = {name: [] for name in (*schema, "item")}
    for place, (number, record) in enumerate(records):
        row = _Row(task, record, fields, spelled, f"{origin}: row {number}", notes)
        values = _ROWS[task.kind](row)
        if values is not None:
            for name, value in zip(columns, (*values, row.item(place)), strict=True):
                columns[name].append(value)
    second = columns.get("text_b", [])
    if None in second and any(text is not None for text in second):
        raise UserError(f"{origin}: row {second.index(None) + 1} has no text_b, which other rows have")
    return pa.table(columns, schema=pa.schema([*schema.items(), ("item", _TEXT)]))


def every(table: pa.Table, number: int, keep: bool) -> pa.Table:
    """One row in a number, drawn once for all, or the others; files often have their classes or documents in turns.

    Rows about one text (questions about a context, hypotheses about a premise, a sentence that occurs twice) are drawn
    together: dev rows about a text that was trained on tell little about texts that were not.
    """
    if not table.num_rows:
        return table
    about = next((name for name in ABOUT if name in table.column_names), None)
    groups = list(map(str, table.column(about).to_pylist())) if about else range(table.num_rows)
    names = list(dict.fromkeys(groups))
    drawn = {names[place] for place in _shuffled(len(names))[: -(-len(names) // number)]}
    return table.filter(pa.array([(group in drawn) == keep for group in groups]))


def some(table: pa.Table, examples: int | None) -> pa.Table:
    """The first rows of a fixed shuffle, all where no number is given; more rows have the fewer ones among them."""
    return table if examples is None else table.take(_shuffled(table.num_rows)[:examples])


def _shuffled(count: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(count)


class _Row:
    """One record while it becomes a row."""

    def __init__(
        self,
        task: Task,
        record: Record,
        fields: Fields,
        spelled: tuple[str, ...],
        where: str,
        notes: Counter[str],
    ) -> None:
        self.task, self.record, self.fields, self.spelled = task, record, fields, spelled
        self.where, self.notes = where, notes

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
            if not isinstance(texts[-1], str) or texts[-1] not in self.task.prompts:
                allowed = ", ".join(self.task.prompts)
                raise self.bad(f"has the {names[-1]} {texts[-1]!r}; allowed: {allowed}")
            texts[-1] = self.task.prompts[texts[-1]]
        flat = [part for text in texts for part in (text if isinstance(text, list) else [text])]
        if not all(isinstance(text, str) for text in flat):
            raise self.bad(f"has {texts[0]!r} as {column}; wanted: a text")
        joined = self.encodable(" ".join(text for text in flat if text))
        self.notes["empty texts"] += not joined.strip()
        return joined

    def texts(self, column: str) -> list[str]:
        """A list of texts: one field that is a list, or several fields."""
        names = self.fields.get(column, column)
        found = self.value(names) if isinstance(names, str) else [self.value(name) for name in names]
        if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
            raise self.bad(f"has {found!r} as {column}; wanted: a list of texts")
        return [self.encodable(text) for text in found]

    def encodable(self, text: str) -> str:
        """The text itself; JSON may hold halves of characters, which no file can."""
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self.bad(f"has a text with half a character: {ascii(text)[:60]}") from None
        return text

    def given(self, column: str) -> Any:
        """A field that a stripped file may not have; None where it does not."""
        name = str(self.fields.get(column, column))
        # A field that was named must be there; one that goes by our own name is missing where labels were stripped.
        return self.value(name) if column in self.fields or name.split(".")[0] in self.record else None

    def item(self, place: int) -> str:
        """What names the row's item within its collection: its id, or its place in the file."""
        named = self.fields.get("item", self.fields.get("id", "id") if isinstance(self.task, SpanQA) else None)
        if named is not None:
            return str(self.value(str(named)))
        return str(self.record.get("item", place))

    def label(self, names: tuple[str, ...], count: int) -> int | None:
        """The index of a label that is spelled out, or counted from 0; None where the row has none."""
        value = self.given("label")
        spelled = str(value)
        if not isinstance(value, bool):
            if spelled in names:
                return names.index(spelled)
            close = [i for i, name in enumerate(names) if name.lower() == spelled.lower()]
            if len(close) == 1:  # some repositories write in capitals what the dataset's files do not
                return close[0]
        if value in UNLABELLED:
            return None
        counted = not any(name.isdecimal() for name in names)  # digits that are names are not counts
        number = int(value) if isinstance(value, str) and value.isdecimal() and not names else value
        if isinstance(number, bool) or not isinstance(number, int) or not counted or not 0 <= number < count:
            allowed = ", ".join(names) if names else f"0 to {count - 1}"
            raise self.bad(f"has the label {value!r}; allowed: {allowed}")
        return number

    def unlabelled(self) -> UnlabelledError:
        return UnlabelledError(f"{self.where} has no label; an unlabelled file cannot be trained on or scored")


def _classification(row: _Row) -> tuple[Any, ...] | None:
    task = row.task
    assert isinstance(task, Classification)
    label = row.label(row.spelled or task.labels, len(task.labels))
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
    label = row.label((row.spelled or row.task.labels)[: len(options)], len(options))
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
    given = row.given("tags")
    if given is None:
        raise row.unlabelled()
    if not isinstance(given, list):
        raise row.bad(f"has {given!r} as tags; wanted: a list")
    if len(given) != len(tokens):
        raise row.bad(f"has {len(tokens)} tokens and {len(given)} tags")
    tags = []
    for tag in given:
        if isinstance(tag, str) and tag not in task.labels and task.others is not None:
            row.notes[f"rare tags read as {task.others}"] += 1
            tag = task.others
        known = task.labels.index(tag) if tag in task.labels else tag
        if isinstance(known, bool) or not isinstance(known, int) or not 0 <= known < len(task.labels):
            raise row.bad(f"has the tag {tag!r}; allowed: {', '.join(task.labels[:20])}")
        tags.append(known)
    if task.entities:
        row.notes["entities that begin with I- read as beginning there"] += repaired([task.labels[i] for i in tags])
    return tokens, tags


def _span_qa(row: _Row) -> tuple[Any, ...]:
    task = row.task
    assert isinstance(task, SpanQA)
    name, question, context = (row.text(column) for column in ("id", "question", "context"))
    given = _answers(row)
    if any(not text.strip() for text, _ in given):
        raise UnlabelledError(
            f"{row.where} has an answer without text; an unlabelled file cannot be trained on or scored"
        )
    if not given and not task.unanswerable:
        raise row.bad("has no answer; allowed only in tasks with unanswerable questions")
    answers = [answer for answer in (_located(row, *one, context) for one in given) if answer is not None]
    if given and not answers:
        raise row.bad(f"has the answer {given[0][0]!r}, which is not in its context")
    return name, question, context, answers


def _answers(row: _Row) -> list[tuple[str, int]]:
    """Texts and where they begin: a list of objects, or as on the hub an object of lists."""
    given = row.given("answers")
    if given is None:
        raise row.unlabelled()
    try:
        if isinstance(given, dict):
            given = [{"text": t, "start": s} for t, s in zip(given["text"], given["answer_start"], strict=True)]
        found = [(one["text"], one["start"] if "start" in one else one["answer_start"]) for one in given]
        if not all(isinstance(text, str) and isinstance(start, int) for text, start in found):
            raise TypeError
    except (KeyError, TypeError, ValueError):
        raise row.bad(f"has {given!r} as answers; wanted: a list of objects with 'text' and 'start'") from None
    return found


def _located(row: _Row, text: str, start: int, context: str) -> dict[str, Any] | None:
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


SIDES = {"a": "a", "b": "b", "query": "a", "candidate": "b"}
"""How the rows of a collection say whether they search or are searched."""


def _pool(row: _Row) -> tuple[Any, ...]:
    side, keys = row.value(str(row.fields.get("side", "side"))), row.texts("keys")
    if side not in SIDES:
        raise row.bad(f"has the side {side!r}; allowed: query, candidate")
    return SIDES[side], row.text("text"), keys


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
