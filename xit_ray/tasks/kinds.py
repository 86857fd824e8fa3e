"""The kinds of tasks: what their rows are and what is scored.

What a kind does with rows is in ``data.kinds``, its head and scores in ``core.kinds``; a new kind is a class here and a file
in both (docs/extending.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from xit_ray.spec.errors import UserError
from xit_ray.spec.own_task import OwnTask
from xit_ray.spec.plugins import names, plugin, wrong
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

    @classmethod
    def described(cls, own: OwnTask) -> dict[str, Any]:
        """Two classes or more."""
        if len(own.labels) < 2:
            raise ValueError("labels: classification needs two or more")
        return {"labels": own.labels}


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
    def asks(self) -> tuple[object, ...]:
        """One score for each option: neither their number nor their names matter."""
        return (self.kind,)

    @property
    def asks_in_words(self) -> str:
        """The same, for messages."""
        return self.kind

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
        """F1 of entities as seqeval finds them, or of parts of speech as XTREME reads them; and accuracy of words."""
        return ("f1", "accuracy") if self.spans else ("accuracy",)

    @classmethod
    def described(cls, own: OwnTask) -> dict[str, Any]:
        """Spans are scored where tags mark their beginnings."""
        return {"labels": own.labels, "spans": any(label.startswith("B-") for label in own.labels)}


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
    item_column: ClassVar[str] = "id"

    @property
    def asks(self) -> tuple[object, ...]:
        """Whether some questions have no answer is part of what is asked."""
        return self.kind, self.unanswerable

    @property
    def asks_in_words(self) -> str:
        """The same, for messages."""
        return f"{self.kind} with{'' if self.unanswerable else 'out'} unanswerable questions"

    @property
    def metrics(self) -> tuple[str, ...]:
        """F1 of answer words and exact match; with unanswerable questions also both at the threshold that suits them
        best, which looks at the answers and is therefore an oracle."""
        return ("f1", "exact_match", "f1_oracle", "exact_match_oracle") if self.unanswerable else ("f1", "exact_match")

    @classmethod
    def described(cls, own: OwnTask) -> dict[str, Any]:
        """Whether some questions have no answer."""
        return super().described(own) | {"unanswerable": own.unanswerable}


@dataclass(frozen=True, kw_only=True)
class Regression(Task):
    """A number for a text or a pair. Rows: ``text_a``, ``text_b`` (null for a single text), ``label`` (a number)."""

    low: float
    """The smallest label there may be."""
    high: float
    """The largest; the head learns labels as shares of this range."""

    kind: ClassVar[str] = "regression"
    columns: ClassVar[tuple[str, ...]] = ("text_a", "text_b", "label")

    @property
    def asks(self) -> tuple[object, ...]:
        """The range of the numbers is part of what is asked."""
        return self.kind, self.low, self.high

    @property
    def asks_in_words(self) -> str:
        """The same, for messages."""
        return f"{self.kind} from {self.low:g} to {self.high:g}"

    @property
    def metrics(self) -> tuple[str, ...]:
        """Spearman's and Pearson's correlation of predictions and labels, both from -1 to 1."""
        return ("spearman", "pearson")

    @classmethod
    def described(cls, own: OwnTask) -> dict[str, Any]:
        """The range of the numbers."""
        if own.range is None or not own.range[0] < own.range[1]:
            raise ValueError("range: regression needs the smallest and the largest number, [low, high]")
        return super().described(own) | {"low": own.range[0], "high": own.range[1]}


MOST_LABELS = 63
"""Of a multi-label task: a row's labels are the bits of one number."""


@dataclass(frozen=True, kw_only=True)
class MultiLabel(Task):
    """Any number of labels for a text or a pair. Rows: ``text_a``, ``text_b`` (null for a single text), ``labels``
    (indices)."""

    labels: tuple[str, ...]
    """Names of the labels."""

    kind: ClassVar[str] = "multi-label"
    columns: ClassVar[tuple[str, ...]] = ("text_a", "text_b", "labels")

    @property
    def metrics(self) -> tuple[str, ...]:
        """F1 over all decisions together (micro), and the mean of the labels' F1 (macro)."""
        return ("f1_micro", "f1_macro")

    @classmethod
    def described(cls, own: OwnTask) -> dict[str, Any]:
        """At least one label."""
        if not 1 <= len(own.labels) <= MOST_LABELS:
            raise ValueError(f"labels: a multi-label task needs 1 to {MOST_LABELS}")
        return {"labels": own.labels}


@dataclass(frozen=True, kw_only=True)
class MaskedLM(Task):
    """Words that were covered up. Rows: ``text``."""

    whole_words: bool = False
    """Whether words are covered up as a whole, not piece by piece."""

    kind: ClassVar[str] = "masked LM"
    columns: ClassVar[tuple[str, ...]] = ("text",)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Share of the covered tokens that are found."""
        return ("accuracy",)

    @classmethod
    def described(cls, own: OwnTask) -> dict[str, Any]:
        """An intermediate task: nothing of it is scored."""
        if own.files.test is not None:
            raise ValueError("files.test: masked LM is an intermediate task; it has none")
        return super().described(own)


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
    def dev_languages(self) -> tuple[str, ...]:
        """The threshold is tuned on corpora of its own in the same language, as XTREME does; nothing else is chosen."""
        return self.languages

    @property
    def metrics(self) -> tuple[str, ...]:
        """F1 of pairs: at a threshold found on other pairs, and at the one that suits the scored pairs best."""
        return ("f1", "f1_oracle")


@dataclass(frozen=True, kw_only=True)
class RankedRetrieval(Task):
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


BUILT_IN: dict[str, type[Task]] = {
    kind.kind: kind
    for kind in (
        Classification,
        MultipleChoice,
        Tagging,
        SpanQA,
        Regression,
        MultiLabel,
        MaskedLM,
        Retrieval,
        Mining,
        RankedRetrieval,
    )
}


def kinds() -> dict[str, type[Task]]:
    """Every kind by its name, those of plugins included."""
    return BUILT_IN | {name: _of_plugin(name) for name in names("kinds")}


def _of_plugin(name: str) -> type[Task]:
    """The class of a plugin's kind.

    Raises:
        UserError: the plugin is no kind, or its name is taken.
    """
    module = plugin("kinds", name)
    missing = [part for part in ("TASK", "data", "core") if not isinstance(getattr(module, part, None), type)]
    if missing:
        raise wrong("kinds", name, module, f"a module with the classes TASK, data and core (no {missing[0]} there)")
    kind: type[Task] = module.TASK
    if not issubclass(kind, Task) or getattr(kind, "kind", None) != name:
        raise wrong("kinds", name, kind, f"as TASK a class of tasks whose kind is {name!r}")
    if name in BUILT_IN:
        raise UserError(f"plugin xit_ray.kinds {name!r}: the name of the kind is taken")
    return kind
