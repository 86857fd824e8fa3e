"""Ray Tune: the trials of a search that have not ended, run to their ends."""

import functools
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from pydantic import ValidationError
from ray import tune
from rich.console import Console

from xit_ray.plan.planner import Planner
from xit_ray.plan.trie import in_good_order, trie
from xit_ray.search import coordinator, gpu_sizes, runtime, worker_groups
from xit_ray.search.budget import BudgetTracker
from xit_ray.search.context import SearchContext
from xit_ray.search.driver import TRIAL, drive, planned_trial
from xit_ray.search.event_relay import EventRelay
from xit_ray.search.finalists import to_train_again
from xit_ray.search.machines import MachineWatch
from xit_ray.search.preselection import Estimates, estimate_cells, in_order_of_promise, ranked, still_holds
from xit_ray.search.progress import Display
from xit_ray.search.retention import Retention
from xit_ray.search.schedulers import GroupedScheduler, group_of
from xit_ray.search.searchers import PlannedSearcher, Proposals, proposals
from xit_ray.search.trial_events import TrialEvents
from xit_ray.spec.differences import Differences
from xit_ray.spec.domains import cover
from xit_ray.spec.errors import UserError
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Preselection, Space, as_recipe
from xit_ray.stages.records import scores_record
from xit_ray.stages.store import Store, inside
from xit_ray.track.delivery import Follower
from xit_ray.track.events import Event, Preselected, UntrainedScored
from xit_ray.track.journal import Journal
from xit_ray.track.state import State

SPARE_DRIVERS = 1
"""Trials at work beyond the runs that fit: the next one is ready when a run ends, or while one waits for a stage."""


@dataclass(frozen=True)
class SearchRun:
    """Everything that a search reads and writes while it runs."""

    space: Space
    planner: Planner
    folder: Path
    journal: Journal
    state: State
    followers: list[Follower]
    """Trackers, and the mirror in the store."""
    console: Console
    ray_talks: bool = True
    """Whether Ray prints what its processes print: where that goes to a file."""


def fit(run: SearchRun) -> None:
    """Run the trials that have not ended; events go to the journal, the state, MLflow and the display.

    Raises:
        UserError: a run needs more than the machine has, or Ray cannot be joined.
    """
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    trials = _TrialsLeft(run)
    if trials.none():
        return
    run.console.print("starting Ray", highlight=False)
    with runtime.running(run.space.resources, run.ray_talks) as slots:
        fitting = _Fit(run, slots, trials)
        try:
            fitting.run()
        finally:
            ray.kill(fitting.coordinator)  # a Ray that goes on after the search must not keep it


@dataclass(frozen=True)
class _TrialBatch:
    """Trials that run together."""

    searcher: Any
    """Tune's; None for a list of trials."""
    samples: int
    param_space: dict[str, Any]
    total: int
    """Trials of the search when these have ended."""


class _TrialsLeft:
    """What a search has not done yet."""

    def __init__(self, run: SearchRun) -> None:
        self.space, self.planner, self.state, self.folder = run.space, run.planner, run.state, run.folder

    def none(self) -> bool:
        """Whether everything is done."""
        estimates = self.estimates()
        if self.space.preselection is not None and (estimates is None or estimates != self.state.estimates):
            return False
        return self.first().samples == 0 and self.again().samples == 0

    def estimates(self) -> Estimates | None:
        """The cells' estimates; None where the space asks for none, or they are still to be made."""
        settings, known = self.space.preselection, self.state.estimates
        if settings is None or known is None or not still_holds(known, listed_recipes(self.space), settings):
            return None
        return ranked(known, settings.keep)

    def first(self) -> _TrialBatch:
        """The trials that the space asks for."""
        if not self.space.search.listed:
            proposed = self._proposals
            searcher = PlannedSearcher(proposed.searcher, lambda tree: self.planner.trial(as_recipe(tree)))
            return _TrialBatch(searcher, proposed.remaining, {}, self.space.search.trials)
        recipes = list(listed_recipes(self.space))
        if self.state.estimates is not None:
            return self._batch(in_order_of_promise(recipes, self.state.estimates), ordered=True)
        return self._batch(recipes)

    @functools.cached_property
    def _proposals(self) -> Proposals:
        return proposals(self.space, self.folder)

    def again(self) -> _TrialBatch:
        """The best recipes with fresh seeds, where the space asks for them and all others have ended."""
        trials = self.state.trials.values()
        complete = all(trial.status in ("done", "stopped") for trial in trials if not trial.reseeded)
        return self._batch(to_train_again(self.space, trials) if complete else [])

    def _batch(self, recipes: Iterable[Recipe], ordered: bool = False) -> _TrialBatch:
        """The trials of a list of recipes that have not ended: in the list's order, or in one that keeps workers busy."""
        ended = {trial.key for trial in self.state.ended()}
        trials = {trial.key: trial for trial in map(self.planner.trial, recipes)}
        left = [trial for trial in trials.values() if trial.key not in ended]
        if not ordered:
            left = in_good_order(left, trie(left))
        param_space = {TRIAL: tune.grid_search([trial.model_dump_json() for trial in left])}
        return _TrialBatch(None, 1 if left else 0, param_space, len(trials.keys() | self.state.trials))


