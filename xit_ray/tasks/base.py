"""What a task says about itself: its data's identity, languages, places and columns. No data is read here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")


@dataclass(frozen=True)
class Held:
    """A split cut from another file: rows whose position modulo ``every`` is 0 (``keep=False`` takes the rest)."""

    file: str
    every: int
    keep: bool


@dataclass(frozen=True)
class Layout:
    """Where the splits lie inside a data folder, as path patterns: ``{lang}`` is a language, ``{code}`` the dataset's code.

    A task lists its layouts in order of preference; the first whose files are all there is used. ``train`` and ``dev``
    are the data that may choose; ``test`` is what zero-shot scores are computed on, and never a file of the other two.
    """

    train: str | Held | None
    dev: str | Held | None
    test: str | None
    fields: tuple[str, str, str] = ("premise", "hypothesis", "label")
    """JSON Lines of pairs: the keys of first text (or a list of its sentences), second text and label."""
    test_english: str | None = None
    """Retrieval: the file of the English side, line by line the translation of ``test``."""


@dataclass(frozen=True)
class Hub:
    """Where the splits lie on the hub: a repository of data files (no scripts) at a pinned commit."""

    repository: str
    revision: str
    columns: Mapping[str, str]
    """Our column name to the repository's."""
    splits: Mapping[Split, str]
    """Our split to the repository's."""
    config: str = "{lang}"
    """Name of the repository's configuration; ``{lang}`` and ``{code}`` as in a layout."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A dataset together with what is asked of it. Subclasses are the kinds; instances are the datasets."""

    name: str
    """The name used in search spaces."""
    languages: tuple[str, ...]
    """Languages of the test split, ISO 639-1; English first where it is one of them."""
    train_languages: tuple[str, ...] = ("en",)
    """Languages that have training rows."""
    licence: str
    citation: str
    """Whom to cite: the paper's short name and its identifier."""
    layouts: tuple[Layout, ...] = ()
    hub: Hub | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    """The dataset's own code of a language, where its files use another one (``de`` to ``deu``)."""
    builtin: bool = False
    """True for tasks whose rows are generated (``data.mini``) and need no source."""

    kind: ClassVar[str]
    metric: ClassVar[str]
    """The main metric; larger is better, between 0 and 1."""
    trainable: ClassVar[bool] = True
    """Whether the kind has a training split and a head."""

    def place(self, pattern: str, language: str) -> str:
        """A layout's or the hub's pattern, filled in for a language."""
        return pattern.format(lang=language, code=self.codes.get(language, language))

    @property
    def zero_shot_languages(self) -> tuple[str, ...]:
        """Test languages other than English: their mean is the score of the transfer matrix."""
        return tuple(language for language in self.languages if language != "en")


@dataclass(frozen=True, kw_only=True)
class Classification(Task):
    """One label for a pair of texts. Rows: ``text_a``, ``text_b`` (strings) and ``label`` (index into ``labels``)."""

    labels: tuple[str, ...]
    """Class names as the dataset's files spell them; their order is the label's index, on the hub too."""
    parts: tuple[str, ...] = ()
    """Tasks with the same labels whose rows, one after the other, are this task's: they share its head."""
    drop_unlabelled: bool = False
    """Whether rows the annotators could not agree on belong to the dataset and are left out, counted: they have the
    label -1 on the hub and ``-`` in files."""

    kind: ClassVar[str] = "classification"
    metric: ClassVar[str] = "accuracy"
    columns: ClassVar[tuple[str, ...]] = ("text_a", "text_b", "label")


@dataclass(frozen=True, kw_only=True)
class Retrieval(Task):
    """Find each sentence's translation. Rows: ``text_a`` (the language) and ``text_b`` (English), aligned; no training."""

    kind: ClassVar[str] = "retrieval"
    metric: ClassVar[str] = "accuracy"
    trainable: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ("text_a", "text_b")
