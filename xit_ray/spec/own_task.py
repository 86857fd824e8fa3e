"""A user's own files as a task: ten lines of YAML that name the kind, the files and the columns."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from xit_ray.spec.base import Strict

Split = Literal["train", "dev", "test"]
Columns = dict[str, str | tuple[str, ...]]


class Files(Strict):
    """Where the splits are: paths from the YAML file's folder, with ``{lang}`` for the language. Their suffixes say how they
    are written, unless ``format`` does: ``jsonl``, ``csv``, ``tsv``, ``parquet``, ``conllu``, ``conll``, ``json`` (SQuAD's)
    or ``txt`` (tags as in ``conll``, else one text per line)."""

    train: str | None = None
    """Training rows; null for tasks that are only scored, and where ``train_from`` names a task."""
    dev: str | None = None
    """Rows that choose. null takes one training row in twenty."""
    test: str | None = None
    """Rows that are scored; null for intermediate tasks. Never a file of the other two."""


class Format(Strict):
    """How the files are written, where their suffixes do not say it."""

    type: Literal["jsonl", "csv", "tsv", "parquet", "conllu", "conll", "json", "txt"] | None = None
    """The format, whatever the suffix; null goes by the suffix."""
    quotes: bool | None = None
    """csv and tsv: whether a field that begins with a quotation mark ends with one and may go over tabs and lines. null: csv
    has such quotes, and in tsv a quotation mark is a mark like any other."""
    header: tuple[str, ...] | None = None
    """csv and tsv: the columns' names, where the file does not begin with them; null reads them from the first line."""

    @model_validator(mode="after")
    def _tables_have_words(self) -> "Format":
        if self.type not in (None, "csv", "tsv") and (self.quotes is not None or self.header is not None):
            raise ValueError(f"quotes and header are of csv and tsv; {self.type} has neither")
        return self

    @field_validator("header")
    @classmethod
    def _names_differ(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = next((name for name in names or () if (names or ()).count(name) > 1), None)
        if twice is not None or names == ():
            raise ValueError(f"found {list(names or ())}; allowed: one or more names, all different")
        return names


class Size(Strict):
    """About how large a dataset is, for plans that are made before its files are there."""

    train: int | None = Field(default=None, gt=0, le=10_000_000)
    """Training rows in a language."""
    dev: int | None = Field(default=None, gt=0, le=10_000_000)
    """English rows that choose; null means one training row in twenty."""
    test: int | None = Field(default=None, gt=0, le=10_000_000)
    """Test rows in a language, in the mean."""
    tokens: int = Field(gt=0, le=100_000)
    """Of a row, options and windows together, in XLM-R's pieces."""

    def of(self, split: Split) -> int | None:
        """Rows of a split in a language."""
        rows: int | None = getattr(self, split)
        return max(1, self.train // 20) if rows is None and split == "dev" and self.train is not None else rows


class OwnTask(Strict):
    """A task made of a user's own files, usable as intermediate or target like any other."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")
    """The name used in search spaces."""
    kind: str
    """What is asked: ``classification``, ``multi-label``, ``regression``, ``multiple choice``, ``tagging``, ``span QA``,
    ``masked LM``, ``retrieval``, ``ranking``, or the name of a plugin's kind."""
    files: Files
    """Where the rows are."""
    labels: tuple[str, ...] = ()
    """Classes, labels or tags, as the files spell them; JSONL and Parquet may number them, the first being 0. Needed for
    classification and multi-label tasks; tags may be left to the training rows."""
    range: tuple[float, float] | None = None
    """Regression: the smallest and the largest number there may be."""
    columns: Columns | dict[Split, Columns] = Field(default_factory=dict)
    """The kind's columns to the files': a name, a dotted path, or a list of names (texts are joined, options listed).
    Those not named are called what the kind calls them. Where splits differ, such a mapping for each of them."""
    format: Format = Format()
    """How the files are written, where their suffixes do not say it."""
    items: dict[Split, str] = Field(default_factory=dict)
    """Splits whose rows are the same items in every language, to a name for the collection of these items. Tasks that share
    one name share the items: ``xnli-dev``, ``xnli-test``, ``pawsx-dev``, ``pawsx-test``, ``xquad`` (LAReQA's too), ``mlqa``,
    ``copa-val``, ``copa-test``. An item is named by the column ``item``, else by the number of its row, from 0. No language
    of an item may be trained on where another one is scored."""
    train_from: str | None = None
    """A task whose English training and dev rows are this one's, which then has test files alone."""
    languages: tuple[str, ...] = ()
    """Languages of the test files."""
    train_languages: tuple[str, ...] = ("en",)
    """Languages of the training files."""
    unanswerable: bool = False
    """Span QA: whether some questions have no answer."""
    licence: str = "not stated"
    """Of the data."""
    citation: str = "not stated"
    """Whom to cite."""
    size: Size | None = None
    """About how many rows and tokens there are, for ``xit plan`` before the files are there."""
    folder: str | None = None
    """Where the paths begin; null means beside the YAML file."""

    @field_validator("columns", mode="before")
    @classmethod
    def _columns_are_of_all_splits_or_of_each(cls, value: Any) -> Any:
        if isinstance(value, dict) and len({isinstance(one, dict) for one in value.values()}) > 1:
            raise ValueError(
                "found columns beside splits; allowed: columns, or columns for each of train, dev and test"
            )
        return value

    @model_validator(mode="after")
    def _hangs_together(self) -> "OwnTask":
        if self.name == "none":
            raise ValueError("the name 'none' stands for no intermediate task; choose another")
        for what, values in (
            ("labels", self.labels),
            ("languages", self.languages),
            ("train_languages", self.train_languages),
        ):
            twice = next((value for value in values if values.count(value) > 1), None)
            if twice is not None:
                raise ValueError(f"{what}: {twice!r} is named twice")
        if (self.files.test is None) != (not self.languages):
            raise ValueError("'files.test' and 'languages' go together: the test files and the languages they are in")
        if self.train_from == self.name:
            raise ValueError(f"train_from: found {self.name!r}, the task itself; allowed: another task")
        if self.train_from is not None and (self.files.train or self.files.dev or not self.files.test):
            raise ValueError("a task with 'train_from' has 'files.test' alone; the other task's rows train and choose")
        unnamed = next((split for split in self.items if getattr(self.files, split) is None), None)
        if unnamed is not None:
            raise ValueError(f"items.{unnamed}: there is no 'files.{unnamed}'")
        if self.files.test in (self.files.train, self.files.dev) and self.files.test is not None:
            raise ValueError(f"'files.test' is {self.files.test!r}, which is also trained on or chooses")
        self._paths_fit()
        return self

    def columns_of(self, split: Split) -> Columns:
        """The kind's columns to those of a split's files."""
        columns: dict[Any, Any] = {**self.columns}
        return columns.get(split, {}) if self._by_split else columns

    @property
    def _by_split(self) -> bool:
        return any(isinstance(value, dict) for value in self.columns.values())

    def _paths_fit(self) -> None:
        """Paths have no braces but ``{lang}``, and have that where there are several languages."""
        for split, path in self.files:
            if path is None:
                continue
            if set(path.replace("{lang}", "")) & set("{}"):
                raise ValueError(f"files.{split}: found {path!r}; the only thing that is filled in is {{lang}}")
            languages = self.languages if split == "test" else self.train_languages
            if len(languages) > 1 and "{lang}" not in path:
                raise ValueError(
                    f"files.{split}: found {path!r} for the languages {', '.join(languages)}; give {{lang}} in it"
                )
