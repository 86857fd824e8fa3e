"""A TorchTrainer with fewer and lighter processes per run: its controller works in the process that fits it."""

import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

import ray
from ray._private.accelerators import NvidiaGPUAcceleratorManager
from ray._private.utils import get_num_cpus
from ray.train.torch import TorchConfig, TorchTrainer
from ray.train.torch.config import _setup_torch_process_group, _TorchBackend
from ray.train.v2._internal.callbacks import DatasetsCallback
from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
from ray.train.v2._internal.execution.controller import TrainController
from ray.train.v2._internal.execution.worker_group import worker_group

from xit_ray.search.barrier import Barrier

worker_group.SynchronizationActor = Barrier  # a run has no other way to be given one


def machine() -> tuple[int, int]:
    """CPUs and GPUs of this machine, as Ray counts them when it starts."""
    return get_num_cpus(), NvidiaGPUAcceleratorManager.get_current_node_num_accelerators()


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
        controller = TrainController(**arguments)
        asyncio.run(controller.run())
        return controller.get_result()
