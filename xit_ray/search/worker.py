"""Inside a Ray Train worker: run one trial's job after the other, training its missing stages and scoring it."""

from __future__ import annotations

import contextlib
import gc
import time
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import ActorDiedError

from xit_ray.search import coordinator
from xit_ray.search.context import Job, SearchContext, stage_context
from xit_ray.search.reporting import progress_report
from xit_ray.track.events import (
    Event,
    ScoringStarted,
    StageProgress,
    StagePublished,
    StageStarted,
    UntrainedScored,
)

if TYPE_CHECKING:
    from xit_ray.core.replicas import Replicas
    from xit_ray.core.train import Progress
    from xit_ray.stages.work import Training

PROGRESS_SECONDS = 1.0
IDLE_SECONDS = 30.0
"""A worker group that has had no job for this long ends, so that its machine may be released."""


class UnwantedError(Exception):
    """The trial was stopped while a worker trained for it."""


def work(config: dict[str, Any]) -> None:
    """The training function of a run: all its workers run a trial's job together, as long as there are jobs."""
    # The driver imports this module too; only the worker needs torch and transformers.
    import torch
    from ray.train.torch import get_device

    from xit_ray.core.replicas import here

    context, group, replicas = SearchContext.model_validate(config["context"]), config["group"], here()
    actor = coordinator.connect(context.run)
    ray.get(actor.locate.remote(group, ray.get_runtime_context().get_node_id()))
    if context.resources.gpus:
        torch.cuda.set_device(get_device())
    while True:
        claimed = replicas.object_of_first(_claimed(actor, group) if replicas.first else None)
        if claimed is None:
            return
        _Worker(Job.model_validate(claimed), context, actor, replicas).run()
        if replicas.first:
            ray.get(actor.complete.remote(group))
        if context.resources.gpus:
            gc.collect()
            torch.cuda.empty_cache()


def _claimed(actor: Any, group: str) -> dict[str, Any] | None:
    """The next job; None if there was none for a while, or the search has ended, and its coordinator with it."""
    with contextlib.suppress(ActorDiedError):
        job: dict[str, Any] | None = ray.get(actor.claim_job.remote(group, IDLE_SECONDS))
        return job
    return None


class _Worker:
    """Runs one job. What is published already is not done again, so a job that is submitted again goes on.

    Args:
        job: of the trial.
        context: of the search.
        actor: the coordinator.
        replicas: this worker among those of its group; the first one speaks for all.
    """

    def __init__(self, job: Job, context: SearchContext, actor: Any, replicas: Replicas) -> None:
        self.job, self.actor, self.replicas = job, actor, replicas
        self.trial = job.trial
        self.stage = stage_context(context, job.trial.recipe.model)
        self.store = self.stage.store

    def run(self) -> None:
        """Score the pretrained encoder if asked, train the missing stages, and score the last one."""
        from xit_ray.stages import scoring

        trial = self.trial
        if self.job.score_untrained and trial.untrained is not None:
            if not self._proceed(ScoringStarted(trial=trial.key, label="untrained")):
                return
            record = scoring.evaluate(self.stage, trial.untrained)
            model = trial.recipe.model.label
            self._emit(UntrainedScored(trial=trial.key, model=model, key=trial.untrained.key, record=record))
        for training in trial.trainings[self.job.skip :]:
            if self._missing(training.key) and not self._train(training):
                return
            if self.replicas.first:
                self.store.delete_snapshot(training.key)  # it outlives a worker that died just after publishing
                ray.get(self.actor.release.remote(self.job.owner, training.key))
        starts = ScoringStarted(trial=trial.key, label=trial.cell.target)
        if self._missing(trial.evaluation.key) and self._proceed(starts):
            scoring.evaluate(self.stage, trial.evaluation)

    def _train(self, training: Training) -> bool:
        """Train a stage; False if the trial was stopped meanwhile."""
        from xit_ray.stages import execute

        final = training is self.trial.trainings[-1]
        about: dict[str, Any] = {"trial": self.trial.key, "key": training.key, "label": training.label, "final": final}
        if not self._proceed(StageStarted(**about)):
            return False
        try:
            record = execute.train(self.stage, training, _Reporter(self.actor, self.job, about, self.replicas))
        except UnwantedError:
            if final and self.replicas.first:
                self.store.delete_snapshot(training.key)  # only this trial would have gone on from it
            return False
        self._emit(StagePublished(**about, record=record))
        return True

    def _emit(self, event: Event) -> None:
        if self.replicas.first:
            ray.get(self.actor.emit.remote(event))

    def _proceed(self, event: Event) -> bool:
        """Record what comes next, unless the trial is over; whether to go on, alike at all workers."""
        wanted = self.replicas.first and ray.get(self.actor.proceed.remote(self.job.owner, event))
        return bool(self.replicas.of_first(wanted))

    def _missing(self, key: str) -> bool:
        """Whether an entry is not published, as the first worker sees it."""
        return bool(self.replicas.of_first(self.replicas.first and self.store.describe(key) is None))


class _Reporter:
    """Passes a stage's progress to the coordinator (the first worker does), and the target stage's English dev to Tune.

    Raises:
        UnwantedError: at all workers at the same step, soon after the trial was stopped.
    """

    def __init__(self, actor: Any, job: Job, about: dict[str, Any], replicas: Replicas) -> None:
        from xit_ray.core.train import AGREE_STEPS

        self.actor, self.job, self.about, self.replicas = actor, job, about, replicas
        self.agree_steps = AGREE_STEPS
        self.next_report = 0.0
        self.answer: Any = None
        """The coordinator's answer to the last report, which is not waited for."""

    def __call__(self, progress: Progress) -> None:
        # Several workers agree as seldom as they do about snapshots.
        due = self.replicas.world == 1 or progress.step % self.agree_steps == 0 or progress.dev is not None
        if due and self.replicas.of_first(self.replicas.first and self._stopped()):
            raise UnwantedError
        now = time.monotonic()
        if not self.replicas.first or (progress.dev is None and now < self.next_report):
            return
        self.next_report = now + PROGRESS_SECONDS
        event = StageProgress(
            **self.about,
            step=progress.step,
            steps=progress.steps,
            loss=progress.loss,
            dev=progress.dev,
            best=progress.best,
        )
        self.answer = self.actor.proceed.remote(self.job.owner, event)
        if progress.dev is not None and self.about["final"]:
            self.actor.report.remote(self.job.owner, progress_report(progress.best, progress.step, progress.steps))

    def _stopped(self) -> bool:
        if self.answer is None or not ray.wait([self.answer], timeout=0)[0]:
            return False
        wanted, self.answer = ray.get(self.answer), None
        return not wanted
