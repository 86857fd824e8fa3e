"""One score per option, compared within the row."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from xit_ray.core.encoder import Encoder
from xit_ray.core.evaluate import embed
from xit_ray.core.heads import Head, Part
from xit_ray.core.kinds.base import HeadCore, Raw, Scored, named
from xit_ray.core.kinds.classification import ClassHead
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.data.encode import Encoded, Ids, apart
from xit_ray.tasks.kinds import MultipleChoice
from xit_ray.tasks.scores.measures import mean_of


class ChoiceHead(ClassHead):
    """Scores of shape (rows, most options), minus infinity where there is no option."""

    def scores(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        score = super().scores(hidden, part, encoder)[:, 0]
        first = torch.searchsorted(part.row, torch.arange(part.rows, device=part.row.device))
        option = torch.arange(len(part.row), device=part.row.device) - first[part.row]
        table = score.new_full((part.rows, int(option.max()) + 1), float("-inf"))
        return table.index_put((part.row, option), score)


class MultipleChoiceCore(HeadCore[MultipleChoice]):
    def make_head(self, task: MultipleChoice, encoder: Encoder, generator: torch.Generator) -> Head:
        return ChoiceHead(encoder, 1, generator)

    def score(self, task: MultipleChoice, language: str, table: pa.Table, encoded: Encoded, raw: Raw) -> Scored:
        assert encoded.labels is not None
        texts = [str(number) for number in range(int(np.diff(encoded.rows).max()))]
        return named(texts, encoded.labels, raw, {"accuracy": mean_of(encoded.labels == raw)})

    def units(
        self, network: Network, task: MultipleChoice, encoded: Encoded, meter: Meter
    ) -> tuple[npt.NDArray[np.float32], Ids]:
        """Options, and whether each is the right one."""
        assert encoded.labels is not None
        right = np.zeros(len(encoded.sizes), dtype=np.int64)
        right[encoded.rows[:-1] + encoded.labels] = 1
        return embed(network, apart(encoded), meter), right
