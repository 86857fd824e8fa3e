"""A decision per label of a row."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from xit_ray.core.encoder import Encoder
from xit_ray.core.heads import Head, Part, SequenceHead
from xit_ray.core.kinds.base import HeadCore, Raw, Scored
from xit_ray.data.encode import Encoded
from xit_ray.tasks.kinds import MultiLabel
from xit_ray.tasks.scores.measures import f1_of_labels


class LabelsHead(SequenceHead):
    """Scores of shape (rows, labels). A row's loss is the mean of its labels' binary cross-entropies; a label is given
    where it is more likely than not."""

    def loss(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        assert part.labels is not None
        scores = self.scores(hidden, part, encoder)
        right = (part.labels[:, None] >> self._places(scores)) & 1
        return binary_cross_entropy_with_logits(scores, right.float(), reduction="none").mean(1).sum()

    def answers(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        """The labels that are given, as the bits of one number."""
        scores = self.scores(hidden, part, encoder)
        return ((scores > 0).long() << self._places(scores)).sum(1)

    @staticmethod
    def _places(scores: Tensor) -> Tensor:
        return torch.arange(scores.shape[1], device=scores.device)


class MultiLabelCore(HeadCore[MultiLabel]):
    def trains_by(self, task: MultiLabel) -> dict[str, Any]:
        return {"labels": len(task.labels)}

    def make_head(self, task: MultiLabel, encoder: Encoder, generator: torch.Generator) -> Head:
        return LabelsHead(encoder, len(task.labels), generator)

    def score(self, task: MultiLabel, language: str, table: pa.Table, encoded: Encoded, raw: Raw) -> Scored:
        assert encoded.labels is not None
        gold, given = (_decisions(values, len(task.labels)) for values in (encoded.labels, raw))
        shares = gold.mean(axis=0)
        # The best constant answer gives a label where that raises F1; for labels apart, the most frequent ones first.
        constants = [shares >= least for least in sorted(set(shares.tolist()))]
        best = max(f1_of_labels(gold, np.tile(one, (len(gold), 1)))["f1_micro"].value for one in constants)
        texts = [_texts(values, task.labels) for values in (gold, given)]
        return Scored(texts[0], texts[1], f1_of_labels(gold, given), majority=best)


def _decisions(bits: npt.NDArray[Any], labels: int) -> npt.NDArray[np.bool_]:
    """Bits as decisions: (rows,) to (rows, labels)."""
    return ((bits[:, None] >> np.arange(labels)) & 1).astype(bool)


def _texts(decisions: npt.NDArray[np.bool_], names: tuple[str, ...]) -> list[str]:
    return [" | ".join(names[place] for place in np.flatnonzero(row)) for row in decisions]
