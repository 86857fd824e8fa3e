"""The core side of every kind, one file each, found by the kind's name."""

import functools
from typing import Any

from xit_ray.core.kinds.base import EmbeddingCore, HeadCore
from xit_ray.core.kinds.classification import ClassificationCore
from xit_ray.core.kinds.masked_lm import MaskedLMCore
from xit_ray.core.kinds.mining import MiningCore
from xit_ray.core.kinds.multi_label import MultiLabelCore
from xit_ray.core.kinds.multiple_choice import MultipleChoiceCore
from xit_ray.core.kinds.ranked_retrieval import RankedRetrievalCore
from xit_ray.core.kinds.regression import RegressionCore
from xit_ray.core.kinds.retrieval import RetrievalCore
from xit_ray.core.kinds.span_qa import SpanQACore
from xit_ray.core.kinds.tagging import TaggingCore
from xit_ray.core.network import HeadMaker
from xit_ray.spec.plugins import plugin
from xit_ray.tasks import kinds
from xit_ray.tasks.base import Task

BUILT_IN: dict[str, type[Any]] = {
    kinds.Classification.kind: ClassificationCore,
    kinds.MultipleChoice.kind: MultipleChoiceCore,
    kinds.Tagging.kind: TaggingCore,
    kinds.SpanQA.kind: SpanQACore,
    kinds.Regression.kind: RegressionCore,
    kinds.MultiLabel.kind: MultiLabelCore,
    kinds.MaskedLM.kind: MaskedLMCore,
    kinds.Retrieval.kind: RetrievalCore,
    kinds.Mining.kind: MiningCore,
    kinds.RankedRetrieval.kind: RankedRetrievalCore,
}


@functools.cache
def _named(kind: str) -> Any:
    return BUILT_IN[kind]() if kind in BUILT_IN else plugin("kinds", kind).core()


def head_core(task: Task) -> HeadCore[Any]:
    """The core side of a task whose kind has a head."""
    kind: HeadCore[Any] = _named(task.kind)
    return kind


def head_maker(task: Task) -> HeadMaker:
    """Makes the head of a task."""
    return functools.partial(head_core(task).make_head, task)


def embedding_core(task: Task) -> EmbeddingCore[Any]:
    """The core side of a task whose kind has no head."""
    kind: EmbeddingCore[Any] = _named(task.kind)
    return kind
