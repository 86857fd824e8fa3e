"""A Tune trial: a light driver, without a GPU, that waits for stages others train and submits the rest as a job."""

import logging
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ray
from ray import tune

from xit_ray.plan.trial import Trial
from xit_ray.search import coordinator
from xit_ray.search.context import Job, SearchContext
from xit_ray.search.coordinator import Emit
from xit_ray.search.gpu_sizes import size_for
from xit_ray.search.job_queue import Report
from xit_ray.search.reporting import cost_report, stage_report
from xit_ray.spec.errors import in_a_line
from xit_ray.stages.leases import Leases
from xit_ray.stages.records import scores_record, stage_record
from xit_ray.stages.store import Store
from xit_ray.track.events import StageReused, TrialCrashed, TrialScored, TrialSkipped, TrialWaiting

_log = logging.getLogger(__name__)
CLAIM_SECONDS = 5.0
"""A claim waits this long for a stage to be released before the driver looks into the store again."""
RENEW_SECONDS = 5.0
LONGEST_ERROR = 400
"""Characters; Ray lists every process of a machine that runs out of memory."""
TRIAL = "trial"
"""Key of a Tune trial's configuration: the finished plan of the trial, as JSON."""


class JobFailedError(Exception):
    """A trial's job ended with an error, in its worker group."""


def planned_trial(config: dict[str, Any]) -> Trial:
    """The plan that a Tune trial's configuration holds."""
    return Trial.model_validate_json(config[TRIAL])


def owner_id(trial: str, attempt: str) -> str:
    """ID of a trial attempt: it owns the attempt's leases and its queued job, and survives a restart."""
    return f"{trial}/{attempt}"


def drive(config: dict[str, Any], context: SearchContext) -> None:
    """Train and score the recipe of a finished plan."""
    trial = planned_trial(config)
    owner = owner_id(trial.key, tune.get_context().get_trial_id())
    actor, store = coordinator.connect(context.run), Store(context.store)
    emit = coordinator.emitter(actor)
    leases = Leases(store, context.search)
    with _renewed(actor, owner, leases), _crashes_reported(emit, trial.key):
        if context.has_budget:
            reason = ray.get(actor.admit.remote(trial.key, _missing_steps(store, trial)))
            if reason is not None:
                emit(TrialSkipped(trial=trial.key, reason=reason))
                return
        leased = _claim_missing(actor, leases, trial, owner, emit)
        for training in (training for training in trial.trainings if training.key not in leased):
            record = stage_record(store, training.key)
            assert record is not None
            emit(StageReused(trial=trial.key, key=training.key, label=training.label,
                             final=training is trial.trainings[-1], record=record))  # fmt: skip
        untrained = _claim_untrained(actor, store, trial, owner)
        reported = False
        if leased or store.describe(trial.evaluation.key) is None or untrained:
            size = size_for(trial.gpu_gb, context.resources.gpus, context.gpu_sizes) if trial.gpu_gb else None
            job = Job(trial=trial, owner=owner, leased=leased, gpu_size=size, score_untrained=untrained)
            for metrics in reports(actor, owner, job.model_dump(mode="json")):
                tune.report(metrics)  # does not return if the trial is stopped early
                reported = True
        scores = scores_record(store, trial.evaluation.key)
        assert scores is not None
        emit(TrialScored(trial=trial.key, key=trial.evaluation.key, record=scores))
        if not reported or context.reports_cost:
            tune.report(stage_report(store, trial) | cost_report(store, trial))


def reports(actor: Any, owner: str, job: dict[str, Any]) -> Iterator[Report]:
    """Submit a trial's job and yield English dev of its target stage as it is measured, until the job has ended.

    Raises:
        JobFailedError: it ended with an error.
    """
    seen = ray.get(actor.submit.remote(owner, job))
    while True:
        update = ray.get(actor.update.remote(owner, seen))
        if update is None:
            sys.exit(0)  # the trial was stopped; Tune takes a thread's exit with 0 for a clean end
        yield from update.reports
        seen += len(update.reports)
        if update.error is not None:
            raise JobFailedError(update.error)
        if update.ended:
            return


def _missing_steps(store: Store, trial: Trial) -> int:
    """Steps of the trial's stages that are to be trained."""
    return sum(training.steps for training in trial.to_train(store))


@contextmanager
def _renewed(actor: Any, owner: str, leases: Leases) -> Iterator[None]:
    """Renew the owner's leases in the background, at the coordinator and in the store, and release them at the end."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEW_SECONDS):
            actor.renew.remote(owner)
            try:
                leases.renew()
            except Exception as error:  # noqa: BLE001 - pyarrow raises what it likes; the next beat may be answered
                _log.warning("leases are not renewed: %s", in_a_line(error))

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        actor.release.remote(owner)
        thread.join()
        with suppress(Exception):  # nobody renews them any more, which has the same effect
            leases.release()


@contextmanager
def _crashes_reported(emit: Emit, trial: str) -> Iterator[None]:
    """Say in a line why the trial crashes; Tune, which gets the exception, may start it again."""
    try:
        yield
    except Exception as error:
        text = str(error) if isinstance(error, JobFailedError) else f"{type(error).__name__}: {error}"
        emit(TrialCrashed(trial=trial, error=textwrap.shorten(text, LONGEST_ERROR)))
        raise


def _claim_missing(actor: Any, leases: Leases, trial: Trial, owner: str, emit: Emit) -> tuple[str, ...]:
    """Keys of the stages that are to be trained, which the owner now leases, as it does the scoring. Waits while others
    train them: trials of this search, which the coordinator knows, or another search with the same store."""
    store, waiting = leases.store, False
    while True:
        missing = trial.to_train(store)
        keys = [training.key for training in missing]
        unscored = [trial.evaluation.key] if store.describe(trial.evaluation.key) is None else []
        if not keys and not unscored:
            return ()
        if not keys or ray.get(actor.claim_stages.remote(keys, owner, CLAIM_SECONDS if waiting else 0.0)):
            # Stages may have been published between looking and claiming.
            changed = missing != trial.to_train(store)
            if not changed and leases.claim([*keys, *unscored]):
                return tuple(keys)
            ray.get(actor.release.remote(owner))
            if changed:
                continue
            time.sleep(CLAIM_SECONDS if waiting else 0.0)
        if not waiting:
            emit(TrialWaiting(trial=trial.key, label=missing[0].label if missing else trial.cell.target))
            waiting = True


def _claim_untrained(actor: Any, store: Store, trial: Trial, owner: str) -> bool:
    """Whether this trial is the one that scores the pretrained encoder."""
    if trial.untrained is None or store.describe(trial.untrained.key) is not None:
        return False
    return bool(ray.get(actor.claim_stages.remote([trial.untrained.key], owner)))
