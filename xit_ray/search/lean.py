"""A TorchTrainer with fewer and lighter processes a run: its controller works in the process that fits it."""

import asyncio
from typing import Any

from ray.train.torch import TorchTrainer
from ray.train.v2._internal.callbacks import DatasetsCallback
from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
from ray.train.v2._internal.execution.controller import TrainController
from ray.train.v2._internal.execution.worker_group import worker_group

from xit_ray.search.barrier import Barrier

worker_group.SynchronizationActor = Barrier  # a run has no other way to be given one


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
