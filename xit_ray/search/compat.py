"""What is private in Ray, all of it: touched here alone, each symbol with its reason.

It makes a Train run with fewer and lighter processes, whose controller works in the process that fits it, and keeps the
ports of two workers on one machine closed. Where something of it is missing, plain ``TorchTrainer`` does the work, slower.
``pyproject.toml`` bounds the versions that this was written for.
"""

import asyncio
import logging
import os
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError
from ray.train.torch import TorchConfig, TorchTrainer

from xit_ray.search.barrier import Barrier

SYMBOLS = {
    "ray._private.accelerators.NvidiaGPUAcceleratorManager": "GPUs of this machine as Ray counts them, before it starts",
    "ray._private.utils.get_num_cpus": "the same of CPUs, with the limits of a container",
    "ray.train.torch.config._TorchBackend": "sets up the workers of a run; ours opens no port",
    "ray.train.torch.config._setup_torch_process_group": "joins the process group, by a file",
    "ray.train.v2._internal.callbacks.DatasetsCallback": "the dataset manager, a process that stages do not need",
    "ray.train.v2._internal.callbacks.placement_group_callback.PlacementGroupCleanerCallback": "another one",
    "ray.train.v2._internal.execution.controller.TrainController": "runs here, and not in a process of its own",
    "ray.train.v2._internal.execution.scaling_policy.fixed.FixedScalingPolicy": "ours asks for nothing more",
    "ray.train.v2._internal.execution.worker_group.worker_group.SynchronizationActor": "a barrier; ``Barrier`` replaces it",
    "ray.train.v2._internal.execution.worker_group.worker_group.WorkerGroup": "ours gives back what a failed start holds",
}
_log = logging.getLogger(__name__)

try:
    from ray._private.accelerators import NvidiaGPUAcceleratorManager
    from ray._private.utils import get_num_cpus
    from ray.train.torch.config import _setup_torch_process_group, _TorchBackend
    from ray.train.v2._internal.callbacks import DatasetsCallback
    from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
    from ray.train.v2._internal.execution.controller import TrainController
    from ray.train.v2._internal.execution.scaling_policy.fixed import FixedScalingPolicy
    from ray.train.v2._internal.execution.worker_group import worker_group
    from ray.train.v2._internal.execution.worker_group.worker_group import WorkerGroup

    worker_group.SynchronizationActor = Barrier  # a run has no other way to be given one
    MISSING: str | None = None
except (ImportError, AttributeError) as error:
    MISSING = str(error)
    _TorchBackend = TrainController = FixedScalingPolicy = WorkerGroup = object


def machine() -> tuple[int, int]:
    """CPUs and GPUs of this machine, as Ray counts them when it starts."""
    if MISSING is None:
        return get_num_cpus(), NvidiaGPUAcceleratorManager.get_current_node_num_accelerators()
    import torch

    return os.cpu_count() or 1, torch.cuda.device_count()


def root_cause(error: BaseException) -> BaseException:
    """What went wrong first, under Ray's and Ray Train's wrappings, which print as whole tracebacks."""
    while True:
        inner = (
            getattr(error, "health_check_failure", None)  # of a worker that does not answer
            or getattr(error, "_base_exc", None)  # of the training function
            or getattr(error, "controller_failure", None)
            or (error.cause if isinstance(error, RayTaskError) else None)
            or (
                error.__cause__ if isinstance(error.__cause__, RayActorError) else None
            )  # of a group that did not start
        )
        if not isinstance(inner, BaseException):
            return error
        error = inner


def torch_trainer(*arguments: Any, backend: str, single_machine: bool, **more: Any) -> TorchTrainer:
    """A ``TorchTrainer``, the lean one where this version of Ray allows it.

    Args:
        arguments, more: of ``TorchTrainer``.
        backend: ``nccl`` or ``gloo``.
        single_machine: whether all workers are on this machine.
    """
    if MISSING is not None:
        _log.warning(
            "Ray %s has changed inside (%s); its plain trainer is used, which is slower", ray.__version__, MISSING
        )
        return TorchTrainer(*arguments, torch_config=TorchConfig(backend=backend), **more)
    config = LeanTorchConfig(backend=backend, single_machine=single_machine)
    return LeanTorchTrainer(*arguments, torch_config=config, **more)


@dataclass
class LeanTorchConfig(TorchConfig):  # type: ignore[misc]
    """A single worker has no process group, and workers of one machine find each other by a file: torch's own way opens a
    port on every network interface."""

    single_machine: bool = True
    """Whether all workers are on this machine."""

    @property
    def backend_cls(self) -> type[_TorchBackend]:
        """What sets a run's workers up."""
        return _LeanBackend


class _LeanBackend(_TorchBackend):  # type: ignore[misc]
    def on_start(self, worker_group: Any, backend_config: LeanTorchConfig) -> None:
        if len(worker_group) > 1 and not backend_config.single_machine:
            super().on_start(worker_group, backend_config)
        elif len(worker_group) > 1:
            meeting = f"file://{tempfile.mkdtemp(prefix='xit-meeting-')}/store"
            about = backend_config.backend, len(worker_group), meeting, backend_config.timeout_s
            ray.get([worker_group.execute_single_async(i, _meet, i, *about) for i in range(len(worker_group))])


def _meet(rank: int, backend: str, world: int, meeting: str, timeout: int) -> None:
    """Join the process group, by the loopback interface alone."""
    os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = "lo0" if sys.platform == "darwin" else "lo"
    _setup_torch_process_group(backend, rank, world, meeting, timeout)


class LeanTorchTrainer(TorchTrainer):
    """Without the dataset manager (stages read their own rows), and without the process that frees the resources of a run
    whose controller was lost (Ray frees them with the actor that made them, where that is a detached one)."""

    def _create_default_callbacks(self) -> list[Any]:
        unneeded = (PlacementGroupCleanerCallback, DatasetsCallback)
        return [callback for callback in super()._create_default_callbacks() if not isinstance(callback, unneeded)]

    def _initialize_and_run_controller(self, **arguments: Any) -> Any:
        controller = _Controller(**arguments | {"scaling_policy": _PlacementGroupAlone(self.scaling_config)})
        asyncio.run(controller.run())
        return controller.get_result()


class _PlacementGroupAlone(FixedScalingPolicy):  # type: ignore[misc]
    """A run's placement group alone tells an autoscaling cluster what it needs. Ray's own policy also asks an actor that asks
    the cluster; that is one more process of 200 MB, and what it asks for outlives the run by three minutes."""

    def after_controller_start(self, train_run_context: Any) -> None:
        """Ask for nothing."""

    def _maybe_send_resource_request(self) -> None:
        """Ask for nothing."""


class _WorkerGroup(WorkerGroup):  # type: ignore[misc]
    """Gives its placement group back where its start fails late. Ray leaves that to the end of the controller's process,
    which here lives on."""

    def _start(self) -> None:
        try:
            super()._start()
        except Exception:
            if self.has_started():
                self.shutdown()
            raise


class _Controller(TrainController):  # type: ignore[misc]
    worker_group_cls = _WorkerGroup
