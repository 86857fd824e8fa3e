"""What a run costs, measured where it happens."""

import resource
import time
from dataclasses import asdict, dataclass

import torch

from xit_ray.core.device import Device
from xit_ray.core.network import Network


@dataclass(frozen=True)
class Cost:
    """The price of training or scoring once."""

    seconds: float
    """Wall-clock time on the device."""
    gpu_hours: float
    """The same in hours where the device is a GPU, else 0."""
    tokens: int
    """Real tokens processed, padding not counted."""
    flops: float
    """Model FLOPs: 2 a weight and token forward, 4 more backward (Kaplan et al. 2020, arXiv:2001.08361), no embeddings."""
    peak_memory_mb: float
    """Highest GPU allocation, or highest resident memory of the process on a CPU."""

    def as_dict(self) -> dict[str, float]:
        """Plain numbers, for JSON."""
        return asdict(self)


class Meter:
    """Starts when made, and measures one network; ``cost`` reads it."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.tokens = 0
        self.flops = 0.0
        self.weights: int | None = None
        if device.is_gpu:
            torch.cuda.reset_peak_memory_stats(device.place)
        self.start = time.perf_counter()

    def count(self, network: Network, tokens: int, backward: bool) -> None:
        """Add tokens that went through the network."""
        if self.weights is None:  # once: this is called at every step
            embeddings = {id(m.weight) for m in network.modules() if isinstance(m, torch.nn.Embedding)}
            self.weights = sum(p.numel() for p in network.encoder.parameters() if id(p) not in embeddings)
        self.tokens += tokens
        self.flops += (6 if backward else 2) * self.weights * tokens

    def cost(self) -> Cost:
        """The price so far."""
        if self.device.is_gpu:
            torch.cuda.synchronize(self.device.place)
            memory = torch.cuda.max_memory_allocated(self.device.place) / 2**20
        else:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
        seconds = time.perf_counter() - self.start
        hours = seconds / 3600 if self.device.is_gpu else 0.0
        return Cost(seconds, hours, self.tokens, self.flops, memory)
