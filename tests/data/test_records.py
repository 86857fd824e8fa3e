"""Rows of odd shapes: what is meant is read, and what is not a row is an error that says so."""

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from xit_ray.data.records import as_table, hold_out, subsample
from xit_ray.spec.errors import UnlabelledError, UserError
from xit_ray.tasks.kinds import Classification, MultipleChoice, SpanQA, Tagging

ABOUT: dict[str, Any] = {"name": "t", "languages": ("de",), "licence": "", "citation": ""}


def labels(names: tuple[str, ...], *values: Any) -> list[int]:
    task = Classification(labels=names, **ABOUT)
    rows = enumerate([{"text_a": "a", "label": value} for value in values], start=1)
    return as_table(task, rows, {}, "file", Counter()).column("label").to_pylist()  # type: ignore[no-any-return]


def test_labels_are_spelled_before_they_are_counted() -> None:
    assert labels(("bad", "good"), "good", 0, 1, "BAD") == [1, 0, 1, 0]
    assert labels(("1", "0"), 1, "0") == [0, 1]
    assert labels(("1", "2", "3"), 1, 3) == [0, 2]
    assert labels(("-1", "0", "1"), -1, 0, "1") == [0, 1, 2]
    assert labels(("a", "A"), "A", "a") == [1, 0]


@pytest.mark.parametrize(("names", "value"), [(("1", "2"), 0), (("a", "b"), 2), (("a", "b"), True), (("a", "b"), "c")])
def test_other_labels_are_refused(names: tuple[str, ...], value: Any) -> None:
    with pytest.raises(UserError, match=r"file: row 1 has the label .*; allowed: "):
        labels(names, value)


@pytest.mark.parametrize("value", [None, "", "-", -1])
def test_missing_labels_are_another_error(value: Any) -> None:
    with pytest.raises(UnlabelledError, match="row 1 has no label"):
        labels(("a", "b"), value)


def answers(given: Any) -> list[dict[str, Any]]:
    task = SpanQA(unanswerable=True, **ABOUT)
    row = {"id": "1", "question": "q", "context": "in Paris. it rains", "answers": given}
    table = as_table(task, [(1, row)], {}, "file", Counter())
    return table.column("answers").to_pylist()[0]  # type: ignore[no-any-return]


def test_answers_may_be_written_as_squad_or_as_the_hub_does() -> None:
    wanted = [{"text": "Paris", "start": 3}]
    assert answers([{"text": "Paris", "start": 3}]) == wanted
    assert answers([{"text": "Paris", "answer_start": 3}]) == wanted
    assert answers({"text": ["Paris"], "answer_start": [3]}) == wanted
    assert answers([{"text": " Paris ", "start": 2}]) == wanted
    assert answers([]) == []


@pytest.mark.parametrize(
    "given", ["Paris", ["Paris"], [{"text": "Paris"}], {"text": ["a"]}, [{"text": "a", "start": None}], 5]
)
def test_other_answers_are_refused(given: Any) -> None:
    with pytest.raises(UserError, match=r"row 1 has .* as answers; wanted: a list of objects"):
        answers(given)


@pytest.mark.parametrize("tags", [5, "N", [True], ["N", "N"], [7]])
def test_other_tags_are_refused(tags: Any) -> None:
    with pytest.raises(UserError, match="row 1 has"):
        as_table(Tagging(labels=("N", "V"), **ABOUT), [(1, {"tokens": ["a"], "tags": tags})], {}, "file", Counter())


def test_texts_are_texts() -> None:
    task = MultipleChoice(**ABOUT)
    good = {"text": ["one", "two"], "options": ["a", "b"], "label": "1"}
    assert as_table(task, [(1, good)], {}, "file", Counter()).drop_columns(["item"]).to_pylist() == [
        {"text": "one two", "options": ["a", "b"], "label": 1}
    ]
    for bad in ({"text": [1, 2]}, {"options": "ab"}, {"options": ["a"]}, {"options": [1, 2]}, {"label": "²"}):
        with pytest.raises(UserError, match="file: row 1 has"):
            as_table(task, [(1, good | bad)], {}, "file", Counter())


def test_held_out_rows_are_whole_contexts_and_examples_a_shuffle() -> None:
    table = pa.table({"context": [f"c{i // 5}" for i in range(200)], "n": list(range(200))})
    dev, train = (hold_out(table, 10, keep, "context") for keep in (True, False))
    assert dev.num_rows + train.num_rows == 200
    assert not set(dev.column("context").to_pylist()) & set(train.column("context").to_pylist())
    assert len(set(dev.column("context").to_pylist())) == 4
    few, more = (subsample(table, count).column("n").to_pylist() for count in (20, 60))
    assert more[:20] == few
    assert few != list(range(20))
    assert subsample(table, None) is table
    assert hold_out(table.slice(0, 0), 10, True, "context").num_rows == 0
