"""A number per row, learnt as a share of the task's range."""

from typing import Any

import pyarrow as pa
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from xit_ray.core.encoder import Encoder
from xit_ray.core.heads import Head, Part, SequenceHead
from xit_ray.core.kinds.base import HeadCore, Raw, Scored
from xit_ray.data.encode import Encoded
from xit_ray.tasks.kinds import Regression
from xit_ray.tasks.scores.measures import correlations


class NumberHead(SequenceHead):
    """Scores of shape (rows,). The loss is the squared error, as for STS-B in GLUE."""

    def scores(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        return super().scores(hidden, part, encoder)[:, 0]

    def loss(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        assert part.labels is not None
        return mse_loss(self.scores(hidden, part, encoder), part.labels.float(), reduction="sum")

    def answers(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        return self.scores(hidden, part, encoder)


class RegressionCore(HeadCore[Regression]):
    def trains_by(self, task: Regression) -> dict[str, Any]:
        return {"range": [task.low, task.high]}

    def make_head(self, task: Regression, encoder: Encoder, generator: torch.Generator) -> Head:
        return NumberHead(encoder, 1, generator)

    def score(self, task: Regression, language: str, table: pa.Table, encoded: Encoded, raw: Raw) -> Scored:
        assert encoded.labels is not None
        texts = [[f"{task.low + (task.high - task.low) * v:.3g}" for v in values] for values in (encoded.labels, raw)]
        scores = correlations(encoded.labels.astype(float), raw.astype(float))
        return Scored(texts[0], texts[1], scores)  # an answer that is the same for all rows has no correlation
