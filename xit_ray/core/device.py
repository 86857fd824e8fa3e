"""Where and how a run computes. None of it changes what is computed, beyond rounding."""

from dataclasses import dataclass

import torch

from xit_ray.core.compat import multiplies_in_bfloat16
from xit_ray.spec.space import Resources

TOKENS = {"cpu": 4096, "cuda": 32_768}
"""Tokens taken at once: on a CPU what its caches hold, on a GPU enough to fill it."""


@dataclass(frozen=True)
class Device:
    """A device, the dtype of the weights on it (the optimiser's own copy is always float32), and how memory is spent."""

    place: torch.device
    dtype: torch.dtype
    batch_tokens: int | None = None
    """Tokens taken at once; None is ``TOKENS``."""
    checkpointing: bool = False
    """Compute activations again in the backward pass in place of keeping them."""
    compiled: bool = False
    """Compile the encoder's layers (``torch.compile``)."""
    gpu_share: float = 1.0
    """Share of a GPU that is this run's, for the ledger."""
    sharded: bool = False
    """Divide weights, gradients and optimiser state among the workers (FSDP)."""

    @property
    def is_gpu(self) -> bool:
        """Whether this is a CUDA device."""
        return self.place.type == "cuda"

    @property
    def tokens(self) -> int:
        """Tokens taken at once."""
        return self.batch_tokens or TOKENS[self.place.type]


def compute_dtype(gpu: bool) -> torch.dtype:
    """The dtype that a run computes in: bfloat16 where matrix units have it, else float32.

    Args:
        gpu: whether runs have GPUs. If this machine has none, theirs are taken to have bfloat16, as all since Ampere.
    """
    if gpu:
        lacks = torch.cuda.is_available() and not torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.float32 if lacks else torch.bfloat16
    return torch.bfloat16 if multiplies_in_bfloat16() else torch.float32


def device_for(resources: Resources) -> Device:
    """The device of one worker of a search with some resources, on this machine."""
    return best_device(gpu=bool(resources.gpus), threads=None if resources.gpus else resources.cpus)


def best_device(gpu: bool = True, threads: int | None = None) -> Device:
    """The current CUDA device, else the CPU, in ``compute_dtype``.

    Args:
        gpu: False stays on the CPU.
        threads: torch threads for CPU work; None leaves torch's own choice.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if gpu and torch.cuda.is_available():
        return Device(torch.device("cuda", torch.cuda.current_device()), compute_dtype(gpu=True))
    return Device(torch.device("cpu"), compute_dtype(gpu=False))
