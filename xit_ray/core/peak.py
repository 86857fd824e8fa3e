"""The fastest this device multiplies matrices, measured: what achieved FLOP/s are compared with."""

import functools
import time

import torch

from xit_ray.core.device import Device

SIZE = {"cpu": 2048, "cuda": 8192}
SECONDS = 0.3


def matmul_peak(device: Device) -> float:
    """FLOP/s of a large square product in the device's dtype, the best of what fits into a third of a second."""
    return _measured(device.place, device.dtype, torch.get_num_threads())


@functools.cache
def _measured(place: torch.device, dtype: torch.dtype, _threads: int) -> float:
    size = SIZE[place.type]
    left, right = (torch.randn(size, size, device=place).to(dtype) for _ in range(2))
    wait = torch.cuda.synchronize if place.type == "cuda" else lambda: None
    best, begun = float("inf"), time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        wait()
        start = time.perf_counter()
        torch.matmul(left, right)
        wait()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