class _Fit:
    """One call of ``fit``."""

    def __init__(self, run: SearchRun, slots: int, trials: _TrialsLeft) -> None:
        self.search, self.slots, self.trials, self.began = run, slots, trials, time.time()
        space, folder = run.space, run.folder
        self.space = space
        sizes = gpu_sizes.of_cluster()
        for model in run.planner.models:  # what fits nowhere is told before anything is trained
            gpu_sizes.size_for(run.planner.gpu_gb(model), space.resources.gpus, sizes)
        self.coordinator = coordinator.start(folder.name, _budget(space, run.journal), resources={runtime.DRIVERS: 1})
        self.emit = coordinator.emitter(self.coordinator)
        listed = map(run.planner.trial, listed_recipes(space)) if space.search.listed else ()
        self.retention = Retention(space, run.state, listed)
        source = run.planner.source
        self.context = SearchContext(
            run=folder.name,
            search=run.state.search or "",
            store=space.store_root,
            source=source.kind,
            source_root=str(source.root) if source.root else None,
            ray_storage=_ray_storage(space, folder),
            single_machine=runtime.single_machine(),
            resources=space.resources,
            gpu_sizes=sizes,
            dtype=run.planner.dtype,
            tasks=space.tasks,
            has_budget=space.budget.limited,
            reports_cost=space.search.objective == "dev_against_gpu_hours",
        )

    def run(self) -> None:
        """Estimate cells if asked, run all trials, then repeat the best with fresh seeds if asked."""
        self._report_untrained()
        if self.space.preselection is not None:
            with self._relay():
                estimates = self.trials.estimates() or self._estimates(self.space.preselection)
                if estimates != self.search.state.estimates:
                    self.emit(Preselected(estimates=estimates))
        watch = MachineWatch(self.coordinator, self.emit, self.space.resources)
        with worker_groups.running(self.context, self.slots, resources={runtime.DRIVERS: 1}), watch, self.retention:
            self._run_trials(self.trials.first(), reseeded=False)
            self._run_trials(self.trials.again(), reseeded=True)

    def _run_trials(self, batch: _TrialBatch, reseeded: bool) -> None:
        if batch.samples == 0:
            return
        state, folder = self.search.state, self.search.folder
        trainable = tune.with_resources(
            tune.with_parameters(drive, context=self.context), {"CPU": 0, runtime.DRIVERS: 1}
        )
        display = Display(
            self.search.console,
            state,
            batch.total,
            folder.name,
            self.began,
            Differences.of_space(self.space),
            self.search.followers,
        )
        with display, self._relay(display.show):
            tune.Tuner(
                trainable,
                param_space=batch.param_space,
                tune_config=tune.TuneConfig(
                    num_samples=batch.samples,
                    search_alg=batch.searcher,
                    scheduler=None if reseeded else _scheduler(self.space, state),
                    max_concurrent_trials=self.slots + SPARE_DRIVERS,
                    reuse_actors=True,
                    trial_dirname_creator=lambda trial: trial.trial_id,
                ),
                run_config=tune.RunConfig(
                    name=folder.name,
                    storage_path=self.context.ray_storage,
                    verbose=0,
                    callbacks=[TrialEvents(folder.name, reseeded)],
                    failure_config=tune.FailureConfig(max_failures=self.space.resources.retries),
                ),
            ).fit()
        if isinstance(batch.searcher, PlannedSearcher) and batch.searcher.error is not None:
            raise _searcher_error(self.space.search.algorithm, batch.searcher.error)

    def _relay(self, *listeners: Any) -> EventRelay:
        search = self.search

        def wake(_: Event) -> None:
            for follower in search.followers:
                follower.wake()

        return EventRelay(
            lambda: ray.get(self.coordinator.drain.remote()),
            search.journal,
            search.state,
            [wake, self.retention, *listeners],
        )

    def _report_untrained(self) -> None:
        """Record the pretrained encoders' scores that an earlier search left in the store; else a trial makes them."""
        store, planner = Store(self.space.store_root), self.search.planner
        scored = {}
        for trial in (planner.trial(as_recipe(tree)) for tree in cover(self.space.recipe)):
            if trial.untrained is not None:
                scored[trial.cell.model] = trial.untrained.key
        for model, key in sorted(scored.items()):
            record = scores_record(store, key)
            if record is not None:
                self.emit(UntrainedScored(trial=None, model=model, key=key, record=record))

    def _estimates(self, settings: Preselection) -> Estimates:
        recipes = list(listed_recipes(self.space))
        return estimate_cells(recipes, settings, self.search.planner, self.context, self.slots, self.search.console)


def _searcher_error(name: str, error: Exception) -> UserError:
    """What to say of a searcher that raised, or proposed what is no recipe."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        return UserError(f"searcher {name!r} proposed what is no recipe: {where}: {problem['msg']}")
    return UserError(f"searcher {name!r}: {type(error).__name__}: {error}")


def _budget(space: Space, journal: Journal) -> BudgetTracker | None:
    """The budget, with what was spent before a resume."""
    if not space.budget.limited:
        return None
    tracker = BudgetTracker(space.budget, space.resources)
    for event in journal.read():
        tracker.note(event)
    tracker.reserved.clear()
    return tracker


def _scheduler(space: Space, state: State) -> Any:
    if space.scheduler.name == "none":
        return None
    compare = space.scheduler.compare
    past = [
        (group_of(trial.recipe, compare), trial.key, progress, dev)
        for trial in state.ended()
        if not trial.reseeded
        for _, progress, dev in trial.reports
    ]
    return GroupedScheduler(space.scheduler, _Group(compare), past)


class _Group:
    """The group of a Tune trial's configuration, in a form that can be pickled."""

    def __init__(self, compare: str) -> None:
        self.compare = compare

    def __call__(self, config: dict[str, Any]) -> str:
        return group_of(planned_trial(config).recipe, self.compare)


def _ray_storage(space: Space, folder: Path) -> str:
    """Where Tune and Train keep their own records: beside a shared store, else in the run's folder."""
    return inside(space.store_root, "ray") if "://" in space.store_root else str(folder / "ray")
