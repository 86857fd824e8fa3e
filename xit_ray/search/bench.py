"""What a process of the search needs to do a piece of work on the device it was given."""

from dataclasses import replace

from xit_ray.core.device import best_device
from xit_ray.search.job import Site
from xit_ray.spec.recipe import Model
from xit_ray.stages.execute import Bench
from xit_ray.stages.store import Store
from xit_ray.tasks import own


def bench_of(site: Site, model: Model) -> Bench:
    """The bench of a process that has the resources of one worker of the site."""
    own.register(site.tasks)
    resources = site.resources
    device = replace(
        best_device(gpu=bool(resources.gpus), threads=None if resources.gpus else resources.cpus),
        batch_tokens=resources.batch_tokens,
        checkpointing=resources.checkpointing,
        compiled=resources.compile,
        gpu_share=resources.gpus or 1.0,
        sharded=resources.sharded,
    )
    return Bench(model, Store(site.store), site.data(), device, 60 * resources.snapshot_minutes, site.search)
