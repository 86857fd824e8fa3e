"""Ray Tune: what is left of a search's trials, run to their ends."""

import logging
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune
from rich.console import Console

from xit_ray.plan.planner import Planner
from xit_ray.plan.trie import in_good_order, trie
from xit_ray.search import crews, foreman, runtime
from xit_ray.search.callback import Announcer
from xit_ray.search.driver import drive
from xit_ray.search.finalists import trained_again
from xit_ray.search.job import Site
from xit_ray.search.progress import Display
from xit_ray.search.pump import Pump
from xit_ray.search.purse import Purse
from xit_ray.search.ranking import in_ranked_order, rank, still_holds, with_kept
from xit_ray.search.schedulers import Grouped, group_of
from xit_ray.search.searchers import optuna_search
from xit_ray.spec.domains import cover
from xit_ray.spec.points import listed_points
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Space, as_recipe
from xit_ray.stages.store import Store
from xit_ray.track.journal import Journal
from xit_ray.track.state import State
from xit_ray.track.tracker import Tracker

SPARE_DRIVERS = 1
"""Trials at work beyond the runs that fit: the next one is ready when a run ends, or while one waits for a stage."""


def fit(
    space: Space,
    planner: Planner,
    folder: Path,
    journal: Journal,
    state: State,
    tracker: Tracker,
    console: Console,
    slots: int,
) -> None:
    """Run the trials that have not ended; events go to the journal, the state, MLflow and the display."""
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    began = time.time()
    boss = foreman.hire(folder.name, _purse(space, journal), resources={runtime.DRIVERS: 1})
    search = state.search or uuid.uuid4().hex
    ray.get(boss.emit.remote("search_started", run=folder.name, search=search))
    _tell_untrained(planner, Store(space.store_root), boss)
    source = planner.source
    site = Site(
        run=folder.name,
        search=search,
        store=space.store_root,
        source=source.kind,
        source_root=str(source.root) if source.root else None,
        scratch=_scratch(space, folder),
        here=not runtime.joins_cluster(),
        resources=space.resources,
        tasks=space.tasks,
    )
    trainable = tune.with_resources(
        tune.with_parameters(drive, planner=planner, site=site), {"CPU": 0, runtime.DRIVERS: 1}
    )

    def try_out(heat: _Heat, fresh: bool = False) -> None:
        if heat.samples == 0:
            return
        with Display(console, state, heat.total, folder.name, began) as display:
            sinks = [lambda event: tracker.apply(event, state), display.tell]
            with Pump(lambda: ray.get(boss.drain.remote()), journal, state, sinks):
                tune.Tuner(
                    trainable,
                    param_space=heat.param_space,
                    tune_config=tune.TuneConfig(
                        num_samples=heat.samples,
                        search_alg=heat.algorithm,
                        scheduler=None if fresh else _scheduler(space, state),
                        max_concurrent_trials=slots + SPARE_DRIVERS,
                        reuse_actors=True,
                        trial_dirname_creator=lambda trial: trial.trial_id,
                    ),
                    run_config=tune.RunConfig(
                        name=folder.name,
                        storage_path=_scratch(space, folder),
                        verbose=0,
                        callbacks=[Announcer(planner, folder.name, fresh)],
                        failure_config=tune.FailureConfig(max_failures=space.resources.retries),
                    ),
                ).fit()

    if space.ranking is not None:
        with Pump(lambda: ray.get(boss.drain.remote()), journal, state, []):
            if still_holds(state.ranking, listed_points(space), space.ranking):
                cells = with_kept(state.ranking or [], space.ranking.keep)
            else:
                cells = rank(listed_points(space), space.ranking, planner, site, slots, console)
            if cells != state.ranking:
                ray.get(boss.emit.remote("ranked", cells=cells))
    with crews.manned(site, slots, resources={runtime.DRIVERS: 1}):
        try_out(_first(space, planner, folder, state))
        complete = all(trial.status in ("done", "stopped") for trial in state.trials.values() if not trial.fresh)
        if complete and (points := trained_again(space, state.trials.values())):
            try_out(_listed(points, planner, state), fresh=True)


@dataclass(frozen=True)
class _Heat:
    """Trials that are run together."""

    algorithm: Any
    """Tune's; None for a list."""
    samples: int
    param_space: dict[str, Any]
    total: int
    """Trials there are when these have ended."""


def _purse(space: Space, journal: Journal) -> Purse | None:
    """The budget, with what was spent before a resume."""
    if not space.budget.limited:
        return None
    purse = Purse(space.budget, space.resources)
    for event in journal.read():
        purse.note(event["kind"], event)
    purse.promised.clear()
    return purse


def _tell_untrained(planner: Planner, store: Store, boss: Any) -> None:
    """Scores of the untrained encoder that an earlier search left in the store; else the first trial makes them."""
    wanted = {trial.untrained.key for trial in map(planner.trial, cover(planner.space.recipe)) if trial.untrained}
    for key in sorted(wanted):
        description = store.describe(key)
        if description is not None:
            ray.get(boss.emit.remote("untrained_scored", key=key, description=description))


def _first(space: Space, planner: Planner, folder: Path, state: State) -> _Heat:
    """The trials that the space asks for."""
    if space.search.algorithm == "tpe":
        search, samples = optuna_search(space, folder / "optuna.journal")
        return _Heat(search, samples, {}, space.search.trials)
    if state.ranking is not None:
        return _listed(in_ranked_order(listed_points(space), state.ranking), planner, state, ordered=True)
    return _listed(listed_points(space), planner, state)


def _listed(points: Iterable[dict[str, Any]], planner: Planner, state: State, ordered: bool = False) -> _Heat:
    """Those of some recipes that have not ended: in the order they have, or in one that keeps workers busy."""
    ended = {trial.key for trial in state.ended()}
    trials = {trial.key: (trial, point) for point in points for trial in [planner.trial(point)]}
    left = [trial for trial, _ in trials.values() if trial.key not in ended]
    in_order = [trials[trial.key][1] for trial in (left if ordered else in_good_order(left, trie(left, planner)))]
    return _Heat(None, 1 if in_order else 0, {"recipe": tune.grid_search(in_order)}, len(trials.keys() | state.trials))


def _scheduler(space: Space, state: State) -> Any:
    if space.scheduler.name == "none":
        return None
    compare = space.scheduler.compare
    past = [
        (group_of(Recipe.model_validate(trial.recipe), compare), trial.key, progress, dev)
        for trial in state.ended()
        if not trial.fresh
        for _, progress, dev in trial.reports
    ]
    return Grouped(space.scheduler, _Group(compare), past)


class _Group:
    """A Tune trial's group, in a form that can be pickled."""

    def __init__(self, compare: str) -> None:
        self.compare = compare

    def __call__(self, tree: dict[str, Any]) -> str:
        return group_of(as_recipe(tree), self.compare)


def _scratch(space: Space, folder: Path) -> str:
    """Where Tune and Train keep their own records: beside the store where that is shared, else in the run's folder."""
    return f"{space.store_root.rstrip('/')}/ray" if "://" in space.store_root else str(folder / "ray")
