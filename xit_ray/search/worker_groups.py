"""Worker groups that outlive trials: Ray Train runs that take one trial's job after the other.

Ray Train starts a controller, a synchronisation actor and workers anew for every run, and they import torch and
transformers: with many small stages that is most of the time. Here a run's training function runs job after job, and
ends when there was none for a while, so that an autoscaling cluster may release its machine. The controllers of all runs
live in one process.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ray
import ray.train
from ray.exceptions import ActorDiedError, RayActorError
from ray.train import WorkerGroupError

from xit_ray.search import coordinator, gpu_sizes
from xit_ray.search.context import SearchContext
from xit_ray.spec.space import Resources

DISMISSAL_SECONDS = 5.0
"""Until the process that starts worker groups has heard that there will be no more."""
NODE_DEATH_SECONDS = 60.0
"""A machine that is gone is known to be by then: Ray waits for five answers, ten seconds each at most."""


class _WorkerPool:
    """Starts worker groups for the jobs of a search.

    Args:
        context: what all trials of the search share.
        slots: how many worker groups may run at a time.
    """

    def __init__(self, context: SearchContext, slots: int) -> None:
        self.context, self.slots = context, slots
        self.coordinator = coordinator.connect(context.run)
        self.name = uuid.uuid4().hex

    def run(self) -> None:
        """Start a worker group whenever there are more jobs than groups, until the search ends."""
        try:
            ray.get(self.coordinator.register_pool.remote(self.name))
            while True:
                added = ray.get(self.coordinator.next_group.remote(self.name, self.slots))
                if added is not None:
                    threading.Thread(target=self._run_group, args=added, daemon=True).start()
                elif ray.get(self.coordinator.is_dismissed.remote()):
                    return
        except ActorDiedError:
            ray.actor.exit_actor()  # the search has ended, and its coordinator with it

    def _run_group(self, group: str, gpu_size: int | None) -> None:
        message, lost, before = None, False, _nodes_alive()
        try:
            _train(self.context, group, gpu_size)
        except Exception as error:  # noqa: BLE001 - the trial whose job it was raises it
            message = cause_of(error)
            # Where one of several workers is lost, the others' broken connections may be what is told first.
            several = self.context.resources.workers > 1
            if not self.context.single_machine and (several or _process_lost(error)):
                # Of a group that did not get to say where it was, any machine lost since may have been its own.
                lost = _machine_lost(ray.get(self.coordinator.nodes_of.remote(group)) or before)
        ray.get(self.coordinator.remove_group.remote(group, message, lost))


@contextmanager
def running(context: SearchContext, slots: int, **options: Any) -> Iterator[None]:
    """While the block runs, worker groups run the jobs that trials submit; at its end they are gone.

    The process that starts them is restarted if it is lost. It is detached, because Ray frees at once what a detached
    actor's runs held, but what another actor's runs held only at the end of the search.
    """
    pools = ray.remote(num_cpus=0)(_WorkerPool).options(
        lifetime="detached", max_restarts=-1, max_task_retries=-1, **options
    )
    pool = pools.remote(context, slots)
    running = pool.run.options(retry_exceptions=True).remote()
    try:
        yield
    finally:
        # Killed in the middle of its work it would be said to have failed, and to be tried again.
        with suppress(Exception):
            ray.get(coordinator.connect(context.run).dismiss_pool.remote())
            ray.wait([running], timeout=DISMISSAL_SECONDS)
        ray.kill(pool)


def cause_of(error: Exception) -> str:
    """What went wrong; for a run, what went wrong in the first of its workers that failed. Without the traceback, which is
    in the log."""
    from xit_ray.search.compat import root_cause

    cause = root_cause(_failures(error)[0])
    return f"{type(cause).__name__}: {cause}"


def _process_lost(error: Exception) -> bool:
    """Whether a worker's process is gone, whatever took it."""
    from xit_ray.search.compat import root_cause

    return any(isinstance(root_cause(one), RayActorError) for one in _failures(error))


def _machine_lost(nodes: set[str]) -> bool:
    """Whether one of some machines is gone, which the cluster may notice a while after the processes on it are."""
    deadline = time.monotonic() + NODE_DEATH_SECONDS
    while not nodes - _nodes_alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def _nodes_alive() -> set[str]:
    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}


def _failures(error: Exception) -> list[Exception]:
    return list(error.worker_failures.values()) if isinstance(error, WorkerGroupError) else [error]


def worker_resources(needs: Resources, gpu_size: int | None) -> dict[str, float]:
    """What each worker asks Ray for."""
    asked: dict[str, float] = {"CPU": needs.cpus}
    if needs.gpus:
        asked["GPU"] = needs.gpus
    if gpu_size is not None:
        asked[gpu_sizes.resource(gpu_size)] = gpu_sizes.SHARE
    return asked


def _train(context: SearchContext, group: str, gpu_size: int | None) -> None:
    """One worker group, from its start to its end."""
    from xit_ray.search.compat import torch_trainer
    from xit_ray.search.worker import work

    needs = context.resources
    torch_trainer(
        work,
        train_loop_config={"group": group, "context": context.model_dump(mode="json")},
        backend="nccl" if needs.gpus else "gloo",
        single_machine=context.single_machine,
        scaling_config=ray.train.ScalingConfig(
            num_workers=needs.workers,
            use_gpu=bool(needs.gpus),
            resources_per_worker=worker_resources(needs, gpu_size),
        ),
        run_config=ray.train.RunConfig(
            # Nothing is restored: what a run has finished is in the stage store, and Tune repeats a failed trial.
            name=f"{context.run}-{group}",
            storage_path=context.ray_storage,
            failure_config=ray.train.FailureConfig(max_failures=0, controller_failure_limit=3),
        ),
    ).fit()
