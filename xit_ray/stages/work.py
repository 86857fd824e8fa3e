"""The two kinds of work a trial consists of, named by the keys of the entries they start from and leave behind."""

from xit_ray.spec.base import Strict
from xit_ray.spec.recipe import Stage

PREDICTIONS = "predictions.parquet"
"""File of an evaluation's entry: task, language, row, gold, predicted, next_best (of span QA)."""
ITEMS = "items.parquet"
"""File of an evaluation's entry: task, language, metric, row, item, measure, parts; ``tasks.scores.measures`` makes scores of
them. Rows with one item, in whatever language, are translations of one another."""


class Training(Strict):
    """A stage to be trained: from the checkpoint ``start`` (None: the model itself) to the entry ``key``."""

    key: str
    start: str | None
    stage: Stage
    dev: tuple[str, ...]
    """Tasks of the mixture whose English dev chooses the checkpoint."""
    weighing: tuple[str, ...] = ()
    """Tasks of the mixture whose English dev says how often they are drawn."""
    steps: int
    """Steps of the whole stage; early stopping and patience may end it before."""

    @property
    def english(self) -> tuple[str, ...]:
        """Tasks whose English dev rows the stage reads."""
        return tuple(sorted({*self.dev, *self.weighing}))

    @property
    def label(self) -> str:
        """Name for tables."""
        assert self.stage.mixture is not None
        return self.stage.mixture.label


class Evaluation(Strict):
    """Scores to be computed: of the checkpoint ``checkpoint`` (None: the model itself), kept as the entry ``key``."""

    key: str
    checkpoint: str | None
    head: int | None
    """Number of the checkpoint's head that is scored; None for the pretrained encoder, which has no head."""
    tests: tuple[str, ...]
    """Tasks whose test rows the head is scored on."""
    embedding_tests: tuple[str, ...]
    """Tasks that are scored on embeddings, without a head."""
    languages: dict[str, tuple[str, ...]]
    """Task to the languages that are scored."""
    items: int | None = None
    """How many rows of each test set are scored in each language; None scores all."""
