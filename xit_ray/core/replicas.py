"""Workers that take every step together: each computes its share of a step's rows, and gradients are added up.

The sum is made once a step, after all of a worker's parts, and not inside the backward pass as torch's
``DistributedDataParallel`` does: a worker that runs out of memory or meets a loss that is not finite can so agree with
the others to repeat or to leave out the step, where it would otherwise leave them waiting for ever.
"""

from dataclasses import dataclass

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
                flat = torch.cat([t.reshape(-1) for t in bucket])
                dist.all_reduce(flat)
                for t, part in zip(bucket, flat.split([t.numel() for t in bucket]), strict=True):
                    t.copy_(part.view_as(t))
                bucket = []

    def wait(self) -> None:
        """Until every worker is here."""
        if self.world > 1:
            dist.barrier()

    def any(self, flags: list[bool], device: torch.device) -> list[bool]:
        """For each flag, whether it is up at any worker."""
        if self.world == 1:
            return flags  # without waiting for the device
        counts = torch.tensor(flags, dtype=torch.float32, device=device)
        self.add_up([counts])
        return [count > 0 for count in counts.tolist()]


def here() -> Replicas:
    """This process's place in torch's default process group; alone where there is none."""
    if dist.is_available() and dist.is_initialized():
        return Replicas(dist.get_rank(), dist.get_world_size())
    return Replicas()
