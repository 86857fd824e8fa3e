"""What is private in torch and transformers, all of it: touched here alone, each symbol with its reason.

Where one is missing, what it is for is done without it, slower. ``pyproject.toml`` bounds the versions that this was
written for.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

SYMBOLS = {
    "torch.cpu._is_avx512_bf16_supported": "whether a CPU multiplies in bfloat16; torch has no public question for it",
    "torch.cpu._is_amx_tile_supported": "the same, of newer Intel CPUs",
    "torch._foreach_add_": "sums of many gradients in one call, as torch's own optimisers take them",
    "torch._foreach_copy_": "copies of many weights in one call",
    "torch.ops.mkldnn._reorder_linear_weight": "lays a weight out once, not at every call; torch.compile generates it",
    "torch.ops.mkldnn._linear_pointwise": "a product with such a weight, GELU included",
    "transformers.PreTrainedModel._supports_attention_backend": "whether a model's attention can be handed a packed stream",
}


def multiplies_in_bfloat16() -> bool:
    """Whether this machine's CPU has bfloat16 products; no, where torch does not say."""
    return any(getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))


def add_each(into: list[Tensor], added: list[Tensor]) -> None:
    """Add tensors to others of their shapes, in place."""
    if hasattr(torch, "_foreach_add_"):
        torch._foreach_add_(into, added)
        return
    for one, other in zip(into, added, strict=True):
        one.add_(other)


def copy_each(into: list[Tensor], copied: list[Tensor]) -> None:
    """Copy tensors into others of their shapes."""
    if hasattr(torch, "_foreach_copy_"):
        torch._foreach_copy_(into, copied)
        return
    for one, other in zip(into, copied, strict=True):
        one.copy_(other)


def can_prepare_weights() -> bool:
    """Whether ``prepared_linear`` works here."""
    kernels = torch.ops.mkldnn
    there = hasattr(kernels, "_reorder_linear_weight") and hasattr(kernels, "_linear_pointwise")
    return torch.backends.mkldnn.is_available() and there


def prepared_linear(layer: nn.Linear, rows: int, gelu: bool) -> Callable[[Tensor], Tensor]:
    """A linear layer whose weight is laid out for the kernel once, with GELU on the way out if it is asked for.

    Args:
        layer: in bfloat16 on a CPU; its weight must not change.
        rows: of a typical product, a hint for the layout.
        gelu: the exact one.
    """
    weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), rows)
    bias, activation, algorithm = layer.bias, "gelu" if gelu else "none", "none" if gelu else ""
    return lambda hidden: torch.ops.mkldnn._linear_pointwise(hidden, weight, bias, activation, [], algorithm)


def packs(model: Any) -> bool:
    """Whether a model's class lets its attention be replaced; no, where transformers does not say."""
    return bool(getattr(model, "_supports_attention_backend", False))
