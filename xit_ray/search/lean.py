"""A TorchTrainer for inside a Tune trial: fewer processes a run, and its resources are free when a trial is stopped.

Ray 2.60 frees the placement group of a stopped trial's inner run through a separate cleaner process that polls the
dashboard (ray issue 54305), and misses runs that are still starting. Here the trial aborts its own controller while
Tune waits for it, so the run's workers and placement group are gone before the next trial begins.
"""

import contextlib
import sys
import threading
from typing import Any

import ray
from ray._common.constants import RAY_WARN_BLOCKING_GET_INSIDE_ASYNC_ENV_VAR
from ray.exceptions import GetTimeoutError, RayActorError
from ray.train.torch import TorchTrainer
from ray.train.v2._internal.callbacks import DatasetsCallback
from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
from ray.train.v2._internal.constants import get_env_vars_to_propagate
from ray.train.v2._internal.execution.controller import TrainController

ABORT_SECONDS = 60


class _Trial:
    """The one run of this process, which is one trial."""

    controller: Any = None
    stopped = threading.Event()


class LeanTorchTrainer(TorchTrainer):
    """Without the dataset manager (stages read their own rows) and the cleaner (``StopsItsRun`` does its work)."""

    def _create_default_callbacks(self) -> list[Any]:
        unneeded = (PlacementGroupCleanerCallback, DatasetsCallback)
        return [callback for callback in super()._create_default_callbacks() if not isinstance(callback, unneeded)]

    def _initialize_and_run_controller(self, **arguments: Any) -> Any:
        environment = get_env_vars_to_propagate()
        environment.setdefault(RAY_WARN_BLOCKING_GET_INSIDE_ASYNC_ENV_VAR, "0")
        here = {ray._raylet.RAY_NODE_ID_KEY: ray.get_runtime_context().get_node_id()}
        remote = ray.remote(num_cpus=0, runtime_env={"env_vars": environment}, label_selector=here)(TrainController)
        _Trial.controller = controller = remote.remote(**arguments)
        try:
            if _Trial.stopped.is_set():
                sys.exit(0)
            ray.get(controller.run.remote())
            return ray.get(controller.get_result.remote())
        except RayActorError:
            if _Trial.stopped.is_set():
                sys.exit(0)  # Tune takes a trial thread's exit with 0 for a clean end
            raise
        finally:
            _Trial.controller = None


class StopsItsRun:
    """Mixed into the trial's Trainable (``function.__mixins__``): ``cleanup`` is what Tune waits for at a stop."""

    def cleanup(self) -> None:
        """Abort the inner run, then do as Tune does."""
        _Trial.stopped.set()
        controller = _Trial.controller
        if controller is not None:
            with contextlib.suppress(RayActorError, GetTimeoutError):  # an abort ends the actor that answers it
                ray.get(controller.abort.remote(), timeout=ABORT_SECONDS)
        super().cleanup()  # type: ignore[misc]
