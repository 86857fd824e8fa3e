"""Inside a Ray Train worker: train a trial's missing stages one after the other, then score it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import ray
import ray.train

from xit_ray.search import foreman
from xit_ray.search.job import Job
from xit_ray.stages.store import Store

if TYPE_CHECKING:
    from xit_ray.core.train import Progress

PROGRESS_SECONDS = 1.0
WHOLE = 1000
"""Progress through the target stage is told to the scheduler in thousandths, alike for stages of any length."""


def work(config: dict[str, Any]) -> None:
    """The training function of a run. What is published already is not done again, so a restarted run goes on."""
    # The driver and the controller import this module too; only the worker needs torch and transformers.
    import ray.train.torch
    import torch

    from xit_ray.search.bench import bench_of
    from xit_ray.stages import execute, scoring

    job = Job.model_validate(config)
    boss = foreman.find(job.site.run)
    if job.site.resources.gpus:
        torch.cuda.set_device(ray.train.torch.get_device())
    bench = bench_of(job.site, job.trial.recipe.model)
    store = bench.store
    first = ray.train.get_context().get_world_rank() == 0
    tell = foreman.teller(boss, job.trial.key) if first else _say_nothing
    if job.score_untrained and job.trial.untrained is not None:
        tell("scoring", label="untrained")
        found = scoring.evaluate(bench, job.trial.untrained)
        tell("untrained_scored", key=job.trial.untrained.key, description=found)
    for training in job.trial.trainings[job.skip :]:
        if _missing(store, training.key):
            final = training is job.trial.trainings[-1]
            about = {"key": training.key, "label": training.label, "final": final}
            tell("stage_started", **about)
            reporter = _Reporter(boss if first else None, {"trial": job.trial.key, **about})
            description = execute.train(bench, training, reporter)
            tell("stage_published", **about, description=description)
        if first:
            store.drop(training.key)  # a snapshot outlives a worker that died just after publishing
            ray.get(boss.release.remote(job.holder, training.key))
    if _missing(store, job.trial.evaluation.key):
        tell("scoring", label=job.trial.target)
        scoring.evaluate(bench, job.trial.evaluation)


def _missing(store: Store, key: str) -> bool:
    """Whether an entry is not published, as the first worker sees it."""
    from xit_ray.core.replicas import here

    return bool(here().of_first(store.describe(key) is None))


def _say_nothing(kind: str, **content: Any) -> None:
    """What workers other than the first tell the foreman."""


class _Reporter:
    """Passes a stage's progress to the foreman (the first worker does), and the target stage's English dev to Tune."""

    def __init__(self, boss: Any, about: dict[str, Any]) -> None:
        self.boss, self.about = boss, about
        self.next = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.dev is None and now < self.next:
            return
        self.next = now + PROGRESS_SECONDS
        if self.boss is not None:
            self.boss.emit.remote(
                "progress",
                **self.about,
                step=progress.step,
                steps=progress.steps,
                loss=progress.loss,
                dev=progress.dev,
                best=progress.best,
            )
        if progress.dev is not None and self.about["final"]:
            share = round(WHOLE * progress.step / progress.steps)
            ray.train.report({"dev": progress.best, "progress": share, "step": progress.step})


def stage_report(description: dict[str, Any]) -> dict[str, Any]:
    """What a trial whose target stage was published before tells Tune in place of training it."""
    return {"dev": description["dev"], "progress": WHOLE, "step": description["steps"]}
