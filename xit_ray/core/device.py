"""Where a run computes, and in which precision."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Device:
    """A device and the dtype of the weights on it; the optimiser's own copy of the weights is always float32."""

    place: torch.device
    dtype: torch.dtype

    @property
    def is_gpu(self) -> bool:
        """Whether this is a CUDA device."""
        return self.place.type == "cuda"


def best_device(threads: int | None = None) -> Device:
    """The first CUDA device, else the CPU, in bfloat16 where its matrix units have it and float32 elsewhere.

    Args:
        threads: torch threads for CPU work; None leaves torch's own choice.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if torch.cuda.is_available():
        return Device(torch.device("cuda"), torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32)
    fast_bf16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return Device(torch.device("cpu"), torch.bfloat16 if fast_bf16 else torch.float32)
