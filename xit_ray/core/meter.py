"""What a run costs, measured where it happens."""

import time

import torch

from xit_ray.core import energy, memory
from xit_ray.core.cost import Cost
from xit_ray.core.device import Device
from xit_ray.core.flops import Sizes, sizes_of
from xit_ray.core.network import Network
from xit_ray.core.packing import Packed
from xit_ray.core.peak import matmul_peak
from xit_ray.core.replicas import Replicas


class Meter:
    """Starts when made, and measures one network; ``cost`` reads it."""

    def __init__(self, device: Device, replicas: Replicas | None = None) -> None:
        self.device, self.replicas = device, replicas or Replicas()
        self.tokens = self.padding = 0
        self.flops = 0.0
        self.snapshot_seconds = 0.0
        """In which training stood still for a snapshot."""
        self.sizes: Sizes | None = None
        self.peak = matmul_peak(device)  # now, while the device has room
        if device.is_gpu:
            torch.cuda.reset_peak_memory_stats(device.place)
        else:
            memory.reset_peak()
        self.joules = energy.joules(device)
        self.start = time.perf_counter()

    def count(self, network: Network, batch: Packed, backward: bool) -> None:
        """Add a batch that went through the network."""
        encoder = network.encoder
        if self.sizes is None:  # once: this is called at every step
            self.sizes = sizes_of(encoder.body, encoder.width)
        self.tokens += batch.tokens
        self.padding += len(batch.lengths) * encoder.max_length - batch.tokens
        self.flops += self.sizes.flops(batch.tokens, batch.pairs, backward)

    def cost(self) -> Cost:
        """The price so far. With several workers, all of them call it."""
        if self.device.is_gpu:
            torch.cuda.synchronize(self.device.place)
            highest = torch.cuda.max_memory_allocated(self.device.place) / 2**20
        else:
            highest = memory.peak_mb()
        seconds = time.perf_counter() - self.start
        workers = self.replicas.world
        joules = energy.joules(self.device) - self.joules
        sums = torch.tensor([self.tokens, self.padding, self.flops, joules], dtype=torch.float64)
        most = torch.zeros(workers, dtype=torch.float64)
        most[self.replicas.rank] = highest
        both = torch.cat([sums, most]).to(self.device.place)
        self.replicas.add_up([both])
        tokens, padding, flops, joules, *memories = both.tolist()
        return Cost(
            seconds=seconds,
            device_seconds=seconds * workers,
            gpu_hours=seconds * workers * self.device.gpu_share / 3600 if self.device.is_gpu else 0.0,
            tokens=round(tokens),
            padding_avoided=round(padding),
            flops=flops,
            peak_memory_mb=max(memories),
            matmul_peak=self.peak,
            energy_wh=joules / 3600,
            snapshot_seconds=self.snapshot_seconds,
        )
