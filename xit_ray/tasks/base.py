"""What a task says about itself: its data's identity, languages, places and columns. No data is read here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

from xit_ray.spec.own_task import OwnTask
from xit_ray.spec.own_task import Size as Size

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

Fields = Mapping[str, str | tuple[str, ...]]
"""Our column to the file's: a name, a dotted path into nested values (``choices.text``), or several of them, which are
joined (texts by a space, options to a list)."""


@dataclass(frozen=True)
class HoldOut:
    """A split cut from another file: one row in ``every``, always the same ones (``keep=False`` takes the rest)."""

    file: str
    every: int
    keep: bool


@dataclass(frozen=True)
class Written:
    """How a table of text is written. None leaves it to the format: csv files have quotes, tsv files have none."""

    quotes: bool | None = None
    """Whether fields that begin with a quotation mark end with one, and may go over tabs and lines."""
    names: tuple[str, ...] = ()
    """The columns' names, where the file has no header."""
    short_rows: Literal["refused", "accepted", "left out"] = "refused"
    """What is done with rows that lack fields at their end."""


FilePattern = str | HoldOut | tuple[str, ...]
"""A file, a part of one, or several files that are read together."""


@dataclass(frozen=True)
class Layout:
    """Where the splits lie inside a data folder, as path patterns: ``{lang}`` is a language, ``{code}`` the dataset's code.

    A task lists its layouts in order of preference; the first whose files are all there is used. ``train`` and ``dev``
    are the data that may choose; ``test`` is what zero-shot scores are computed on, and never a file of the other two.
    """

    train: FilePattern | None
    dev: FilePattern | None
    test: FilePattern | None
    format: str = ""
    """How the files are written, a name of ``data.formats``; empty where their suffix says it."""
    written: Written = Written()
    """What the format leaves open."""
    labels: tuple[str, ...] = ()
    """How the files spell the labels, where not as the task does."""
    fields: Fields = field(default_factory=dict)
    """Where the kind's columns are; those not named are called what the kind calls them."""
    fields_by_split: Mapping[Split, Fields] = field(default_factory=dict)
    """The same for single splits, where their files differ."""
    languages: tuple[str, ...] | None = None
    """Test languages, where this layout has fewer than the task."""
    collections: Mapping[Split, str] = field(default_factory=dict)
    """The collection whose items a split's rows are. Rows of one collection with one id (the field ``item``, of span QA
    ``id``, else the number of the row in its file) are the same item, in whatever language, split or task."""

    def fields_of(self, split: Split) -> Fields:
        """Where a split's files have the kind's columns."""
        return {**self.fields, **self.fields_by_split.get(split, {})}


@dataclass(frozen=True)
class Hub:
    """Where the splits lie on the hub: a repository of data files (no scripts) at a pinned commit."""

    repository: str
    revision: str | None
    """The commit; None where none is known to us: then only a copy of the repository is read (``mirror:DIR``)."""
    splits: Mapping[Split, str]
    """Our split to the repository's; several joined by ``+``. ``{lang}`` and ``{code}`` as in a layout."""
    config: str = "{lang}"
    """Name of the repository's configuration; ``{lang}`` and ``{code}`` as in a layout."""
    fields: Fields = field(default_factory=dict)
    """As a layout's."""
    languages: tuple[str, ...] | None = None
    """The languages the repository has, where they are fewer than the task's."""
    labels: tuple[str, ...] = ()
    """How the repository spells the labels, where not as the files do."""
    codes: Mapping[str, str] = field(default_factory=dict)
    """The hub's own codes of languages, where they differ from the files'."""
    held: int | None = None
    """Dev is one row in this many of the training split, which has the others: the repository has no dev split of its own."""
    only: tuple[str, str] | None = None
    """A column and how its value begins in the rows of a language, where one configuration holds all languages."""
    collections: Mapping[Split, str] = field(default_factory=dict)
    """As a layout's."""


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
    size: Size | None = None
    layouts: tuple[Layout, ...] = ()
    hub: Hub | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    """The dataset's own code of a language, where its files use another one (``de`` to ``deu``)."""
    train_from: str | None = None
    """The task whose English training rows are this one's, where the dataset has none of its own."""
    parts: tuple[str, ...] = ()
    """Tasks of the same kind and labels whose rows, one after the other, are this task's: they share its head."""
    texts_of: str | None = None
    """The task whose texts are this one's rows, each text once."""
    labels: tuple[str, ...] = ()
    """Names of classes, tags or options, where the kind has any; their order is the label's index."""
    root: str | None = None
    """Folder of a user's own files."""
    builtin: bool = False
    """True for tasks whose rows are generated (``data.mini``) and need no source."""

    kind: ClassVar[str]
    """Name of the kind, in search spaces and own tasks."""
    columns: ClassVar[tuple[str, ...]]
    """Of the kind's Arrow table."""
    trainable: ClassVar[bool] = True
    """Whether the kind has a head; tasks without one are scored on embeddings and have test rows only."""
    item_column: ClassVar[str] = "item"
    """The column that names a row's item, if the files have one."""

    @classmethod
    def described(cls, own: OwnTask) -> dict[str, Any]:
        """The kind's own fields, from the description of a user's task.

        Raises:
            ValueError: the description lacks something, or has what the kind has not.
        """
        if own.labels:
            raise ValueError(f"labels: {cls.kind} has none")
        return {}

    @property
    def metrics(self) -> tuple[str, ...]:
        """What is scored, the main metric first; larger is better, between 0 and 1."""
        raise NotImplementedError

    @property
    def metric(self) -> str:
        """The main metric: English dev chooses by it, and the transfer matrix is about it."""
        return self.metrics[0]

    @property
    def asks(self) -> tuple[object, ...]:
        """What two tasks must have in common for one head to answer both: rows of one may train the other."""
        return self.kind, self.labels

    @property
    def asks_in_words(self) -> str:
        """The same, for messages."""
        return f"{self.kind} with the labels {', '.join(self.labels) or 'none'}"

    @property
    def terms(self) -> dict[str, object]:
        """What the kind's own fields say: with the rows, all that scores depend on."""
        base = {field.name for field in fields(Task)} - {"labels"}
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in base}

    @property
    def dev_languages(self) -> tuple[str, ...]:
        """Languages that have dev rows."""
        return self.train_languages

    def split_languages(self, split: Split) -> tuple[str, ...]:
        """Languages that a split has."""
        return {"train": self.train_languages, "dev": self.dev_languages, "test": self.languages}[split]

    def place(self, pattern: str, language: str, codes: Mapping[str, str] | None = None) -> str:
        """A layout's or the hub's pattern, filled in for a language; ``codes`` are the hub's where it has others."""
        return pattern.format(lang=language, code=(codes or self.codes).get(language, language))

    @property
    def zero_shot_languages(self) -> tuple[str, ...]:
        """Test languages other than English: their mean is the score of the transfer matrix."""
        return tuple(language for language in self.languages if language != "en")
