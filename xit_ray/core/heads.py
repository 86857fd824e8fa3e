"""The base of all heads: from an encoder's hidden states to the scores of a task's answers, and the loss of the right ones.

A head sees the rows of its own task inside a packed batch, without padding. Its loss is a sum over rows, so that any
number of parts and workers takes the same step. Each kind's head is in ``core.kinds``.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from xit_ray.core.encoder import Encoder, pool
from xit_ray.data.encode import Encoded


@dataclass(frozen=True)
class Part:
    """Consecutive rows of one task inside a packed batch: T tokens in S sequences in R rows, counted from the first."""

    tokens: slice
    """Of the batch's real tokens."""
    rows: int
    sequence: Tensor
    """Shape (T,): each token's sequence."""
    sizes: Tensor
    """Shape (S,): tokens of each sequence."""
    row: Tensor
    """Shape (S,): each sequence's row."""
    labels: Tensor | None
    """As in ``data.encode.Encoded``."""
    asked: float
    """Labelled tokens per row, over all rows of the task, where labels are of tokens."""


def part_of(encoded: Encoded, begin: int, asked: float) -> Part:
    """Rows that are laid from a token of a batch on.

    Args:
        encoded: the rows, all of them.
        begin: the batch's token they begin at.
        asked: as in ``Part``.
    """
    sizes = torch.from_numpy(encoded.sizes)
    counts = torch.from_numpy(encoded.rows).diff()
    return Part(
        tokens=slice(begin, begin + len(encoded.tokens)),
        rows=len(encoded),
        sequence=torch.repeat_interleave(torch.arange(len(sizes)), sizes),
        sizes=sizes,
        row=torch.repeat_interleave(torch.arange(len(counts)), counts),
        labels=None if encoded.labels is None else torch.from_numpy(encoded.labels),
        asked=asked,
    )


class Head(nn.Module):
    """A linear layer on what the encoder makes of a task's rows.

    Args:
        width: of the encoder.
        scores: how many it gives.
        generator: of the random weights it starts from.
    """

    per_token = False
    """Whether ``answers`` gives something for every token, or for every row."""

    def __init__(self, width: int, scores: int, generator: torch.Generator) -> None:
        super().__init__()
        self.linear = nn.Linear(width, scores)
        self.dropout = nn.Dropout(0.0)
        with torch.no_grad():
            self.linear.weight.normal_(0.0, 0.02, generator=generator)
            self.linear.bias.zero_()

    def apply_to(self, features: Tensor) -> Tensor:
        """Scores of features, float32."""
        scores: Tensor = self.linear(self.dropout(features).to(self.linear.weight.dtype))
        return scores.float()

    def scores(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        """Scores of the possible answers: of every token where ``per_token`` is set, else of every sequence.

        Args:
            hidden: shape (T, width).
            part: the rows.
            encoder: says how sequences are pooled.
        """
        return self.apply_to(hidden)

    def loss(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        """Sum over the rows of the loss of what is right."""
        raise NotImplementedError

    def answers(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        """What is answered: for each row, shape (R, …), or where ``per_token`` is set for each token, shape (T, …)."""
        return self.scores(hidden, part, encoder).argmax(-1)


class SequenceHead(Head):
    """On one vector per sequence: a linear layer on what the encoder's pooling gives; or with ``model.head: transformers``
    what transformers puts on encoders of BERT's and RoBERTa's families, a dense layer with tanh on the first token before it.

    Args:
        encoder: says which, and how wide it is.
        scores: how many it gives.
        generator: of the random weights it starts from.
    """

    def __init__(self, encoder: Encoder, scores: int, generator: torch.Generator) -> None:
        super().__init__(encoder.width, scores, generator)
        self.dense: nn.Linear | None = None
        if encoder.head == "transformers":
            self.dense = nn.Linear(encoder.width, encoder.width)
            with torch.no_grad():
                self.dense.weight.normal_(0.0, 0.02, generator=generator)
                self.dense.bias.zero_()

    def scores(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        if self.dense is None:
            return self.apply_to(pool(hidden, part.sequence, part.sizes, encoder.pooling))
        first = self.dropout(pool(hidden, part.sequence, part.sizes, "first"))
        return self.apply_to(torch.tanh(self.dense(first.to(self.dense.weight.dtype))))
