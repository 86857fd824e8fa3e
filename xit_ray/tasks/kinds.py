"""The kinds of tasks: what their rows are and what is scored. One Arrow schema a kind; ``data.rows`` makes the tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from xit_ray.tasks.base import Task


@dataclass(frozen=True, kw_only=True)
class Classification(Task):
    """One label for a text or a pair. Rows: ``text_a``, ``text_b`` (null for a single text), ``label`` (index)."""

    labels: tuple[str, ...]
    """Class names as the dataset's files spell them; their order is the label's index, on the hub too."""
    positive: str | None = None
    """The class whose F1 is scored beside accuracy (GLUE does so for paraphrase tasks)."""
    drop_unlabelled: bool = False
    """Whether rows the annotators could not agree on belong to the dataset and are left out, counted: they have the
    label -1 on the hub and ``-`` in files."""

    kind: ClassVar[str] = "classification"
    columns: ClassVar[tuple[str, ...]] = ("text_a", "text_b", "label")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Accuracy, and GLUE's F1 of the positive class where there is one."""
        return ("accuracy",) if self.positive is None else ("accuracy", "f1")


@dataclass(frozen=True, kw_only=True)
class MultipleChoice(Task):
    """The right option of some. Rows: ``text`` (that they continue or answer), ``options`` (texts), ``label`` (index)."""

    labels: tuple[str, ...] = ()
    """How the files spell the options' names (``A``, ``B``, …); empty where they number them from 0."""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """What a short value of the last of the text's fields stands for (XCOPA's ``cause``)."""

    kind: ClassVar[str] = "multiple choice"
    columns: ClassVar[tuple[str, ...]] = ("text", "options", "label")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Accuracy."""
        return ("accuracy",)


@dataclass(frozen=True, kw_only=True)
class Tagging(Task):
    """A tag for every token. Rows: ``tokens`` (texts), ``tags`` (indices)."""

    labels: tuple[str, ...]
    """Tag names; ``B-``, ``I-`` and ``O`` for entities."""
    spans: bool = True
    """Whether spans of tags are scored; else words alone."""
    others: str | None = None
    """The tag that stands for those not in ``labels``, where the dataset has rare ones that are not told apart."""

    kind: ClassVar[str] = "tagging"
    columns: ClassVar[tuple[str, ...]] = ("tokens", "tags")

    @property
    def entities(self) -> bool:
        """Whether tags mark the beginnings and insides of spans."""
        return "O" in self.labels

    @property
    def metrics(self) -> tuple[str, ...]:
        """F1 of entities as seqeval finds them, or of XTREME's parts of speech as it reads these; and accuracy of words."""
        return ("f1", "accuracy") if self.spans else ("accuracy",)


@dataclass(frozen=True, kw_only=True)
class SpanQA(Task):
    """The part of a context that answers a question.

    Rows: ``id``, ``question``, ``context``, ``answers`` (list of ``text`` and ``start`` in characters; empty: no answer).
    """

    articles: Literal["squad", "mlqa"] = "squad"
    """How answers are normalised: English articles taken out as in SQuAD, or each language's as in MLQA."""
    unanswerable: bool = False
    """Whether some questions have no answer."""

    kind: ClassVar[str] = "span QA"
    columns: ClassVar[tuple[str, ...]] = ("id", "question", "context", "answers")

    @property
    def metrics(self) -> tuple[str, ...]:
        """F1 of answer words and exact match; with unanswerable questions also both at the threshold that suits them
        best, which looks at the answers and is therefore an oracle."""
        return ("f1", "exact_match", "f1_oracle", "exact_match_oracle") if self.unanswerable else ("f1", "exact_match")


@dataclass(frozen=True, kw_only=True)
class MaskedLM(Task):
    """Words that were covered up. Rows: ``text``."""

    of: str | None = None
    """The task whose texts are used; None reads files of its own."""
    whole_words: bool = False
    """Whether words are covered up as a whole, not piece by piece."""

    kind: ClassVar[str] = "masked LM"
    columns: ClassVar[tuple[str, ...]] = ("text",)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Share of the covered tokens that are found."""
        return ("accuracy",)


@dataclass(frozen=True, kw_only=True)
class Retrieval(Task):
    """Find each sentence's translation. Rows: ``text_a`` (the language) and ``text_b`` (English), aligned; no training."""

    kind: ClassVar[str] = "retrieval"
    trainable: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ("text_a", "text_b")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Share of English sentences whose nearest neighbour is their translation."""
        return ("accuracy",)


@dataclass(frozen=True, kw_only=True)
class Mining(Task):
    """Find the few translations in two collections. Rows: ``side`` (``a``: the language, ``b``: English), ``text``,
    ``keys`` (a pair has one in common); no training."""

    kind: ClassVar[str] = "mining"
    trainable: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ("side", "text", "keys")

    @property
    def metrics(self) -> tuple[str, ...]:
        """F1 of pairs: at a threshold found on other pairs, and at the one that suits the scored pairs best."""
        return ("f1", "f1_oracle")


@dataclass(frozen=True, kw_only=True)
class Ranking(Task):
    """Find what answers a query in a pool of all languages that are there, scored or not.

    Rows: ``side`` (``a``: a query, ``b``: a candidate), ``text``, ``keys`` (a query and what it seeks have one in common); no
    training.
    """

    pooled: bool = True
    """Whether each language has candidates of its own, which are put together; else all share one collection."""

    kind: ClassVar[str] = "ranking"
    trainable: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ("side", "text", "keys")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Mean average precision of the first 20."""
        return ("map_at_20",)
