"""What a GPU has drawn, where its driver tells (NVML)."""

import functools
from typing import Any

import torch

from xit_ray.core.device import Device


def joules(device: Device) -> float:
    """Energy the GPU has drawn since its driver was loaded, in joules; 0 where nothing tells."""
    if not device.is_gpu:
        return 0.0
    try:
        import pynvml  # installed with the extra ``gpu``
    except ImportError:
        return 0.0
    try:
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(_handle(device.place))) / 1000
    except pynvml.NVMLError:  # older GPUs do not count
        return 0.0


@functools.cache
def _handle(place: torch.device) -> Any:
    import pynvml

    pynvml.nvmlInit()
    # torch numbers the GPUs it may see; the driver numbers all of them.
    return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(place).uuid}")
