"""Starting Ray quietly, and knowing how many runs fit."""

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xit_ray.spec.errors import UserError
from xit_ray.spec.space import Resources

# Read by Ray when it is imported and by the processes it starts, so they are set before ``import ray``.
ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    # A reused actor waits this long for its last trial's thread; Tune gives a trial up whose actor was not ready.
    "TUNE_FUNCTION_THREAD_TIMEOUT_S": "60",
    # A run waits for its GPUs as long as an autoscaling cluster needs to bring them.
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "86400",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    # Its watchers land on any worker machine, and keep it up when there is no more work.
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    # Several runs share a process: one that sets logging up while another one logs can stop both for ever.
    "RAY_TRAIN_ENABLE_CONTROLLER_STRUCTURED_LOGGING": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    # The events file of the run is the record; Tune's own CSV and JSON would overwrite theirs after a resume.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # Ctrl-C is this program's to handle: Tune's handler would end the search as if it were complete.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_DISABLE_DOCKER_CPU_WARNING": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}
for _name, _value in ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)


def joins_cluster() -> bool:
    """Whether this machine belongs to a cluster: ``RAY_ADDRESS`` says so, or ``ray up`` made it a head and left its
    configuration in the home folder."""
    return bool(os.environ.get("RAY_ADDRESS")) or (Path.home() / "ray_bootstrap_config.yaml").exists()


if not joins_cluster():
    # Ray binds its ports to every interface, without a token, unless it takes the machine for one that cannot be part of a
    # cluster. Nothing else keeps all of its processes on the loopback interface.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"

import ray  # noqa: E402

DRIVERS = "xit_driver"
"""Resource of the node that holds the trials' light drivers; a cluster's head node declares it."""
DRIVER_SLOTS = 10_000
SINGLE_MACHINE = "xit_single_machine"
"""Resource that the Ray of ``running`` declares where it has no other machines."""
STARTS = 3


@contextmanager
def running(resources: Resources, talks: bool = True) -> Iterator[int]:
    """Ray while the block runs: the one this process has already joined, which is left as it is; else the cluster that this
    machine belongs to; else one of this machine's own.

    Args:
        resources: of a run.
        talks: whether a Ray that is started prints what its processes print.

    Yields:
        how many training runs may go on at a time.

    Raises:
        UserError: a run needs more than the machine has, or no node declares the drivers' resource.
    """
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    joined = ray.is_initialized()
    try:
        if not joined:
            with _own_signals():
                _join_or_start(talks)
        _check_drivers()
        yield resources.runs or _fitting_now(resources)
    finally:
        if not joined:
            ray.shutdown()


def single_machine() -> bool:
    """Whether all workers of the running Ray are on this machine."""
    return SINGLE_MACHINE in ray.cluster_resources()


def _fitting_now(resources: Resources) -> int:
    have = ray.cluster_resources()
    return fitting(resources, have.get("CPU", 0), have.get("GPU", 0))


def _check_drivers() -> None:
    if DRIVERS not in ray.cluster_resources():
        raise UserError(
            f"the Ray cluster has no node with the resource {DRIVERS!r}; start its head with "
            f"ray start --head --resources='{{\"{DRIVERS}\": {DRIVER_SLOTS}}}' (clusters/aws.yaml does)"
        )


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray's start sets a handler for SIGTERM that exits without a word; this program's are kept."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _join_or_start(talks: bool) -> None:
    options = {"log_to_driver": talks, "logging_level": logging.ERROR, "namespace": "xit_ray"}
    if joins_cluster():
        ray.init(address="auto", runtime_env={"env_vars": ENVIRONMENT}, **options)
    else:
        # Without the dashboard's two processes: nothing here asks it.
        _start_here({"include_dashboard": False, "resources": {DRIVERS: DRIVER_SLOTS, SINGLE_MACHINE: 1}, **options})


def _start_here(options: dict[str, Any]) -> None:
    """Start Ray on this machine. Ray gives itself 30 s for it, which a busy machine may exceed."""
    for _ in range(STARTS):
        try:
            ray.init(address="local", **options)
            return
        except Exception as error:
            if "timed out during startup" not in str(error):  # Ray raises a bare Exception
                raise
            ray.shutdown()
    raise UserError(f"Ray did not start on this machine in {STARTS} attempts of 30 s each; see ray.log, and try again")


def fitting(resources: Resources, have_cpus: float, have_gpus: float) -> int:
    """How many training runs fit into some CPUs and GPUs at a time.

    Raises:
        UserError: not even one.
    """
    cpus, gpus = resources.workers * resources.cpus, resources.workers * resources.gpus
    fits = int(have_cpus // cpus)
    if gpus:
        fits = min(fits, int(have_gpus / gpus))
    if fits < 1:
        raise UserError(
            f"resources: a run needs {cpus} CPUs and {gpus:g} GPUs; this machine has {have_cpus:g} and {have_gpus:g} (on an "
            "autoscaling cluster, name resources.runs)"
        )
    return fits
