"""From what a head answers to what is reported: gold and given answers in words, and the task's scores."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xit_ray.core.spans import best_answers
from xit_ray.data.encode import NO_LABEL, Encoded, Ids
from xit_ray.tasks.base import Task
from xit_ray.tasks.kinds import Classification, MaskedLM, MultipleChoice, SpanQA, Tagging
from xit_ray.tasks.scores.answers import answer_scores, at_best_threshold, mlqa_words, squad_words
from xit_ray.tasks.scores.chunks import span_f1
from xit_ray.tasks.scores.items import Items, f1_of_class, shares

Raw = npt.NDArray[Any]


@dataclass(frozen=True)
class Scored:
    """The answers to the rows of a split, and their scores."""

    gold: list[str]
    """What is right, by row."""
    given: list[str]
    """What was answered, by row."""
    scores: dict[str, Items]
    """By metric, the main one first; items are rows."""
    alternatives: list[list[str]] | None = None
    """Span QA: the answers that scored next, by row."""
    majority: float = 0.0
    """What the best answer that is the same for all rows scores in the main metric."""
    items: list[str] | None = None
    """The item of each row; rows of several languages with one item are translations. None where there are no rows that
    could be told apart, as for pairs that were found."""


def score(task: Task, language: str, table: pa.Table, encoded: Encoded, raw: Raw) -> Scored:
    """Score what a task's head answered.

    Args:
        task: says how.
        language: MLQA's rules depend on it.
        table: the rows.
        encoded: the same rows.
        raw: what ``core.evaluate.predict`` gave.
    """
    if isinstance(task, SpanQA):
        return _spans(task, language, table, encoded, raw)
    assert encoded.labels is not None
    if isinstance(task, Classification):
        return _classes(task, encoded.labels, raw)
    if isinstance(task, MultipleChoice):
        texts = [str(number) for number in range(int(np.diff(encoded.rows).max()))]
        return _named(texts, encoded.labels, raw, {"accuracy": shares(encoded.labels == raw)})
    if isinstance(task, Tagging):
        return _tags(task, encoded, raw)
    assert isinstance(task, MaskedLM), task.kind
    return _covered(encoded, raw)


def _classes(task: Classification, gold: Ids, given: Ids) -> Scored:
    scores = {"accuracy": shares(gold == given)}
    if task.positive is not None:
        positive = task.labels.index(task.positive)
        scores["f1"] = f1_of_class(gold == positive, given == positive)
    return _named(task.labels, gold, given, scores)


def _named(names: tuple[str, ...] | list[str], gold: Ids, given: Ids, scores: dict[str, Items]) -> Scored:
    most = int(np.bincount(gold).max())
    return Scored([names[i] for i in gold], [names[i] for i in given], scores, majority=most / len(gold))


def _tags(task: Tagging, encoded: Encoded, raw: Ids) -> Scored:
    gold, given = (_by_row(encoded, values, task.labels) for values in (encoded.labels, raw))
    right = [sum(a == b for a, b in zip(*pair, strict=True)) for pair in zip(gold, given, strict=True)]
    words = [len(row) for row in gold]
    asked = encoded.labels[encoded.labels != NO_LABEL] if encoded.labels is not None else np.empty(0, dtype=np.int64)
    usual = task.labels[int(np.bincount(asked).argmax())]
    accuracy = Items(np.asarray(right, float), np.asarray(words, float))
    if task.spans:
        scores = {"f1": span_f1(gold, given), "accuracy": accuracy}
        constant = span_f1(gold, [[usual] * len(row) for row in gold]).value
    else:
        scores, constant = {"accuracy": accuracy}, float((asked == task.labels.index(usual)).mean())
    return Scored([" ".join(row) for row in gold], [" ".join(row) for row in given], scores, majority=constant)


def _by_row(encoded: Encoded, values: Ids | None, names: tuple[str, ...]) -> list[list[str]]:
    """The names of every row's labelled tokens' values."""
    assert encoded.labels is not None
    assert values is not None
    asked = encoded.labels != NO_LABEL
    counts = np.add.reduceat(asked, encoded.starts[encoded.rows[:-1]])
    found = iter(values[asked].tolist())
    return [[names[next(found)] for _ in range(count)] for count in counts]


def _spans(task: SpanQA, language: str, table: pa.Table, encoded: Encoded, raw: Raw) -> Scored:
    answers = best_answers(encoded, raw)
    contexts = table.column("context").to_pylist()
    gold = [[answer["text"] for answer in row] for row in table.column("answers").to_pylist()]
    pairs = list(zip(answers, contexts, strict=True))
    given = [answer.text(context, task.unanswerable) for answer, context in pairs]
    words = mlqa_words(language) if task.articles == "mlqa" else squad_words
    if task.unanswerable:  # SQuAD v2 passes over right answers of which nothing is left; v1 compares them
        gold = [[text for text in row if words(text)] for row in gold]
    scores = answer_scores(given, gold, words)
    answerable = np.asarray([bool(row) for row in table.column("answers").to_pylist()])
    if task.unanswerable:
        spoken = [answer.text(context, False) for answer, context in pairs]
        nothing = np.asarray([answer.no_answer for answer in answers])
        empty = np.asarray([not text for text in spoken])
        for name, items in answer_scores(spoken, gold, words).items():
            scores[f"{name}_oracle"] = at_best_threshold(items.points, nothing, answerable, empty)
    others = [[context[s.start : s.end].strip() for s in answer.best[1:]] for answer, context in pairs]
    known = [" | ".join(dict.fromkeys(row)) for row in gold]
    return Scored(known, given, scores, others, majority=float((~answerable).mean()))


def _covered(encoded: Encoded, raw: Ids) -> Scored:
    assert encoded.labels is not None
    asked = encoded.labels != NO_LABEL
    begins = encoded.starts[encoded.rows[:-1]]
    right = np.add.reduceat((asked & (raw == encoded.labels)).astype(float), begins)
    items = Items(right, np.add.reduceat(asked.astype(float), begins))
    usual = float(np.bincount(encoded.labels[asked]).max() / asked.sum())
    return Scored([f"{n:.0f}" for n in items.out_of], [f"{n:.0f}" for n in right], {"accuracy": items}, majority=usual)
