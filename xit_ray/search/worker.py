"""Inside a Ray Train worker: take one trial's work after the other, train its missing stages, and score it."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Any

import ray

from xit_ray.search import foreman
from xit_ray.search.job import Job, Site
from xit_ray.stages.store import Store

if TYPE_CHECKING:
    from xit_ray.core.replicas import Replicas
    from xit_ray.core.train import Progress

PROGRESS_SECONDS = 1.0
IDLE_SECONDS = 30.0
"""A crew that has had no work for so long gives its machine back."""
WHOLE = 1000
"""Progress through the target stage is told to the scheduler in thousandths, alike for stages of any length."""


class UnwantedError(Exception):
    """The trial was stopped while a worker trained for it."""


def work(config: dict[str, Any]) -> None:
    """The training function of a run: all its workers do a trial's work together, as long as there is any."""
    # The driver imports this module too; only the worker needs torch and transformers.
    import torch
    from ray.train.torch import get_device

    from xit_ray.core.replicas import here

    site, crew, everyone = Site.model_validate(config["site"]), config["crew"], here()
    boss = foreman.find(site.run)
    if site.resources.gpus:
        torch.cuda.set_device(get_device())
    while True:
        taken = everyone.object_of_first(ray.get(boss.take.remote(crew, IDLE_SECONDS)) if everyone.first else None)
        if taken is None:
            return
        _do(Job.model_validate(taken), site, boss, everyone)
        if everyone.first:
            ray.get(boss.finish.remote(crew))
        if site.resources.gpus:
            gc.collect()
            torch.cuda.empty_cache()


def _do(job: Job, site: Site, boss: Any, everyone: Replicas) -> None:
    """One trial's work. What is published already is not done again, so work that is posted again goes on."""
    from xit_ray.search.bench import bench_of
    from xit_ray.stages import execute, scoring

    bench = bench_of(site, job.trial.recipe.model)
    store = bench.store
    tell = foreman.teller(boss, job.trial.key) if everyone.first else _say_nothing

    def go_on(kind: str, **content: Any) -> bool:
        told = boss.go_on.remote(job.holder, kind, trial=job.trial.key, **content) if everyone.first else None
        return bool(everyone.of_first(told is not None and ray.get(told)))

    if job.score_untrained and job.trial.untrained is not None:
        if not go_on("scoring", label="untrained"):
            return
        found = scoring.evaluate(bench, job.trial.untrained)
        tell("untrained_scored", key=job.trial.untrained.key, description=found)
    for training in job.trial.trainings[job.skip :]:
        if _missing(store, training.key, everyone):
            final = training is job.trial.trainings[-1]
            about = {"key": training.key, "label": training.label, "final": final}
            if not go_on("stage_started", **about):
                return
            try:
                description = execute.train(bench, training, _Reporter(boss, job, about, everyone))
            except UnwantedError:
                if final and everyone.first:
                    store.drop(training.key)  # only this trial would have gone on from its snapshot
                return
            tell("stage_published", **about, description=description)
        if everyone.first:
            store.drop(training.key)  # a snapshot outlives a worker that died just after publishing
            ray.get(boss.release.remote(job.holder, training.key))
    if _missing(store, job.trial.evaluation.key, everyone) and go_on("scoring", label=job.trial.target):
        scoring.evaluate(bench, job.trial.evaluation)


def _missing(store: Store, key: str, everyone: Replicas) -> bool:
    """Whether an entry is not published, as the first worker sees it."""
    return bool(everyone.of_first(store.describe(key) is None))


def _say_nothing(kind: str, **content: Any) -> None:
    """What workers other than the first tell the foreman."""


class _Reporter:
    """Passes a stage's progress to the foreman (the first worker does), and the target stage's English dev for Tune.

    Raises:
        UnwantedError: in all workers at the same step, soon after the trial was stopped.
    """

    def __init__(self, boss: Any, job: Job, about: dict[str, Any], everyone: Replicas) -> None:
        self.boss, self.job, self.about, self.everyone = boss, job, about, everyone
        from xit_ray.core.train import AGREE_STEPS

        self.agree_steps = AGREE_STEPS
        self.next = 0.0
        self.wanted: Any = None
        """The foreman's answer to the last progress it was told, not waited for."""

    def __call__(self, progress: Progress) -> None:
        # Several workers agree as seldom as they do about snapshots.
        due = self.everyone.world == 1 or progress.step % self.agree_steps == 0 or progress.dev is not None
        if due and self.everyone.of_first(self.everyone.first and self._stopped()):
            raise UnwantedError
        now = time.monotonic()
        if not self.everyone.first or (progress.dev is None and now < self.next):
            return
        self.next = now + PROGRESS_SECONDS
        self.wanted = self.boss.go_on.remote(
            self.job.holder,
            "progress",
            trial=self.job.trial.key,
            **self.about,
            step=progress.step,
            steps=progress.steps,
            loss=progress.loss,
            dev=progress.dev,
            best=progress.best,
        )
        if progress.dev is not None and self.about["final"]:
            share = round(WHOLE * progress.step / progress.steps)
            report = {"dev": progress.best, "progress": share, "step": progress.step}
            self.boss.report.remote(self.job.holder, report)

    def _stopped(self) -> bool:
        if self.wanted is None or not ray.wait([self.wanted], timeout=0)[0]:
            return False
        answer, self.wanted = ray.get(self.wanted), None
        return not answer


def stage_report(description: dict[str, Any]) -> dict[str, Any]:
    """What a trial whose target stage was published before tells Tune in place of training it."""
    return {"dev": description["dev"], "progress": WHOLE, "step": description["steps"]}
