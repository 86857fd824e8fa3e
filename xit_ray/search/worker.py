"""Inside a Ray Train worker: run one trial's job after the other, training its missing stages and scoring it."""

from __future__ import annotations

import contextlib
import gc
import platform
import threading
import time
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import ActorDiedError

from xit_ray.search import coordinator, notices
from xit_ray.search.context import Job, SearchContext, stage_context
from xit_ray.search.reporting import progress_report
from xit_ray.spec.errors import UserError
from xit_ray.track.events import (
    Event,
    ScoringStarted,
    StageProgress,
    StagePublished,
    StageReused,
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


HELD_SECONDS = 180.0
"""A worker whose machine will be taken stays for so long, so that nobody else begins to work there."""


class UnwantedError(Exception):
    """The trial was stopped while a worker trained for it."""


class MachineTakenError(Exception):
    """A worker's machine will be taken; what it had done is in a snapshot."""


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
        if not torch.cuda.is_available():
            raise UserError(
                f"{platform.node()}: torch {torch.__version__} sees no GPU there, and resources.gpus asks for one; "
                "install a CUDA build of torch, and see what nvidia-smi says"
            )
        torch.cuda.set_device(get_device())
    leaving = threading.Event()
    if not context.single_machine:
        notices.watch(leaving)
    while not replicas.any([leaving.is_set()])[0]:
        claimed = replicas.object_of_first(_claimed(actor, group) if replicas.first else None)
        if claimed is None:
            return
        try:
            _Worker(Job.model_validate(claimed), context, actor, replicas, leaving).run()
        except MachineTakenError:
            break
        if replicas.first:
            ray.get(actor.complete.remote(group))
        if context.resources.gpus:
            gc.collect()
            torch.cuda.empty_cache()
    if replicas.first:
        ray.get(actor.hand_back.remote(group))
    time.sleep(HELD_SECONDS)


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
        leaving: set when this worker's machine will be taken.
    """

    def __init__(
        self, job: Job, context: SearchContext, actor: Any, replicas: Replicas, leaving: threading.Event
    ) -> None:
        self.job, self.actor, self.replicas = job, actor, replicas
        self.trial = job.trial
        self.stage = stage_context(context, job.trial.recipe.model, leaving)
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
        missing = [training.key for training in trial.to_train(self.store)] if self.replicas.first else None
        missing = self.replicas.object_of_first(missing)
        # What is missing is leased, but for weights that were dropped since.
        for training in (one for one in trial.trainings if one.key in self.job.leased or one.key in missing):
            if training.key not in missing:
                self._taken(training)  # another search published it since
            elif not self._train(training):
                return
            if self.replicas.first:
                self.store.delete_snapshot(training.key)  # it outlives a worker that died just after publishing
                ray.get(self.actor.release.remote(self.job.owner, training.key))
        starts = ScoringStarted(trial=trial.key, label=trial.cell.target)
        if self._missing(trial.evaluation.key) and self._proceed(starts):
            scoring.evaluate(self.stage, trial.evaluation)

    def _about(self, training: Training) -> dict[str, Any]:
        """What every event of a stage says."""
        final = training is self.trial.trainings[-1]
        return {"trial": self.trial.key, "key": training.key, "label": training.label, "final": final}

    def _taken(self, training: Training) -> None:
        """Say that a stage is taken from the store."""
        from xit_ray.stages.records import stage_record

        if self.replicas.first and (record := stage_record(self.store, training.key)) is not None:
            self._emit(StageReused(**self._about(training), record=record))

    def _train(self, training: Training) -> bool:
        """Train a stage; False if the trial was stopped meanwhile."""
        from xit_ray.stages import execute

        about = self._about(training)
        if not self._proceed(StageStarted(**about)):
            return False
        try:
            reporter = _Reporter(self.actor, self.job, about, self.replicas, self.stage.leaving)
            record = execute.train(self.stage, training, reporter)
        except UnwantedError:
            if about["final"] and self.replicas.first:
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
        MachineTakenError: at all workers at the same step, after a snapshot, where the machine of one of them will be taken.
    """

    def __init__(
        self, actor: Any, job: Job, about: dict[str, Any], replicas: Replicas, leaving: threading.Event
    ) -> None:
        from xit_ray.core.train import AGREE_STEPS

        self.actor, self.job, self.about, self.replicas, self.leaving = actor, job, about, replicas, leaving
        self.saved = False
        """Whether the snapshot was taken that the notice made due."""
        self.agree_steps = AGREE_STEPS
        self.next_report = 0.0
        self.answer: Any = None
        """The coordinator's answer to the last report, which is not waited for."""

    def __call__(self, progress: Progress) -> None:
        # Several workers agree as seldom as they do about snapshots.
        due = self.replicas.world == 1 or progress.step % self.agree_steps == 0 or progress.dev is not None
        if due and self.replicas.of_first(self.replicas.first and self._stopped()):
            raise UnwantedError
        if due and self.saved:
            raise MachineTakenError
        if self.replicas.world == 1 or progress.step % self.agree_steps == 0:
            self.saved = self.replicas.any([self.leaving.is_set()])[0]
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
