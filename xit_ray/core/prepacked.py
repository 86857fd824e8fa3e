"""Scoring on a CPU with weights laid out once for its matrix kernels.

PyTorch's linear layer rearranges its weight for the kernel at every call; while weights stand still that work can be
done once, and GELU be computed on the way out of the product, before anything is written to memory. These are the
operators ``torch.compile`` generates for frozen weights, without its minutes of compilation.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from xit_ray.core.compat import can_prepare_weights, prepared_linear
from xit_ray.core.device import Device
from xit_ray.core.encoder import Encoder
from xit_ray.core.sharding import is_sharded

ROWS = 2048
"""Rows of a typical product, a hint for the layout."""


@contextmanager
def prepacked(encoder: Encoder, device: Device) -> Iterator[None]:
    """While the block runs, the encoder's linear layers use prepared weights, if it is on a CPU in bfloat16.

    Compiled layers are left alone, and sharded ones.

    The weights must not change meanwhile, and nothing flows back.
    """
    fast = not device.is_gpu and device.dtype == torch.bfloat16 and can_prepare_weights()
    if not fast or device.compiled or any(map(is_sharded, encoder.parameters())):
        yield
        return
    from transformers.activations import GELUActivation  # the encoder has it loaded already

    with ExitStack() as stack:
        fused = set()
        for module in encoder.body.modules():
            activation = getattr(module, "intermediate_act_fn", None)
            if isinstance(activation, GELUActivation) and activation.act is nn.functional.gelu:
                stack.enter_context(_forward(module.dense, prepared_linear(module.dense, ROWS, gelu=True)))
                stack.enter_context(_forward(activation, lambda hidden: hidden))
                fused.add(module.dense)
        for module in encoder.body.modules():
            if isinstance(module, nn.Linear) and module not in fused:
                stack.enter_context(_forward(module, prepared_linear(module, ROWS, gelu=False)))
        yield


@contextmanager
def _forward(module: nn.Module, forward: Callable[[Any], Any]) -> Iterator[None]:
    """Give a module another forward for a while."""
    module.forward = forward  # type: ignore[method-assign]
    try:
        yield
    finally:
        del module.forward
