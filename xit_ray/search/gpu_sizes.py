"""GPUs of different sizes in one cluster: which machines a trial's training fits on.

A machine says what it can stand in for by resources such as ``xit_gpu_24gb`` (``clusters/aws.yaml`` has them). A worker
group asks for the smallest size that is enough for its jobs, so that large GPUs are left to what needs them.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import ray

from xit_ray.search.machines import CLUSTER, node_types
from xit_ray.spec.errors import UserError

_NAME = re.compile(r"^xit_gpu_(\d+)gb$")
SHARE = 0.001
"""What a worker takes of such a resource, which does not count anything."""


def resource(size: int) -> str:
    """Name of the resource of machines whose GPUs have so many GB or more."""
    return f"xit_gpu_{size}gb"


def declared(names: Iterable[str]) -> tuple[int, ...]:
    """The sizes among names of resources, from small to large."""
    return tuple(sorted({int(found[1]) for name in names if (found := _NAME.match(name)) is not None}))


def of_cluster(cluster: Path = CLUSTER) -> tuple[int, ...]:
    """The sizes that machines declare, those included which the cluster's file says may come."""
    names = set(ray.cluster_resources())
    for kind in node_types(cluster):
        names |= kind.get("resources", {}).keys()
    return declared(names)


def size_for(gigabytes: float, share: float, sizes: tuple[int, ...]) -> int | None:
    """The smallest size that is enough; None where no machine declares a size.

    Args:
        gigabytes: that a worker needs.
        share: of a GPU that a worker has.
        sizes: that there are.

    Raises:
        UserError: none is enough.
    """
    if not sizes:
        return None
    enough = [size for size in sizes if size * share >= gigabytes]
    if not enough:
        raise UserError(
            f"resources: training takes about {gigabytes:.0f} GB of each worker's GPU, and the cluster's machines declare "
            f"{', '.join(map(str, sizes))} GB; give 'sharded' with more workers, 'checkpointing', or a smaller model"
        )
    return enough[0]
