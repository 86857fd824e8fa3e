"""A Tune trial: a light driver, without a GPU, that waits for stages others train and posts the rest of its work."""

import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray import tune

from xit_ray.plan.planner import Planner, Trial
from xit_ray.plan.trie import trie
from xit_ray.search import foreman
from xit_ray.search.job import Job, Site
from xit_ray.search.purse import hours_of
from xit_ray.search.worker import stage_report
from xit_ray.stages.store import Store

CLAIM_SECONDS = 5.0
"""A claim waits this long for the holder of a stage before the driver looks into the store again."""
RENEW_SECONDS = 5.0
LONGEST_ERROR = 400
"""Characters; Ray lists every process of a machine that runs out of memory."""


class WorkFailedError(Exception):
    """A trial's work ended with an error, in its crew."""


def drive(config: dict[str, Any], planner: Planner, site: Site) -> None:
    """Train and score the recipe ``config["recipe"]``."""
    trial = planner.trial(config["recipe"])
    holder = holder_of(trial.key, tune.get_context().get_trial_id())
    boss, store = foreman.find(site.run), Store(site.store)
    tell = foreman.teller(boss, trial.key)
    with _leases(boss, holder), _crashes_told(tell):
        if planner.space.budget.limited:
            reason = ray.get(boss.allow.remote(trial.key, _steps_missing(planner, store, trial)))
            if reason is not None:
                tell("trial_left", reason=reason)
                return
        missing = _claim_missing(boss, store, trial, holder, tell)
        for training in trial.trainings[:missing]:
            about = store.describe(training.key)
            tell("stage_reused", key=training.key, label=training.label, description=about)
        untrained = _claim_untrained(boss, store, trial, holder)
        told = 0
        if missing < len(trial.trainings) or store.describe(trial.evaluation.key) is None or untrained:
            job = Job(trial=trial, holder=holder, skip=missing, score_untrained=untrained)
            for metrics in reports(boss, holder, job.model_dump(mode="json")):
                tune.report(metrics)  # does not return if the trial is stopped for it
                told += 1
        tell("scored", key=trial.evaluation.key, description=store.describe(trial.evaluation.key))
        costs = planner.space.search.objective == "dev_against_gpu_hours"
        if not told or costs:
            final = store.describe(trial.trainings[-1].key) or {}
            tune.report(stage_report(final) | {"gpu_hours": _hours(store, trial)})


def holder_of(trial: str, attempt: str) -> str:
    """Under which a Tune trial holds its leases and posts its work; the same if it is started again."""
    return f"{trial}/{attempt}"


def reports(boss: Any, holder: str, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Post a trial's work and yield English dev of its target stage as it is measured, until the work has ended.

    Raises:
        WorkFailedError: it ended with an error.
    """
    seen = ray.get(boss.post.remote(holder, job))
    while True:
        news = ray.get(boss.news.remote(holder, seen))
        if news is None:
            sys.exit(0)  # the trial was stopped; Tune takes a thread's exit with 0 for a clean end
        yield from news.reports
        seen += len(news.reports)
        if news.error is not None:
            raise WorkFailedError(news.error)
        if news.ended:
            return


def _steps_missing(planner: Planner, store: Store, trial: Trial) -> int:
    """Steps of the trial's stages that are not in the store."""
    return sum(node.steps for key, node in trie([trial], planner).items() if store.describe(key) is None)


def _hours(store: Store, trial: Trial) -> float:
    """Hours of the recipe alone, whoever trained its stages."""
    keys = [*(training.key for training in trial.trainings), trial.evaluation.key]
    costs = [(store.describe(key) or {})["cost"] for key in keys]
    return sum(map(hours_of, costs))


@contextmanager
def _leases(boss: Any, holder: str) -> Iterator[None]:
    """Renew the holder's leases in the background, and free them at the end."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEW_SECONDS):
            boss.renew.remote(holder)

    threading.Thread(target=renew, daemon=True).start()
    try:
        yield
    finally:
        done.set()
        boss.release.remote(holder)


@contextmanager
def _crashes_told(tell: foreman.Teller) -> Iterator[None]:
    """Say in a line why the trial crashes, on its way to Tune, which may start it again."""
    try:
        yield
    except Exception as error:
        text = str(error) if isinstance(error, WorkFailedError) else f"{type(error).__name__}: {error}"
        tell("trial_crashed", error=textwrap.shorten(text, LONGEST_ERROR))
        raise


def _claim_missing(boss: Any, store: Store, trial: Trial, holder: str, tell: foreman.Teller) -> int:
    """The number of leading stages that are published; the rest are this holder's. Waits while others train them."""
    waiting = False
    while True:
        published = [store.describe(training.key) is not None for training in trial.trainings]
        missing = published.index(False) if False in published else len(published)
        keys = [training.key for training in trial.trainings[missing:]]
        if not keys:
            return missing
        if ray.get(boss.claim.remote(keys, holder, CLAIM_SECONDS if waiting else 0.0)):
            # The stage may have been published between looking and claiming.
            if store.describe(keys[0]) is None:
                return missing
            ray.get(boss.release.remote(holder))
        elif not waiting:
            tell("waiting", label=trial.trainings[missing].label)
            waiting = True


def _claim_untrained(boss: Any, store: Store, trial: Trial, holder: str) -> bool:
    """Whether this trial is the one that scores the untrained encoder."""
    if trial.untrained is None or store.describe(trial.untrained.key) is not None:
        return False
    return bool(ray.get(boss.claim.remote([trial.untrained.key], holder)))
