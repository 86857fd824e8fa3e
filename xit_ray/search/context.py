"""What all trials of a search share, and the job that one of them submits: plain data that travels between machines."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xit_ray.data.source import Source
from xit_ray.plan.trial import Trial
from xit_ray.spec.base import Strict
from xit_ray.spec.errors import UserError
from xit_ray.spec.own_task import OwnTask
from xit_ray.spec.recipe import Model
from xit_ray.spec.space import Resources

if TYPE_CHECKING:
    from xit_ray.stages.execute import StageContext


class SearchContext(Strict):
    """What all trials of a search share."""

    run: str
    """Name of the search's run."""
    search: str = ""
    """ID of the search, unique on all machines; a resumed search keeps it."""
    store: str
    """Address of the stage store."""
    source: str
    """``none``, ``hub``, ``folder`` or ``mirror``."""
    source_root: str | None
    ray_storage: str
    """Where Ray Tune and Ray Train keep their own records."""
    single_machine: bool = True
    """Whether all processes of the search are on this machine."""
    resources: Resources
    gpu_sizes: tuple[int, ...] = ()
    """GB of the GPUs that the cluster's machines say they have, from small to large."""
    dtype: str
    """What stages are computed in, which is part of their fingerprints: ``bfloat16`` or ``float32``."""
    tasks: tuple[OwnTask, ...]
    """The user's own tasks."""
    has_budget: bool = False
    reports_cost: bool = False
    """Whether trials report their GPU-hours beside English dev, for an objective that weighs both."""

    def rows_source(self) -> Source:
        """The source of rows."""
        return Source(self.source, Path(self.source_root) if self.source_root else None)  # type: ignore[arg-type]


class Job(Strict):
    """The missing work of a trial."""

    trial: Trial
    owner: str
    """ID of the trial attempt: it owns the leases and this job, and survives a restart."""
    leased: tuple[str, ...]
    """Keys of the stages that the trial has leased: those that were not in the store."""
    gpu_size: int | None = None
    """GB of GPU that a machine must have for it; None asks nothing."""
    score_untrained: bool
    """Whether this job also scores the pretrained encoder."""


def stage_context(context: SearchContext, model: Model, leaving: threading.Event | None = None) -> "StageContext":
    """What training and scoring need in this process, which has the resources of one worker; ``leaving`` is set when its
    machine will be taken.

    Raises:
        UserError: this worker's GPU does not have the dtype that the search was planned for.
    """
    import torch  # only workers need it

    from xit_ray.core.device import device_for
    from xit_ray.stages.execute import StageContext
    from xit_ray.stages.store import Store
    from xit_ray.tasks import own

    own.register(context.tasks)
    resources = context.resources
    device = device_for(resources)
    dtype = getattr(torch, context.dtype)
    if device.is_gpu and device.dtype == torch.float32 != dtype:
        raise UserError(f"{torch.cuda.get_device_name()}: has no {context.dtype}, which this search was planned for")
    device = replace(
        device,
        dtype=dtype,
        batch_tokens=resources.batch_tokens,
        checkpointing=resources.checkpointing,
        compiled=resources.compile,
        gpu_share=resources.gpus or 1.0,
        sharded=resources.sharded,
    )
    return StageContext(
        model=model,
        store=Store(context.store),
        source=context.rows_source(),
        device=device,
        snapshot_seconds=60 * resources.snapshot_minutes,
        search=context.search,
        leaving=leaving or threading.Event(),
    )
