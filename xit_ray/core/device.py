"""Where and how a run computes. None of it changes what is computed, beyond rounding."""

from dataclasses import dataclass

import torch

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


def best_device(gpu: bool = True, threads: int | None = None) -> Device:
    """The current CUDA device, else the CPU, in bfloat16 where its matrix units have it and float32 elsewhere.

    Args:
        gpu: False stays on the CPU.
        threads: torch threads for CPU work; None leaves torch's own choice.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if gpu and torch.cuda.is_available():
        place = torch.device("cuda", torch.cuda.current_device())
        return Device(
            place, torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
        )
    fast_bf16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return Device(torch.device("cpu"), torch.bfloat16 if fast_bf16 else torch.float32)
