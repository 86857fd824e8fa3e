"""Block-diagonal attention over a packed stream, in the form transformers' ``AttentionInterface`` asks for.

On CUDA in bfloat16 PyTorch's variable-length kernel takes the stream as it is. Elsewhere sequences of like length are
gathered into rows of a padded block and multiplied as a batch: on a CPU that beats both a call a sequence and the
fused kernel, whose backward pass is slow on many small blocks. There is no dropout on attention weights, which the
variable-length kernel does not have either. Outputs equal the padded model's to rounding.
"""

from typing import Any

import torch
from torch import Tensor

from xit_ray.core.packing import Block, Packed

NAME = "xit_packed"


def packed_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    packed: Packed | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention of every sequence to itself.

    Args:
        module: the calling attention module, which may say that tokens see those before them alone.
        query, key, value: shape (1, heads, T, head width); keys and values may have fewer heads, each for several of the
            queries'.
        attention_mask: always None; the sequences' bounds come from ``packed``.
        scaling: factor on the scores.
        packed: the batch, handed through the encoder's keyword arguments.
        sliding_window: a token sees others less than this many places away; None sees its whole sequence.

    Returns:
        shape (1, T, heads, head width), and no weights.
    """
    assert packed is not None, "packed attention needs the batch: encoder(..., packed=batch)"
    shared = query.shape[1] // key.shape[1]
    if shared > 1:
        key, value = (stream.repeat_interleave(shared, dim=1) for stream in (key, value))
    causal = bool(getattr(module, "is_causal", False))
    # squeeze, not [0]: the way back is a view then, where an index's would write each gradient out twice more
    streams = [stream.squeeze(0).transpose(0, 1) for stream in (query, key, value)]
    if not packed.blocks:
        return _varlen(streams, packed, scaling, sliding_window, causal)[None], None
    streams[0] = streams[0] * scaling
    places = [_Gather.apply(stream, packed) for stream in streams]
    sizes = [block.inside.numel() for block in packed.blocks]
    blocks = zip(*(stream.split(sizes) for stream in places), strict=True)
    mixed = [_attend(rows, block, sliding_window, causal) for rows, block in zip(blocks, packed.blocks, strict=True)]
    return _Scatter.apply(torch.cat(mixed) if len(mixed) > 1 else mixed[0], packed)[None], None


def _varlen(streams: list[Tensor], packed: Packed, scaling: float, sliding_window: int | None, causal: bool) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn  # CUDA builds alone can run it

    reach = -1 if sliding_window is None else sliding_window - 1
    query, key, value = (stream.contiguous() for stream in streams)
    bounds, longest, window = packed.bounds, packed.longest, (reach, 0 if causal else reach)
    mixed = varlen_attn(query, key, value, bounds, bounds, longest, longest, scale=scaling, window_size=window)
    assert isinstance(mixed, Tensor)
    return mixed


def _attend(padded: tuple[Tensor, ...], block: Block, sliding_window: int | None, causal: bool) -> Tensor:
    """Rows of (places, heads, head width) to the same shape."""
    heads, width = padded[0].shape[1:]
    rows, length = block.inside.shape
    query, key, value = (stream.view(rows, length, heads, width).transpose(1, 2) for stream in padded)
    bias = block.bias
    reach = sliding_window if sliding_window is not None else length
    if reach < length or causal:
        place = torch.arange(length, device=bias.device)
        back = place[:, None] - place[None, :]
        far = (back.abs() >= reach) | (back < 0) if causal else back.abs() >= reach
        # Filling sees itself, so that no row of weights is empty: its softmax would not be a number.
        bias = bias.masked_fill(far, float("-inf")).masked_fill(
            torch.eye(length, dtype=torch.bool, device=bias.device), 0.0
        )
    # In place: nothing in the backward pass asks for the scores without the bias.
    weights = torch.matmul(query, key.transpose(-1, -2)).add_(bias).softmax(-1)
    return torch.matmul(weights, value).transpose(1, 2).reshape(-1, heads, width)


class _Gather(torch.autograd.Function):
    """Stream to the blocks' rows. Each token stands in one place of one block, so the way back is a selection, no sum."""

    @staticmethod
    def forward(context: Any, stream: Tensor, packed: Packed) -> Tensor:
        context.packed = packed
        return stream.index_select(0, packed.gather)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        packed: Packed = context.packed
        stream = gradients[0].index_select(0, packed.scatter)
        stream[packed.tokens :] = 0  # nothing flows back to filling
        return stream, None


class _Scatter(torch.autograd.Function):
    """The blocks' rows back to the stream."""

    @staticmethod
    def forward(context: Any, rows: Tensor, packed: Packed) -> Tensor:
        context.packed = packed
        return rows.index_select(0, packed.scatter)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        # Places past a row's end take the stream's last place: filling, whose gradient is zero.
        return gradients[0].index_select(0, context.packed.gather), None


def register() -> None:
    """Make the attention known to transformers under ``NAME``, with a mask function that builds no mask."""
    from transformers import AttentionInterface  # seconds, and planning computes no attention
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(NAME, packed_attention)
    AttentionMaskInterface.register(NAME, lambda *_, **__: None)
