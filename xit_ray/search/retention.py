"""Which target checkpoints keep their weights: most are of no more use after their scoring, and take most of the store."""

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from statistics import fmean
from typing import Any

from xit_ray.plan.trial import Trial
from xit_ray.spec.cell import Cell
from xit_ray.spec.errors import in_a_line
from xit_ray.spec.space import Space
from xit_ray.stages.store import Store
from xit_ray.track.events import Event, TrialEnded
from xit_ray.track.state import ENDED, State, TrialState

_log = logging.getLogger(__name__)


class Retention:
    """Drops weights of target checkpoints as trials end, and keeps their records; in a thread of its own, while its block
    runs. What another search trained stays, and so does what trains before a target in some recipe. A store that does
    not answer is asked again when the next trial has ended.

    Args:
        space: says whose weights stay: of the best recipe of each model and target on English dev, of all, or of none.
        state: of the search.
        listed: the trials of the search, where they are known beforehand.
    """

    def __init__(self, space: Space, state: State, listed: Iterable[Trial] = ()) -> None:
        self.keep, self.store, self.state = space.keep, Store(space.store_root), state
        self.fresh_seeds = space.search.finalists.seeds if space.search.finalists is not None else 1
        self.uses: dict[str, set[str]] = defaultdict(set)
        """By stage that is some listed trial's last one: these trials."""
        self.intermediates: set[str] = set()
        self.seeds = Counter[str]()
        """By recipe, apart from its seeds: how many trials it is to have."""
        self.recipes: dict[str, str] = {}
        """By trial, its recipe apart from seeds."""
        for trial in listed:
            self.seeds[trial.recipe.apart_from_seeds] += 1
            *before, last = (training.key for training in trial.trainings)
            self.uses[last].add(trial.key)
            self.intermediates.update(before)
        self.dropped: set[str] = set()
        self.due, self.done = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._loop, name="retention", daemon=True)

    def __call__(self, event: Event) -> None:
        """Note that something may be of no more use after an event."""
        if isinstance(event, TrialEnded):
            self.due.set()

    def __enter__(self) -> "Retention":
        self.due.set()  # what a process that was killed did not get to
        self.thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.done.set()
        self.due.set()
        self.thread.join()

    def _loop(self) -> None:
        last = False
        while not last:
            self.due.wait()
            self.due.clear()
            last = self.done.is_set()
            self._apply()

    def _apply(self) -> None:
        for key in list(self._unneeded()) if self.keep != "all" else []:
            try:
                self.store.drop_files(key)
                self.dropped.add(key)
            except Exception as error:  # noqa: BLE001 - what is kept for too long harms nobody; pyarrow raises what it likes
                _log.warning("the weights of %s could not be dropped: %s", key, in_a_line(error))

    def _unneeded(self) -> Iterator[str]:
        trials = list(self.state.trials.values())  # another thread adds to them
        ended = {trial.key for trial in trials if trial.status in ENDED}
        used = set(self.intermediates)
        for trial in trials:
            keys = [stage.key for stage in trial.stages]
            used.update(keys[:-1] if trial.key in ended else keys)
        if self.keep == "winners":
            used.update(trial.stages[-1].key for trial in self._winners(trials))
        for trial in trials:
            key = trial.stages[-1].key
            stage = self.state.stages.get(key)
            mine = stage is not None and stage.record is not None and stage.record.search == self.state.search
            if mine and key not in used and key not in self.dropped and self.uses[key] <= ended:
                yield key

    def _winners(self, trials: list[TrialState]) -> Iterator[TrialState]:
        """Of each model and target: of the best recipe that has all its seeds, the best trial, which ``export`` takes; of
        recipes that may still get a seed, the best one so far; and every trial where there is no English dev that could
        tell. What is best is as in ``report.matrix``: by the mean over seeds, fresh ones before others, and of a cell's
        recipes none that has fewer trials than another."""
        ended = Counter(self._recipe(trial) for trial in trials if trial.status in ENDED)
        done: dict[Cell, dict[tuple[str, bool], list[TrialState]]] = defaultdict(lambda: defaultdict(list))
        for trial in sorted(trials, key=lambda one: (not one.cell.is_baseline, one.cell.intermediate, one.key)):
            if trial.status == "done" and trial.dev is None:
                yield trial
            elif trial.status == "done":
                done[trial.cell][self._recipe(trial)].append(trial)
        best: dict[tuple[str, str], tuple[tuple[bool, float], TrialState]] = {}
        for cell, recipes in done.items():
            most = max((fresh, len(several)) for (_, fresh), several in recipes.items())
            for (recipe, fresh), several in recipes.items():
                top = max(several, key=lambda trial: trial.dev or 0.0)
                rank, place = (fresh, fmean(trial.dev or 0.0 for trial in several)), (cell.model, cell.target)
                if ended[recipe, fresh] < (self.fresh_seeds if fresh else self.seeds[recipe]):
                    yield top
                elif (fresh, len(several)) == most and (place not in best or rank > best[place][0]):
                    best[place] = rank, top
        yield from (top for _, top in best.values())

    def _recipe(self, trial: TrialState) -> tuple[str, bool]:
        """The trial's recipe apart from its seeds, and whether these are fresh."""
        if trial.key not in self.recipes:
            self.recipes[trial.key] = trial.recipe.apart_from_seeds
        return self.recipes[trial.key], trial.reseeded
