"""Looking through a data source: what is there, what is odd about it, and what of its test sets is trained on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from xit_ray.data import rows
from xit_ray.data.kinds import data_kind
from xit_ray.data.leaks import Tested
from xit_ray.data.overlap import Overlap
from xit_ray.data.rows import RowCache, Rows
from xit_ray.data.source import Source
from xit_ray.spec.errors import AbsentError, UserError
from xit_ray.tasks import registry
from xit_ray.tasks.base import SPLITS, Split, Task


@dataclass(frozen=True)
class SplitReport:
    """One split of one task in one language."""

    task: Task
    split: Split
    language: str
    rows: int
    origin: str
    labels: str = ""
    """Shares of the labels, the most frequent first."""
    duplicates: int = 0
    """Rows that say what an earlier one says."""
    disagreeing: int = 0
    """Duplicates that have another label than the first of their kind."""
    notes: dict[str, int] = field(default_factory=dict)
    """What was repaired or left out."""
    error: str | None = None
    """Why the rows cannot be used."""


def look(tasks: Iterable[Task], source: Source) -> Iterator[SplitReport]:
    """Every split that is there, one by one, and every one that is bad."""
    for task in tasks:
        for split in SPLITS:
            for language in task.split_languages(split):
                try:
                    yield _found(rows.resolved(task, source), split, language, rows.load(task, split, language, source))
                except AbsentError:
                    continue
                except UserError as error:
                    yield SplitReport(task, split, language, 0, "", error=str(error))


def _found(task: Task, split: Split, language: str, loaded: Rows) -> SplitReport:
    first: dict[str, Any] = {}
    duplicates = disagreeing = 0
    answers = [name for name in ("label", "labels", "tags", "answers", "keys") if name in loaded.table.column_names]
    for row in loaded.table.drop_columns(
        [name for name in ("id", "item") if name in loaded.table.column_names]
    ).to_pylist():
        answer = str([row.pop(name) for name in answers])
        known = first.setdefault(str(row), answer)
        if known is not answer:
            duplicates += 1
            disagreeing += known != answer
    return SplitReport(
        task,
        split,
        language,
        len(loaded),
        loaded.origin,
        data_kind(task).describe(task, loaded.table),
        duplicates,
        disagreeing,
        dict(loaded.notes),
    )


def overlaps(tasks: Iterable[Task], source: Source) -> Iterator[Overlap]:
    """What of every test set some task's training or dev rows have as well."""
    every, shelf = list(tasks), RowCache(source)
    for task in every:
        tested = Tested(task, tuple(rows.present(task, "test", task.languages, source, pass_over_bad=True)), shelf)
        for name, split, language in [(t.name, s, x) for t in every for s in SPLITS[:2] for x in t.train_languages]:
            if registry.get(name).kind == task.kind and tested.scored:
                try:
                    used = shelf.load(name, split, language)
                except UserError:
                    continue  # what is bad about it is said where it is looked at
                overlap = tested.overlap(tested.leaked(used, used, [language]), f"{name} {split} in {language!r}")
                if overlap is not None:
                    yield overlap
