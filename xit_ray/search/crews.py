"""Crews: Ray Train runs that live on from trial to trial, so that a trial does not pay for the start of processes.

Ray Train starts a controller, a synchronisation actor and its workers anew for every run, which import torch and
transformers: with many small stages that is most of the time. Here a run's training function takes one trial's work after
the other, and ends when there was none for a while, so that an autoscaling cluster may let its machine go. The
controllers of all runs live in one process.
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
import ray.train
from ray.exceptions import ActorDiedError
from ray.train import WorkerGroupError

from xit_ray.search import foreman
from xit_ray.search.job import Site


class _Crews:
    """Mans the places of a search.

    Args:
        site: what all trials of the search share.
        places: how many runs may go on at a time.
    """

    def __init__(self, site: Site, places: int) -> None:
        self.site, self.places = site, places
        self.boss = foreman.find(site.run)
        self.name = uuid.uuid4().hex

    def keep(self) -> None:
        """Start a crew whenever there is more work than crews, until the search ends and takes this process with it."""
        try:
            ray.get(self.boss.appoint.remote(self.name))
            while True:
                crew = ray.get(self.boss.recruit.remote(self.name, self.places))
                if crew is not None:
                    threading.Thread(target=self._man, args=(crew,), daemon=True).start()
        except ActorDiedError:
            ray.actor.exit_actor()  # the search is no more, and its foreman went with it

    def _man(self, crew: str) -> None:
        error = None
        try:
            _run(self.site, crew)
        except Exception as found:  # noqa: BLE001 - the trial whose work it was raises it
            error = cause_of(found)
        ray.get(self.boss.leave.remote(crew, error))


@contextmanager
def manned(site: Site, places: int, **options: Any) -> Iterator[None]:
    """While the block runs, crews are there for the work that trials post; then they are gone.

    The process that keeps them is started again if it is lost. It is detached, because Ray gives back at once what a
    detached actor's runs held, and what another actor's held only at the end of the search.
    """
    crews = ray.remote(num_cpus=0)(_Crews).options(lifetime="detached", max_restarts=-1, max_task_retries=-1, **options)
    keeper = crews.remote(site, places)
    keeper.keep.options(retry_exceptions=True).remote()
    try:
        yield
    finally:
        ray.kill(keeper)


def cause_of(error: Exception) -> str:
    """What went wrong; of a run, what went wrong in its first worker that failed."""
    causes = list(error.worker_failures.values()) if isinstance(error, WorkerGroupError) else [error]
    return f"{type(causes[0]).__name__}: {causes[0]}"


def _run(site: Site, crew: str) -> None:
    """One crew, from its start to its end."""
    from xit_ray.search.lean import LeanTorchConfig, LeanTorchTrainer
    from xit_ray.search.worker import work

    needs = site.resources
    resources: dict[str, float] = {"CPU": needs.cpus}
    if needs.gpus:
        resources["GPU"] = needs.gpus
    LeanTorchTrainer(
        work,
        train_loop_config={"crew": crew, "site": site.model_dump(mode="json")},
        torch_config=LeanTorchConfig(backend="nccl" if needs.gpus else "gloo", here=site.here),
        scaling_config=ray.train.ScalingConfig(
            num_workers=needs.workers, use_gpu=bool(needs.gpus), resources_per_worker=resources
        ),
        run_config=ray.train.RunConfig(
            # Nothing is restored: what a run has finished is in the stage store, and a failed trial is Tune's to repeat.
            name=f"{site.run}-{crew}",
            storage_path=site.scratch,
            failure_config=ray.train.FailureConfig(max_failures=0, controller_failure_limit=3),
        ),
    ).fit()
