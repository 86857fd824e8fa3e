"""A Tune trial: a light driver, without a GPU, that waits for stages others train and starts one run for the rest."""

import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
import ray.train
from ray import tune
from ray.train import WorkerGroupError
from ray.train.torch import TorchConfig
from ray.tune.integration.ray_train import TuneReportCallback

from xit_ray.plan.planner import Planner, Trial
from xit_ray.plan.trie import trie
from xit_ray.search import foreman
from xit_ray.search.job import Job, Site
from xit_ray.search.lean import LeanTorchTrainer, StopsItsRun
from xit_ray.search.worker import stage_report, work
from xit_ray.stages.store import Store

POLL_SECONDS = 0.5
RENEW_SECONDS = 5.0
LONGEST_ERROR = 400
"""Characters; Ray lists every process of a machine that runs out of memory."""
HANDOVER_SECONDS = 0.3
"""Tune fetches a run's last report within 0.2 s; returning before that would race with it."""


def drive(config: dict[str, Any], planner: Planner, site: Site) -> None:
    """Train and score the recipe ``config["recipe"]``."""
    trial = planner.trial(config["recipe"])
    boss, store, holder = foreman.find(site.run), Store(site.store), f"{trial.key}/{tune.get_context().get_trial_id()}"
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
        if missing < len(trial.trainings) or store.describe(trial.evaluation.key) is None or untrained:
            _run(trial, site, holder, missing, untrained)
        tell("scored", key=trial.evaluation.key, description=store.describe(trial.evaluation.key))
        costs = planner.space.search.objective == "dev_against_gpu_hours"
        if missing == len(trial.trainings) or costs:
            final = store.describe(trial.trainings[-1].key) or {}
            tune.report(stage_report(final) | {"gpu_hours": _hours(store, trial)})


drive.__mixins__ = (StopsItsRun,)  # type: ignore[attr-defined]


def _steps_missing(planner: Planner, store: Store, trial: Trial) -> int:
    """Steps of the trial's stages that are not in the store."""
    return sum(node.steps for key, node in trie([trial], planner).items() if store.describe(key) is None)


def _hours(store: Store, trial: Trial) -> float:
    """GPU-hours of the recipe alone, whoever trained its stages; device-hours where there is no GPU."""
    keys = [*(training.key for training in trial.trainings), trial.evaluation.key]
    costs = [(store.describe(key) or {})["cost"] for key in keys]
    return float(sum(cost["gpu_hours"] or cost["device_seconds"] / 3600 for cost in costs))


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
        causes = list(error.worker_failures.values()) if isinstance(error, WorkerGroupError) else [error]
        tell("trial_crashed", error=textwrap.shorten(f"{type(causes[0]).__name__}: {causes[0]}", LONGEST_ERROR))
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
        if ray.get(boss.claim.remote(keys, holder)):
            # The stage may have been published between looking and claiming.
            if store.describe(keys[0]) is None:
                return missing
            ray.get(boss.release.remote(holder))
            continue
        if not waiting:
            tell("waiting", label=trial.trainings[missing].label)
            waiting = True
        time.sleep(POLL_SECONDS)


def _claim_untrained(boss: Any, store: Store, trial: Trial, holder: str) -> bool:
    """Whether this trial is the one that scores the untrained encoder."""
    if trial.untrained is None or store.describe(trial.untrained.key) is not None:
        return False
    return bool(ray.get(boss.claim.remote([trial.untrained.key], holder)))


def _run(trial: Trial, site: Site, holder: str, missing: int, score_untrained: bool) -> None:
    job = Job(site=site, trial=trial, holder=holder, skip=missing, score_untrained=score_untrained)
    resources: dict[str, float] = {"CPU": site.resources.cpus}
    if site.resources.gpus:
        resources["GPU"] = site.resources.gpus
    LeanTorchTrainer(
        work,
        train_loop_config=job.model_dump(mode="json"),
        torch_config=TorchConfig(backend="nccl" if site.resources.gpus else "gloo"),
        scaling_config=ray.train.ScalingConfig(
            num_workers=site.resources.workers, use_gpu=bool(site.resources.gpus), resources_per_worker=resources
        ),
        run_config=ray.train.RunConfig(
            # One run a Tune attempt, with nothing to restore: what a run has finished is in the stage store.
            name=f"{holder.replace('/', '-')}-{missing}-{time.time_ns()}",
            storage_path=site.scratch,
            callbacks=[TuneReportCallback()],
            failure_config=ray.train.FailureConfig(max_failures=0, controller_failure_limit=3),
        ),
    ).fit()
    time.sleep(HANDOVER_SECONDS)
