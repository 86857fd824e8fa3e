"""Workers that take every step together: each computes its share of a step's rows, and gradients are added up.

The sum is made once a step, after all of a worker's parts, and not inside the backward pass as torch's
``DistributedDataParallel`` does: a worker that runs out of memory or meets a loss that is not finite can so agree with
the others to repeat or to leave out the step, where it would otherwise leave them waiting for ever.
"""

import functools
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

BUCKET = 2**25
"""Values sent at once: large enough for the network's full speed, small beside the model."""


@dataclass(frozen=True)
class Replicas:
    """This worker's number among how many."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the worker that writes things down."""
        return self.rank == 0

    def add_up(self, tensors: list[Tensor]) -> None:
        """Replace tensors of one dtype and device by their sums over all workers."""
        if self.world == 1:
            return
        bucket: list[Tensor] = []
        for number, tensor in enumerate(tensors):
            bucket.append(tensor)
            if number == len(tensors) - 1 or sum(t.numel() for t in bucket) > BUCKET:
                _reduce(bucket)
                bucket = []

    def wait(self) -> None:
        """Until every worker is here."""
        if self.world > 1:
            dist.barrier()

    def any(self, flags: list[bool]) -> list[bool]:
        """For each flag, whether it is up at any worker. No GPU is waited for."""
        if self.world == 1:
            return flags
        counts = torch.tensor(flags, dtype=torch.int64)
        dist.all_reduce(counts, group=_between_cpus())
        return [count > 0 for count in counts.tolist()]

    def of_first(self, value: int) -> int:
        """The first worker's value, at every worker."""
        shared = torch.tensor([int(value) if self.first else 0])
        if self.world > 1:
            dist.all_reduce(shared, group=_between_cpus())
        return int(shared.item())

    def object_of_first(self, value: Any) -> Any:
        """The first worker's value, of any type that can be pickled, at every worker."""
        if self.world == 1:
            return value
        shared = [value if self.first else None]
        dist.broadcast_object_list(shared, src=0, group=_between_cpus())
        return shared[0]


@functools.cache
def _between_cpus() -> Any:
    """A process group for numbers of the host."""
    return None if dist.get_backend() == "gloo" else dist.new_group(backend="gloo")


def _reduce(bucket: list[Tensor]) -> None:
    """Sum tensors over the workers, sent as one."""
    if len(bucket) == 1 and bucket[0].is_contiguous():
        dist.all_reduce(bucket[0])
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in bucket])
    dist.all_reduce(flat)
    for tensor, part in zip(bucket, flat.split([tensor.numel() for tensor in bucket]), strict=True):
        tensor.copy_(part.view_as(tensor))


def here() -> Replicas:
    """This process's place in torch's default process group; alone where there is none."""
    if dist.is_available() and dist.is_initialized():
        return Replicas(dist.get_rank(), dist.get_world_size())
    return Replicas()
