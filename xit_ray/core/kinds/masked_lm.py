"""The token that was covered."""

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, gelu
from torch.utils.checkpoint import checkpoint

from xit_ray.core.encoder import Encoder
from xit_ray.core.heads import Head, Part
from xit_ray.core.kinds.base import HeadCore, Raw, Scored
from xit_ray.core.sharding import whole
from xit_ray.data.encode import NO_LABEL, Encoded
from xit_ray.tasks.kinds import MaskedLM
from xit_ray.tasks.scores.measures import ratio_of

VOCABULARY_ROWS = 512
"""Tokens whose scores over the whole vocabulary are in memory at once."""


class VocabularyHead(Head):
    """A transformation, then the word embeddings (Press and Wolf 2017) with a bias."""

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

        def portion(features: Tensor, right: Tensor) -> Tensor:
            return cross_entropy(self._over_words(features, encoder), right, reduction="sum")

        # Scores over a vocabulary of hundreds of thousands are computed again on the way back, not kept.
        parts = zip(transformed.split(VOCABULARY_ROWS), labels.split(VOCABULARY_ROWS), strict=True)
        losses = [checkpoint(portion, features, right, use_reentrant=False) for features, right in parts]
        return torch.stack(losses).sum() / part.asked

    def answers(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        assert part.labels is not None
        asked = part.labels != NO_LABEL
        tokens = torch.full_like(part.labels, NO_LABEL)
        parts = self._transformed(hidden[asked]).split(VOCABULARY_ROWS)
        tokens[asked] = torch.cat([self._over_words(features, encoder).argmax(-1) for features in parts])
        return tokens


class MaskedLMCore(HeadCore[MaskedLM]):
    def trains_by(self, task: MaskedLM) -> dict[str, bool]:
        return {"whole_words": task.whole_words}

    def make_head(self, task: MaskedLM, encoder: Encoder, generator: torch.Generator) -> Head:
        return VocabularyHead(encoder.width, encoder.vocabulary, generator)

    def score(self, task: MaskedLM, language: str, table: pa.Table, encoded: Encoded, raw: Raw) -> Scored:
        assert encoded.labels is not None
        asked = encoded.labels != NO_LABEL
        begins = encoded.starts[encoded.rows[:-1]]
        right = np.add.reduceat((asked & (raw == encoded.labels)).astype(float), begins)
        covered = np.add.reduceat(asked.astype(float), begins)
        usual = float(np.bincount(encoded.labels[asked]).max() / asked.sum())
        texts = [[f"{n:.0f}" for n in counts] for counts in (covered, right)]
        return Scored(texts[0], texts[1], {"accuracy": ratio_of(right, covered)}, majority=usual)
