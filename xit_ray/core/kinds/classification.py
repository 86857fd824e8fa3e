"""Classes of a row's only sequence."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from xit_ray.core.encoder import Encoder
from xit_ray.core.evaluate import embed
from xit_ray.core.heads import Head, Part, SequenceHead
from xit_ray.core.kinds.base import HeadCore, Raw, Scored, named
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.data.encode import Encoded, Ids
from xit_ray.tasks.kinds import Classification
from xit_ray.tasks.scores.measures import f1_of_class, mean_of


class ClassHead(SequenceHead):
    """Scores of shape (rows, classes)."""

    def loss(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        assert part.labels is not None
        return cross_entropy(self.scores(hidden, part, encoder), part.labels, reduction="sum")


class ClassificationCore(HeadCore[Classification]):
    def trains_by(self, task: Classification) -> dict[str, Any]:
        return {"classes": len(task.labels)}

    def make_head(self, task: Classification, encoder: Encoder, generator: torch.Generator) -> Head:
        return ClassHead(encoder, len(task.labels), generator)

    def score(self, task: Classification, language: str, table: pa.Table, encoded: Encoded, raw: Raw) -> Scored:
        gold = encoded.labels
        assert gold is not None
        scores = {"accuracy": mean_of(gold == raw)}
        if task.positive is not None:
            positive = task.labels.index(task.positive)
            scores["f1"] = f1_of_class(gold == positive, raw == positive)
        return named(task.labels, gold, raw, scores)

    def units(
        self, network: Network, task: Classification, encoded: Encoded, meter: Meter
    ) -> tuple[npt.NDArray[np.float32], Ids]:
        assert encoded.labels is not None
        return embed(network, encoded, meter), encoded.labels
