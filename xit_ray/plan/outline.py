"""A plan before the data is there: rows and tokens as each task's metadata gives them (``tasks.base.Size``)."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from xit_ray.data.encode import Ids
from xit_ray.data.source import Source
from xit_ray.plan.forecast import Forecaster
from xit_ray.plan.leak_guard import LeakGuard, Used
from xit_ray.plan.planner import Planner
from xit_ray.plan.workload import Workload
from xit_ray.spec.errors import AbsentError, UserError
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

    def _rows(self, task: str, split: Split, language: str) -> tuple[str, int]:
        described = self.metadata(task, split, language)
        if described is None:
            return super()._rows(task, split, language)
        return f"metadata:{task}/{split}/{language}", described.of(split) or 0

    def metadata(self, name: str, split: Split, language: str) -> Size | None:
        """What is known of rows that are not there, or are not to be looked for; None where the rows themselves are taken."""
        known = size(name, split)
        if known is not None and self.reads and self._are_there(name, split, language):
            return None
        return known

    def _are_there(self, name: str, split: Split, language: str) -> bool:
        try:
            self.cache.load(name, split, language)
        except AbsentError:
            return False
        return True


class OutlineForecaster(Forecaster):
    """Reckons with rows of the same length where there are none.

    Args:
        planner: of the outline.
    """

    def __init__(self, planner: OutlinePlanner) -> None:
        super().__init__(planner)
        self.outline = planner

    def _rows(self, model: Model, name: str, split: Split, language: str, examples: int | None) -> tuple[Ids, Ids]:
        described = self.outline.metadata(name, split, language)
        if described is None:
            return super()._rows(model, name, split, language, examples)
        count = min(described.of(split) or 0, examples or 2**62)
        lengths = np.full(count, described.tokens, dtype=np.int64)
        return lengths, lengths * min(described.tokens, model.max_length)

    def _evaluation(self, model: Model, evaluation: Evaluation) -> Workload:
        """Of texts on two sides where a task has no head."""
        reckoned = Workload()
        read = dict(evaluation.languages)
        for name in evaluation.embedding_tests:
            described = self.outline.metadata(name, "test", evaluation.languages[name][0])
            if described is not None:
                rows = 2 * (described.of("test") or 0) * len(read.pop(name))
                lengths = np.full(rows, described.tokens, dtype=np.int64)
                reckoned += self._scored(self._sizes(model), lengths, lengths**2)
        return super()._evaluation(model, evaluation.model_copy(update={"languages": read})) + reckoned


class _NoGuard(LeakGuard):
    """There are no rows to compare."""

    def keep_apart(self, used: Iterable[Used], scored: Mapping[str, tuple[str, ...]]) -> None:
        """Nothing."""

    def compare_dev(self, used: Iterable[Used], target: str) -> None:
        """Nothing."""


def size(name: str, split: Split) -> Size | None:
    """What metadata tells of a split of a task, or of the task that trains its head; None where it tells nothing."""
    task = registry.get(name)
    tasks = (task,) if split == "test" else (registry.trained_as(task), task)
    return next((one.size for one in tasks if one.size is not None and one.size.of(split) is not None), None)
