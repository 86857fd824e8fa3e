"""Which trial of a run is exported: of a target's best recipe on English dev, the best replicate that is kept."""

import functools
from dataclasses import dataclass
from pathlib import Path

from xit_ray.data import rows
from xit_ray.data.source import Source, parse_source
from xit_ray.report.matrix import MatrixCell
from xit_ray.report.readable import readable
from xit_ray.report.summary import Summary, summarise
from xit_ray.spec.errors import UserError, unknown
from xit_ray.spec.space import Space
from xit_ray.stages.store import Store
from xit_ray.tasks import registry
from xit_ray.tasks.base import Task
from xit_ray.track.state import TrialState


@dataclass(frozen=True)
class Winner:
    """A trial of a run, with all that is said of it."""

    folder: Path
    """Of the run."""
    space: Space
    summary: Summary
    cell: MatrixCell
    """The cell of the matrix that the trial is of."""
    trial: TrialState
    dtype: str
    """What it computed in."""
    search: str
    """ID of the search."""

    @property
    def store(self) -> Store:
        """Where its checkpoint is."""
        return Store(self.space.store_root)

    @functools.cached_property
    def source(self) -> Source:
        """Where rows are."""
        return parse_source(self.space.data)

    @functools.cached_property
    def task(self) -> Task:
        """What it answers."""
        return rows.resolved(registry.get(self.trial.recipe.target_task), self.source)

    @functools.cached_property
    def trained(self) -> Task:
        """The task whose rows trained its head."""
        return rows.resolved(registry.trained_as(self.task), self.source)

    @property
    def checkpoint(self) -> str:
        """Key of its target stage."""
        return self.trial.stages[-1].key


def winner(folder: Path, target: str | None = None) -> Winner:
    """The best trial of a run.

    Args:
        folder: of the run.
        target: the task it is for; None where the run has one.

    Raises:
        UserError: there is no such target, no trial of it has ended, or none of its checkpoints is kept.
    """
    with readable(folder) as (space, state):
        summary = summarise(folder, space.store_root)
    # A head with several test sets has a column for each; they are one model.
    targets = dict.fromkeys([*summary.best, *(cell.trained for cell in summary.best.values())])
    if target is None:
        if len({cell.trained for cell in summary.best.values()}) > 1:
            raise UserError(f"{folder}: has several targets; name one: {', '.join(targets)}")
        target = next(iter(summary.best), None)
        if target is None:
            raise UserError(f"{folder}: no trial has ended yet, so there is nothing to export")
    if target not in targets:
        raise unknown("target", target, targets, str(folder))
    cell = summary.best.get(target) or next(cell for cell in summary.best.values() if cell.trained == target)
    trials = sorted((state.trials[key] for key in cell.replicates), key=lambda trial: -(trial.dev or 0.0))
    store = Store(space.store_root)
    kept = next((trial for trial in trials if store.has_files(trial.stages[-1].key)), None)
    if kept is None:
        raise UserError(
            f"{folder}: the weights of its best recipe for {target} are not in the store {space.store_root}; they were "
            f"dropped ('keep: {space.keep}') or the store is elsewhere. Search again with --set keep=all: what comes before "
            "the target is taken from the store"
        )
    return Winner(folder, space, summary, cell, kept, state.dtype, state.search or "")
