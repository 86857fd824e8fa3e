"""The data side of every kind, one file each, found by the kind's name."""

import functools
from typing import Any

import pyarrow as pa

from xit_ray.data.encode import Encoded
from xit_ray.data.kinds.base import DataKind, EmbeddingData, HeadData
from xit_ray.data.kinds.classification import ClassificationData
from xit_ray.data.kinds.masked_lm import MaskedLMData
from xit_ray.data.kinds.mining import MiningData
from xit_ray.data.kinds.multi_label import MultiLabelData
from xit_ray.data.kinds.multiple_choice import MultipleChoiceData
from xit_ray.data.kinds.ranked_retrieval import RankedRetrievalData
from xit_ray.data.kinds.regression import RegressionData
from xit_ray.data.kinds.retrieval import RetrievalData
from xit_ray.data.kinds.span_qa import SpanQAData
from xit_ray.data.kinds.tagging import TaggingData
from xit_ray.data.tokenise import Tokenizer
from xit_ray.spec.plugins import plugin
from xit_ray.tasks import kinds
from xit_ray.tasks.base import Task

BUILT_IN: dict[str, type[DataKind[Any]]] = {
    kinds.Classification.kind: ClassificationData,
    kinds.MultipleChoice.kind: MultipleChoiceData,
    kinds.Tagging.kind: TaggingData,
    kinds.SpanQA.kind: SpanQAData,
    kinds.Regression.kind: RegressionData,
    kinds.MultiLabel.kind: MultiLabelData,
    kinds.MaskedLM.kind: MaskedLMData,
    kinds.Retrieval.kind: RetrievalData,
    kinds.Mining.kind: MiningData,
    kinds.RankedRetrieval.kind: RankedRetrievalData,
}


@functools.cache
def _named(kind: str) -> DataKind[Any]:
    made: DataKind[Any] = BUILT_IN[kind]() if kind in BUILT_IN else plugin("kinds", kind).data()
    return made


def data_kind(task: Task) -> DataKind[Any]:
    """The data side of a task's kind."""
    return _named(task.kind)


def head_data(task: Task) -> HeadData[Any]:
    """The data side of a task whose kind has a head."""
    kind = _named(task.kind)
    assert isinstance(kind, HeadData), task.kind
    return kind


def tokenise(task: Task, table: pa.Table, tokenizer: Tokenizer, max_length: int) -> Encoded:
    """Rows of a task whose kind has a head as token ids (``data.tokens`` keeps what was tokenised before)."""
    kind = head_data(task)
    return kind.prepared(task, kind.tokenise(table, tokenizer, max_length))


def embedding_data(task: Task) -> EmbeddingData[Any]:
    """The data side of a task whose kind has no head."""
    kind = _named(task.kind)
    assert isinstance(kind, EmbeddingData), task.kind
    return kind
