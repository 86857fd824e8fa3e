"""Packing: several sequences in one flat stream of tokens, and the attention that keeps them apart.

Everything but attention treats tokens one by one, so it runs on the stream without padding. Attention gathers each
sequence into a row of a small padded block, computes there, and scatters back. Outputs equal the padded model's to
rounding.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from xit_ray.data.encode import Ids

NAME = "xit_packed"
# Streams and rows are rounded up to these lengths: matrix libraries prepare a kernel for each new shape, which on a CPU
# costs more than the few extra tokens.
STREAM_MULTIPLE = 256
ROW_MULTIPLE = 16


@dataclass(frozen=True)
class Packed:
    """A batch as one stream of T tokens holding N sequences, rows padded to length L inside attention only."""

    input_ids: Tensor
    """Shape (1, T); the tail beyond the last sequence is padding that no sequence sees."""
    position_ids: Tensor
    """Shape (1, T); positions restart in every sequence."""
    type_ids: Tensor | None
    """Shape (1, T): 0 and 1 for the parts of a pair, for encoders that were trained with them."""
    sequence: Tensor
    """Shape (real tokens,): the index of each token's sequence."""
    lengths: Tensor
    """Shape (N,)."""
    gather: Tensor
    """Shape (N * L,): for each place of the padded rows, the token of the stream; places past the end repeat the first."""
    scatter: Tensor
    """Shape (T,): for each token of the stream, its place in the padded rows."""
    bias: Tensor
    """Shape (N, 1, 1, L): 0 for tokens and minus infinity for padding, added to the attention scores."""

    @property
    def tokens(self) -> int:
        """Number of real tokens."""
        return int(self.sequence.numel())


def pack(
    ids: list[Ids], types: list[Ids] | None, first_position: int, pad_id: int, device: torch.device, dtype: torch.dtype
) -> Packed:
    """Lay sequences end to end.

    Args:
        ids: token ids, one array a sequence.
        types: token types of the same shapes, or None.
        first_position: position id of a sequence's first token (RoBERTa's family starts after its padding index).
        pad_id: token for the tail that rounds the stream up.
        device: where the tensors go.
        dtype: of the attention bias.
    """
    lengths = np.fromiter((len(sequence) for sequence in ids), dtype=np.int64, count=len(ids))
    starts = np.cumsum(lengths) - lengths
    total, row = int(lengths.sum()), _round_up(int(lengths.max()), ROW_MULTIPLE)
    tail = _round_up(total, STREAM_MULTIPLE) - total
    place = np.arange(row)
    inside = place[None, :] < lengths[:, None]
    gather = np.where(inside, starts[:, None] + place[None, :], starts[:, None])
    within = np.arange(total) - np.repeat(starts, lengths)
    sequence = np.repeat(np.arange(len(ids)), lengths)

    def stream(values: Ids, fill: int) -> Tensor:
        return torch.from_numpy(np.concatenate([values, np.full(tail, fill, dtype=np.int64)])).to(device)

    bias = torch.zeros(inside.shape, dtype=dtype).masked_fill_(torch.from_numpy(~inside), float("-inf"))
    return Packed(
        input_ids=stream(np.concatenate(ids), pad_id)[None],
        position_ids=stream(within + first_position, first_position)[None],
        type_ids=stream(np.concatenate(types), 0)[None] if types is not None else None,
        sequence=torch.from_numpy(sequence).to(device),
        lengths=torch.from_numpy(lengths).to(device),
        gather=torch.from_numpy(gather.reshape(-1)).to(device),
        scatter=stream(sequence * row + within, 0),
        bias=bias[:, None, None, :].to(device),
    )


def packed_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    packed: Packed | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Block-diagonal attention over a stream, in the form transformers' ``AttentionInterface`` asks for.

    Args:
        module: the calling attention module (unused).
        query, key, value: shape (1, heads, T, head width).
        attention_mask: always None; the blocks come from ``packed``.
        scaling: factor on the scores.
        dropout: on the attention weights; 0 outside training.
        packed: the batch, handed through the encoder's keyword arguments.

    Returns:
        shape (1, T, heads, head width), and no weights.
    """
    assert packed is not None, "packed attention needs the batch: encoder(..., packed=batch)"
    heads, width = query.shape[1], query.shape[3]
    rows = packed.bias.shape[0]

    def padded(stream: Tensor) -> Tensor:
        block = stream[0].transpose(0, 1).index_select(0, packed.gather)
        return block.view(rows, -1, heads, width).transpose(1, 2)

    scores = torch.matmul(padded(query * scaling), padded(key).transpose(-1, -2)) + packed.bias
    weights = scores.softmax(-1)
    if dropout:
        weights = torch.nn.functional.dropout(weights, dropout)
    mixed = torch.matmul(weights, padded(value)).transpose(1, 2).reshape(-1, heads, width)
    return mixed.index_select(0, packed.scatter)[None], None


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def register() -> None:
    """Make the attention known to transformers under ``NAME``, with a mask function that builds no mask."""
    AttentionInterface.register(NAME, packed_attention)
    AttentionMaskInterface.register(NAME, lambda *_, **__: None)
