"""A plan before the data is there: rows and tokens as each task's metadata gives them (``tasks.base.Size``)."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from xit_ray.data.encode import Ids
from xit_ray.data.source import Source
from xit_ray.plan.forecast import Forecaster
from xit_ray.plan.leak_guard import LeakGuard, Used
from xit_ray.plan.planner import Planner
from xit_ray.plan.workload import Workload
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model
from xit_ray.spec.space import Space
from xit_ray.stages.work import Evaluation
from xit_ray.tasks import registry
from xit_ray.tasks.base import Size, Split, Task


class OutlinePlanner(Planner):
    """A planner that compares no rows, and reckons with metadata where there are none.

    Args:
        space: the search space.
        source: where rows are.
        where: the space's file, for messages.
        reads: whether to look for rows first; nothing is fetched otherwise.
    """

    def __init__(self, space: Space, source: Source, where: str, reads: bool) -> None:
        super().__init__(space, source, where)
        self.guard, self.reads = _NoGuard(space, self.cache, where), reads

    def resolved(self, task: Task) -> Task:
        """The task; without labels where these are of rows that are not there."""
        try:
            return super().resolved(task)
        except UserError:
            return task

    def rows_beside(self, task: Task, languages: Sequence[str]) -> list[tuple[Split, str]]:
        """None: they have no part in what a search costs."""
        return []

    def size(self, name: str, split: Split) -> Size | None:
        """A task's metadata, if it tells of a split and is to be taken for it."""
        task = registry.get(name)
        described = (registry.trained_as(task) if split != "test" and task.size is not None else task).size
        described = described if described is None or described.of(split) is not None else task.size
        if described is None or described.of(split) is None:
            return None
        if self.reads:
            try:
                self.cache.load(name, split, task.languages[0] if split == "test" else "en")
            except UserError:
                return described
            return None
        return described

    def _rows(self, task: str, split: Split, language: str) -> tuple[str, int]:
        described = self.size(task, split)
        if described is None:
            return super()._rows(task, split, language)
        return f"metadata:{task}/{split}/{language}", described.of(split) or 0


class OutlineForecaster(Forecaster):
    """Reckons with rows of the same length where there are none.

    Args:
        planner: of the outline.
    """

    def __init__(self, planner: OutlinePlanner) -> None:
        super().__init__(planner)
        self.outline = planner

    def _rows(self, model: Model, name: str, split: Split, language: str, examples: int | None) -> tuple[Ids, Ids]:
        described = self.outline.size(name, split)
        if described is None:
            return super()._rows(model, name, split, language, examples)
        count = min(described.of(split) or 0, examples or 2**62)
        lengths = np.full(count, described.tokens, dtype=np.int64)
        return lengths, lengths * min(described.tokens, model.max_length)

    def _evaluation(self, model: Model, evaluation: Evaluation) -> Workload:
        """Of texts on two sides where a task has no head."""
        embedded = {name: self.outline.size(name, "test") for name in evaluation.embedding_tests}
        read = evaluation.model_copy(
            update={"languages": {name: own for name, own in evaluation.languages.items() if not embedded.get(name)}}
        )
        work = super()._evaluation(model, read)
        for name, size in embedded.items():
            if size is not None:
                rows = 2 * (size.test or 0) * len(evaluation.languages[name])
                lengths = np.full(rows, size.tokens, dtype=np.int64)
                work += self._scored(self._sizes(model), lengths, lengths**2)
        return work


class _NoGuard(LeakGuard):
    """There are no rows to compare."""

    def keep_apart(self, used: Iterable[Used], scored: Mapping[str, tuple[str, ...]]) -> None:
        """Nothing."""

    def compare_dev(self, used: Iterable[Used], target: str) -> None:
        """Nothing."""


def can_outline(planner: OutlinePlanner, absent: Iterable[tuple[str, Split]]) -> bool:
    """Whether metadata tells of everything that is not there."""
    return all(planner.size(task, split) is not None for task, split in absent)
