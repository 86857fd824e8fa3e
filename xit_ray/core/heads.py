"""Heads: from an encoder's hidden states to the scores of a task's answers, and the loss of the right ones.

A head sees the rows of its own task inside a packed batch, without padding. Its loss is a sum over rows, so that any
number of parts and workers takes the same step.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, gelu
from torch.utils.checkpoint import checkpoint

from xit_ray.core.encoder import Encoder, pool
from xit_ray.core.sharding import whole
from xit_ray.data.encode import NO_LABEL, Encoded
from xit_ray.tasks.base import Task
from xit_ray.tasks.kinds import Classification, MaskedLM, MultipleChoice, SpanQA, Tagging

VOCABULARY_ROWS = 512
"""Tokens whose scores over the whole vocabulary are in memory at once."""


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
    """Labelled tokens a row, over all rows of the task, where labels are of tokens."""


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
        """Scores of the possible answers.

        Args:
            hidden: shape (T, width).
            part: the rows.
            encoder: says how sequences are pooled.
        """
        raise NotImplementedError

    def loss(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        """Sum over the rows of the cross-entropy of what is right."""
        raise NotImplementedError

    def answers(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        """What is answered: a class a row (R,), a class a token (T,), or scores of span bounds (T, 2)."""
        return self.scores(hidden, part, encoder).argmax(-1)


class ClassHead(Head):
    """Classes of a row's only sequence: scores (R, classes)."""

    def scores(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        return self.apply_to(pool(hidden, part.sequence, part.sizes, encoder.pooling))

    def loss(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        assert part.labels is not None
        return cross_entropy(self.scores(hidden, part, encoder), part.labels, reduction="sum")


class ChoiceHead(ClassHead):
    """One score an option, compared within the row: scores (R, most options), minus infinity where there is none."""

    def scores(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        score = self.apply_to(pool(hidden, part.sequence, part.sizes, encoder.pooling))[:, 0]
        first = torch.searchsorted(part.row, torch.arange(part.rows, device=part.row.device))
        option = torch.arange(len(part.row), device=part.row.device) - first[part.row]
        table = score.new_full((part.rows, int(option.max()) + 1), float("-inf"))
        return table.index_put((part.row, option), score)


class TokenHead(Head):
    """Classes of tokens: scores (T, classes). A row's loss is that of its tokens over the tokens a row has on average,
    so that every token weighs the same."""

    per_token = True

    def scores(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        return self.apply_to(hidden)

    def loss(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        assert part.labels is not None
        asked = part.labels != NO_LABEL
        return cross_entropy(self.apply_to(hidden[asked]), part.labels[asked], reduction="sum") / part.asked


class SpanHead(Head):
    """First and last token of an answer among the tokens of a window: scores (T, 2). A row's loss is the mean over its
    windows of the mean over both bounds, as in BERT's reference implementation."""

    per_token = True

    def scores(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        return self.apply_to(hidden)

    def loss(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        assert part.labels is not None
        scores = self.apply_to(hidden)
        index = part.sequence[:, None].expand_as(scores)
        shape = len(part.sizes), 2
        top = scores.detach().new_full(shape, float("-inf")).scatter_reduce(0, index, scores.detach(), "amax")
        sums = scores.new_zeros(shape).scatter_add(0, index, (scores - top[part.sequence]).exp())
        starts = part.sizes.cumsum(0) - part.sizes
        right = scores.gather(0, starts[:, None] + part.labels)
        losses = (sums.log() + top - right).mean(1)
        windows = torch.bincount(part.row, minlength=part.rows)
        return (losses / windows[part.row]).sum()

    def answers(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        return self.scores(hidden, part, encoder)


class VocabularyHead(Head):
    """The token that was covered: a transformation, then the word embeddings (Press and Wolf 2017) with a bias."""

    per_token = True

    def __init__(self, width: int, vocabulary: int, generator: torch.Generator) -> None:
        super().__init__(width, width, generator)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def _transformed(self, hidden: Tensor) -> Tensor:
        kind = self.linear.weight.dtype
        transformed: Tensor = self.norm(gelu(self.linear(self.dropout(hidden).to(kind))))
        return transformed

    def _over_words(self, transformed: Tensor, encoder: Encoder) -> Tensor:
        words = encoder.body.get_input_embeddings().weight
        return nn.functional.linear(transformed, whole(words, words).to(transformed.dtype), self.bias).float()

    def loss(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        assert part.labels is not None
        asked = part.labels != NO_LABEL
        transformed, labels = self._transformed(hidden[asked]), part.labels[asked]

        def some(features: Tensor, right: Tensor) -> Tensor:
            return cross_entropy(self._over_words(features, encoder), right, reduction="sum")

        # Scores over a vocabulary of hundreds of thousands are computed again on the way back, not kept.
        parts = zip(transformed.split(VOCABULARY_ROWS), labels.split(VOCABULARY_ROWS), strict=True)
        losses = [checkpoint(some, features, right, use_reentrant=False) for features, right in parts]
        return torch.stack(losses).sum() / part.asked

    def answers(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        assert part.labels is not None
        asked = part.labels != NO_LABEL
        found = torch.full_like(part.labels, NO_LABEL)
        parts = self._transformed(hidden[asked]).split(VOCABULARY_ROWS)
        found[asked] = torch.cat([self._over_words(features, encoder).argmax(-1) for features in parts])
        return found


def make_head(task: Task, encoder: Encoder, generator: torch.Generator) -> Head:
    """The head of a task.

    Raises:
        ValueError: the task's kind has none.
    """
    width = encoder.width
    if isinstance(task, Classification):
        return ClassHead(width, len(task.labels), generator)
    if isinstance(task, MultipleChoice):
        return ChoiceHead(width, 1, generator)
    if isinstance(task, Tagging):
        return TokenHead(width, len(task.labels), generator)
    if isinstance(task, SpanQA):
        return SpanHead(width, 2, generator)
    if isinstance(task, MaskedLM):
        return VocabularyHead(width, encoder.vocabulary, generator)
    raise ValueError(f"{task.name}: a {task.kind} task has no head")
