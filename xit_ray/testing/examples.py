"""A few rows of any task, made up: different in every split and language, with labels in their turn."""

from collections.abc import Callable
from typing import Any

from xit_ray.spec.errors import UserError
from xit_ray.tasks import kinds
from xit_ray.tasks.base import Fields, Task

Row = dict[str, Any]
COUNT = 12
TAGS = ("N", "(S\\NP)/NP", ".")
"""Of tasks whose tags are those of their files."""


def rows(task: Task, split: str, language: str, count: int = COUNT) -> list[Row]:
    """Rows with our columns.

    Raises:
        UserError: the task is of a plugin's kind, which ``EXAMPLES`` does not know.
    """
    if task.kind not in EXAMPLES:
        raise UserError(f"xit_ray.testing.examples.EXAMPLES: has no rows of the kind {task.kind!r}; add a function")
    return EXAMPLES[task.kind](task, f"{split} {language}", count)


def _pairs(about: str, count: int) -> list[Row]:
    return [{"text_a": f"premise {i} {about}", "text_b": f"claim {i} {about}"} for i in range(count)]


def _classification(task: Task, about: str, count: int) -> list[Row]:
    return [row | {"label": i % len(task.labels)} for i, row in enumerate(_pairs(about, count))]


def _regression(task: Task, about: str, count: int) -> list[Row]:
    low, high = (float(str(task.terms[name])) for name in ("low", "high"))
    return [row | {"label": low + (high - low) * i / count} for i, row in enumerate(_pairs(about, count))]


def _multi_label(task: Task, about: str, count: int) -> list[Row]:
    size = len(task.labels)
    some = [sorted({i % size, i // 2 % size}) if i % 4 else [] for i in range(count)]
    return [{"text_a": f"text {i} {about}", "labels": labels} for i, labels in enumerate(some)]


def _multiple_choice(task: Task, about: str, count: int) -> list[Row]:
    prompts = _prompts(task)
    options = 2 if prompts else max(3, len(task.labels), _options(task))
    texts = [f"context {i} {about}? question" for i in range(count)]
    if prompts:
        texts = [f"premise {i} {about} {list(prompts.values())[i % 2]}" for i in range(count)]
    named = [[f"option {i} {o}" for o in range(options)] for i in range(count)]
    return [{"text": texts[i], "options": named[i], "label": i % options} for i in range(count)]


def _tagging(task: Task, about: str, count: int) -> list[Row]:
    size = len(task.labels or TAGS)
    # No tag that continues an entity stands where none has begun.
    tags = [[0, 1, 2] if "O" in task.labels else [i % size, (i + 1) % size, 0] for i in range(count)]
    return [{"tokens": [f"w{i}", about.replace(" ", "-"), "."], "tags": t} for i, t in enumerate(tags)]


def _span_qa(task: Task, about: str, count: int) -> list[Row]:
    made = []
    for i in range(count):
        context = f"In {1900 + i} the river rose. {about} saw it. " * 3
        silent = task.terms["unanswerable"] and i % 3 == 0
        answers = [] if silent else [{"text": str(1900 + i), "start": 3}]
        made.append({"id": f"{i}", "question": f"When did it rise in {about}?", "context": context, "answers": answers})
    return made


def _masked_lm(task: Task, about: str, count: int) -> list[Row]:
    return [{"text": f"a text {i} {about}"} for i in range(count)]


def _retrieval(task: Task, about: str, count: int) -> list[Row]:
    return [{"text_a": f"foreign {i} {about}", "text_b": f"english {i} {about}"} for i in range(count)]


def _mining(task: Task, about: str, count: int) -> list[Row]:
    names = {"a": "foreign", "b": "english"}
    keys = [[f"f{i} e{i}"] if i % 2 else [] for i in range(count)]
    return [{"side": s, "text": f"{names[s]} {i} {about}", "keys": keys[i]} for s in "ab" for i in range(count)]


def _ranked_retrieval(task: Task, about: str, count: int) -> list[Row]:
    names = {"a": "query", "b": "candidate"}
    return [{"side": s, "text": f"{names[s]} {i} {about}", "keys": [str(i)]} for s in "ab" for i in range(count)]


EXAMPLES: dict[str, Callable[[Task, str, int], list[Row]]] = {
    kinds.Classification.kind: _classification,
    kinds.Regression.kind: _regression,
    kinds.MultiLabel.kind: _multi_label,
    kinds.MultipleChoice.kind: _multiple_choice,
    kinds.Tagging.kind: _tagging,
    kinds.SpanQA.kind: _span_qa,
    kinds.MaskedLM.kind: _masked_lm,
    kinds.Retrieval.kind: _retrieval,
    kinds.Mining.kind: _mining,
    kinds.RankedRetrieval.kind: _ranked_retrieval,
}
"""By kind: rows of a task, with a text that tells splits and languages apart, so many. Add those of a kind of your own."""


def record(task: Task, row: Row, fields: Fields, spelled: bool) -> Row:
    """A row as its files or repository have it: fields by their own names, nested where they are.

    Args:
        task: of the row.
        row: with our columns.
        fields: ours to the file's.
        spelled: whether labels are spelled out, or numbered.
    """
    found: Row = {}
    for column, value in row.items():
        names = fields.get(column, column)
        if column in ("label", "labels", "tags") and spelled:
            value = _spelled(task, value)
        if isinstance(names, str):
            *parents, last = names.split(".")
            inner = found
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[last] = value
        else:
            found |= dict(zip(names, _parts(task, column, value, len(names)), strict=True))
    return found


def _prompts(task: Task) -> dict[str, str]:
    prompts = task.terms.get("prompts") or {}
    assert isinstance(prompts, dict)
    return prompts


def _options(task: Task) -> int:
    """How many columns the options are in, where they are not a list."""
    fields = task.layouts[0].fields if task.layouts else task.hub.fields if task.hub is not None else {}
    names = fields.get("options", "options")
    return 4 if isinstance(names, str) else len(names)


def _parts(task: Task, column: str, value: Any, count: int) -> list[Any]:
    """A value that is spread over several fields."""
    prompts = _prompts(task)
    if column == "options":
        return list(value)
    if prompts:
        prompt = next(name for name, text in prompts.items() if value.endswith(text))
        return [value.removesuffix(prompts[prompt]).strip(), prompt]
    *first, last = value.split(" ")
    return [" ".join(first), last]


def _spelled(task: Task, value: Any) -> Any:
    names = task.labels or (TAGS if task.kind == kinds.Tagging.kind else ())
    if isinstance(value, list):
        return [names[tag] for tag in value]
    return names[value] if names else value
