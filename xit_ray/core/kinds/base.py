"""What a kind of task does in the core: its head with a loss, and scores; or, without a head, scores of embeddings."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from xit_ray.core.encoder import Encoder
from xit_ray.core.heads import Head
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.retrieval import Vectors
from xit_ray.data.encode import Encoded, Ids
from xit_ray.data.kinds.base import CorpusKey
from xit_ray.tasks.base import Task
from xit_ray.tasks.scores.measures import ItemScores

AnyTask = TypeVar("AnyTask", bound=Task)
Raw = npt.NDArray[Any]
"""What a head answers, as ``core.evaluate.predict`` gives it."""


@dataclass(frozen=True)
class Scored:
    """The answers to the rows of a split, and their scores."""

    gold: list[str]
    """What is right, by row."""
    given: list[str]
    """What was answered, by row."""
    scores: dict[str, ItemScores]
    """By metric, the main one first; items are rows."""
    alternatives: list[list[str]] | None = None
    """Span QA: the answers that scored next, by row."""
    majority: float = 0.0
    """What the best answer that is the same for all rows scores in the main metric."""
    items: list[str] | None = None
    """The item of each row; rows of several languages with one item are translations. None where there are no rows that
    could be told apart, as for pairs that were found."""


class HeadCore(ABC, Generic[AnyTask]):
    """The base of every kind with a head. Instances have no state."""

    version: ClassVar[int] = 1
    """Raise it when the head, its loss or its scores change what they compute: earlier stages of this kind are then no
    longer taken. Other kinds' stages are not touched."""

    def trains_by(self, task: AnyTask) -> dict[str, Any]:
        """What the training of the head and its English-dev score depend on, beside the rows: part of a stage's
        fingerprint. Two tasks with equal rows and an equal answer here are trained once."""
        return {}

    @abstractmethod
    def make_head(self, task: AnyTask, encoder: Encoder, generator: torch.Generator) -> Head:
        """A head with random weights."""

    @abstractmethod
    def score(self, task: AnyTask, language: str, table: pa.Table, encoded: Encoded, raw: Raw) -> Scored:
        """Score what the head answered.

        Args:
            task: says how.
            language: some rules depend on it.
            table: the rows.
            encoded: the same rows.
            raw: the head's answers.
        """

    def units(
        self, network: Network, task: AnyTask, encoded: Encoded, meter: Meter
    ) -> tuple[npt.NDArray[np.float32], Ids]:
        """Features and classes of what the task asks about, for estimates from frozen features (LogME).

        Raises:
            ValueError: the kind asks about nothing that has a class.
        """
        raise ValueError(f"{task.name}: a {task.kind} task has no classes to estimate from")


@dataclass(frozen=True)
class EmbeddedCorpus:
    """Texts that are searched, or that search: their vectors and what each is about."""

    texts: list[str]
    vectors: Vectors
    """Shape (texts, width)."""
    keys: list[list[str]]
    """Two texts belong together where they have a key in common."""


class EmbeddingCore(ABC, Generic[AnyTask]):
    """The base of every kind without a head."""

    version: ClassVar[int] = 1
    """Raise it when scores change: earlier ones are then no longer taken."""

    @abstractmethod
    def score(
        self, task: AnyTask, languages: Sequence[str], corpora: Mapping[CorpusKey, EmbeddedCorpus]
    ) -> dict[str, Scored]:
        """Scores by language.

        Args:
            task: says how.
            languages: that are scored.
            corpora: as the kind's data side gives them.
        """


def named(names: Sequence[str], gold: Ids, given: Ids, scores: dict[str, ItemScores]) -> Scored:
    """Scored classes, in words."""
    most = int(np.bincount(gold).max())
    return Scored([names[i] for i in gold], [names[i] for i in given], scores, majority=most / len(gold))
