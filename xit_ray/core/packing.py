"""Packing: several sequences in one flat stream of tokens.

Everything but attention treats tokens one by one, so it runs on the stream without padding. What attention needs to keep
the sequences apart is worked out here, once per batch; ``core.attention`` uses it in every layer.
"""

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from xit_ray.data.encode import Encoded, Ids

# Streams and rows are rounded up to these lengths: matrix libraries prepare a kernel for each new shape, and a CPU's
# vector units do whole registers (32 bfloat16 values) at a time. A GPU, which prepares more than it computes while shapes
# are new, gets sixteen lengths between a power of two and the next.
STREAM_MULTIPLE = 64
GPU_LENGTHS = 16
ROW_MULTIPLE = {"rows": 32, "padded": 8}
ATTENTION_WASTE = 1.5
"""A block's longest row is at most this many times its shortest, unless the block would be tiny."""
SMALL_BLOCK = 4

Layout = Literal["rows", "varlen", "padded"]
"""How attention sees the stream: ``rows`` gathers sequences of like length into small padded blocks; ``varlen`` hands
the stream to a kernel that knows sequence bounds; ``padded`` is for encoders whose own attention wants a padded batch."""


@dataclass(frozen=True)
class Block:
    """Sequences of like length as N rows padded to length L."""

    inside: Tensor
    """Shape (N, L), bool: which places hold a token of the row."""
    bias: Tensor
    """Shape (N, 1, 1, L): 0 inside and minus infinity past the end, added to attention scores."""


@dataclass(frozen=True)
class Packed:
    """A batch as one stream of T places holding N sequences; the places past the last sequence are filling."""

    input_ids: Tensor
    """Shape (1, T)."""
    position_ids: Tensor
    """Shape (1, T); positions restart in every sequence."""
    type_ids: Tensor | None
    """Shape (1, T): 0 and 1 for the parts of a pair, for encoders that were trained with them."""
    sequence: Tensor
    """Shape (real tokens,): the index of each token's sequence."""
    lengths: Tensor
    """Shape (N,)."""
    bounds: Tensor
    """Shape (N + 2,), int32: where each sequence begins, where filling begins (one more sequence), and where it ends."""
    longest: int
    """Places of the longest sequence, or of the filling."""
    pairs: int
    """Pairs of tokens that attend to each other: the sum of squared lengths."""
    blocks: tuple[Block, ...]
    """The padded blocks of the layouts ``rows`` (several) and ``padded`` (one); none for ``varlen``."""
    gather: Tensor
    """Shape (places of all blocks,): the place of the stream each takes; those past a row's end take the stream's last."""
    scatter: Tensor
    """Shape (T,): for each place of the stream, its place in the blocks laid end to end; 0 for filling. Empty where
    there are no blocks."""

    def to(self, device: torch.device) -> "Packed":
        """The same on a device."""
        return self if self.input_ids.device == device else moved(self, device)

    @property
    def tokens(self) -> int:
        """Number of real tokens."""
        return int(self.sequence.numel())


def pack(
    encoded: Encoded,
    layout: Layout,
    first_position: int,
    pad_id: int,
    dtype: torch.dtype,
) -> Packed:
    """Lay sequences end to end, on the CPU.

    Args:
        encoded: the sequences; which rows they make is of no concern here.
        layout: what attention will need.
        first_position: position id of a sequence's first token (RoBERTa's family starts after its padding index).
        pad_id: token of the filling.
        dtype: of the attention bias.
    """
    lengths, starts, total = encoded.sizes, encoded.starts[:-1], len(encoded.tokens)
    # At least one place of filling: padded places of the blocks take it, and nothing flows back from it.
    multiple = STREAM_MULTIPLE
    if layout == "varlen":
        multiple = max(multiple, (1 << total.bit_length() - 1) // GPU_LENGTHS)
    tail = _round_up(total + 1, multiple) - total
    within = np.arange(total) - np.repeat(starts, lengths)
    sequence = np.repeat(np.arange(len(lengths)), lengths)

    def stream(values: npt.NDArray[Any], fill: int) -> Tensor:
        return torch.from_numpy(np.concatenate([values, np.full(tail, fill)]).astype(np.int64))[None]

    blocks: list[Block] = []
    gathers: list[Ids] = [np.empty(0, dtype=np.int64)]
    for members in _alike(lengths, layout):
        row = _round_up(int(lengths[members].max()), ROW_MULTIPLE[layout])
        inside = np.arange(row)[None, :] < lengths[members][:, None]
        gathers.append(np.where(inside, starts[members][:, None] + np.arange(row), total + tail - 1).reshape(-1))
        bias = torch.zeros(inside.shape, dtype=dtype).masked_fill_(torch.from_numpy(~inside), float("-inf"))
        blocks.append(Block(torch.from_numpy(inside), bias[:, None, None]))
    gather = np.concatenate(gathers)
    scatter = np.zeros(total + tail if blocks else 0, dtype=np.int64)
    if blocks:
        scatter[gather] = np.arange(len(gather))
        scatter[total:] = 0
    return Packed(
        input_ids=stream(encoded.tokens, pad_id),
        position_ids=stream(within + first_position, first_position),
        type_ids=stream(encoded.types, 0) if encoded.types is not None else None,
        sequence=torch.from_numpy(sequence),
        lengths=torch.from_numpy(lengths),
        bounds=torch.from_numpy(np.concatenate([starts, [total, total + tail]]).astype(np.int32)),
        longest=max(int(lengths.max()), tail),
        pairs=int((lengths**2).sum()),
        blocks=tuple(blocks),
        gather=torch.from_numpy(gather),
        scatter=torch.from_numpy(scatter),
    )


def moved(parts: Any, device: torch.device) -> Any:
    """A dataclass of tensors, tuples and other dataclasses with its tensors on a device, by way of pinned memory."""
    if isinstance(parts, Tensor):
        return parts.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else parts.to(device)
    if isinstance(parts, tuple):
        return tuple(moved(part, device) for part in parts)
    if is_dataclass(parts) and not isinstance(parts, type):
        return replace(parts, **{field.name: moved(getattr(parts, field.name), device) for field in fields(parts)})
    return parts


def _alike(lengths: Ids, layout: Layout) -> list[Ids]:
    """Sequence numbers by block: the longest first, and a new block where padding would come to dominate."""
    if layout == "varlen":
        return []
    if layout == "padded":
        return [np.arange(len(lengths))]
    order = np.argsort(-lengths, kind="stable")
    rounded = -(-lengths[order] // ROW_MULTIPLE["rows"])
    cuts = [0]
    for place in range(1, len(order)):
        tiny = place - cuts[-1] < SMALL_BLOCK
        if not tiny and rounded[cuts[-1]] > ATTENTION_WASTE * rounded[place]:
            cuts.append(place)
    return np.split(order, cuts[1:])


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
