"""Classes of tokens."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from xit_ray.core.encoder import Encoder
from xit_ray.core.evaluate import states_of_labelled
from xit_ray.core.heads import Head, Part
from xit_ray.core.kinds.base import HeadCore, Raw, Scored
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.data.encode import NO_LABEL, Encoded, Ids
from xit_ray.tasks.kinds import Tagging
from xit_ray.tasks.scores.chunks import span_f1
from xit_ray.tasks.scores.measures import ratio_of


class TokenHead(Head):
    """Scores of shape (tokens, classes). A row's loss is that of its tokens over the tokens a row has on average, so that
    every token weighs the same."""

    per_token = True

    def loss(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        assert part.labels is not None
        asked = part.labels != NO_LABEL
        return cross_entropy(self.apply_to(hidden[asked]), part.labels[asked], reduction="sum") / part.asked


class TaggingCore(HeadCore[Tagging]):
    def trains_by(self, task: Tagging) -> dict[str, Any]:
        """The names of tags say where spans begin, which English dev is scored by."""
        return {"labels": list(task.labels), "spans": task.spans}

    def make_head(self, task: Tagging, encoder: Encoder, generator: torch.Generator) -> Head:
        return TokenHead(encoder.width, len(task.labels), generator)

    def score(self, task: Tagging, language: str, table: pa.Table, encoded: Encoded, raw: Raw) -> Scored:
        assert encoded.labels is not None
        gold, given = (_by_row(encoded, values, task.labels) for values in (encoded.labels, raw))
        right = [sum(a == b for a, b in zip(*pair, strict=True)) for pair in zip(gold, given, strict=True)]
        words = [len(row) for row in gold]
        asked = encoded.labels[encoded.labels != NO_LABEL]
        usual = task.labels[int(np.bincount(asked).argmax())]
        accuracy = ratio_of(np.asarray(right, float), np.asarray(words, float))
        if task.spans:
            scores = {"f1": span_f1(gold, given), "accuracy": accuracy}
            constant = span_f1(gold, [[usual] * len(row) for row in gold]).value
        else:
            scores, constant = {"accuracy": accuracy}, float((asked == task.labels.index(usual)).mean())
        return Scored([" ".join(row) for row in gold], [" ".join(row) for row in given], scores, majority=constant)

    def units(
        self, network: Network, task: Tagging, encoded: Encoded, meter: Meter
    ) -> tuple[npt.NDArray[np.float32], Ids]:
        assert encoded.labels is not None
        return states_of_labelled(network, encoded, encoded.labels, meter)


def _by_row(encoded: Encoded, values: Ids, names: tuple[str, ...]) -> list[list[str]]:
    """The names of every row's labelled tokens' values."""
    asked = encoded.labels != NO_LABEL
    counts = np.add.reduceat(asked, encoded.starts[encoded.rows[:-1]])
    left = iter(values[asked].tolist())
    return [[names[next(left)] for _ in range(count)] for count in counts]
