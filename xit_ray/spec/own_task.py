"""A user's own files as a task: ten lines of YAML that name the kind, the files and the columns."""

from typing import Literal

from pydantic import Field, model_validator

from xit_ray.spec.base import Strict

Kind = Literal["classification", "multiple choice", "tagging", "span QA", "masked LM", "retrieval"]


class Files(Strict):
    """Where the splits are: paths from the YAML file's folder, with ``{lang}`` for the language. Their suffixes say how they
    are written: ``jsonl``, ``csv``, ``tsv``, ``parquet``, ``conllu``, ``conll``, ``json`` (SQuAD's) or ``txt``."""

    train: str | None = None
    """Training rows; null for tasks that are only scored."""
    dev: str | None = None
    """Rows that choose. null takes one training row in twenty."""
    test: str | None = None
    """Rows that are scored; null for intermediate tasks. Never a file of the other two."""


class OwnTask(Strict):
    """A task made of a user's own files, usable as intermediate or target like any other."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")
    """The name used in search spaces."""
    kind: Kind
    """What is asked."""
    files: Files
    """Where the rows are."""
    labels: tuple[str, ...] = ()
    """Classes, or tags, as the files spell them; JSONL and Parquet may number them, the first being 0. Needed for
    classification; tags may be left to the training rows."""
    columns: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    """The kind's columns to the files': a name, a dotted path, or a list of names (texts are joined, options listed).
    Those not named are called what the kind calls them."""
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
    folder: str | None = None
    """Where the paths begin; null means beside the YAML file."""

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
        if self.kind == "masked LM" and self.files.test is not None:
            raise ValueError("masked LM is an intermediate task; it has no 'files.test'")
        if self.kind == "classification" and len(self.labels) < 2:
            raise ValueError("classification needs 'labels', two or more")
        if self.labels and self.kind not in ("classification", "tagging"):
            raise ValueError(f"labels are of classification and tagging; {self.kind} has none")
        if (self.files.test is None) != (not self.languages):
            raise ValueError("'files.test' and 'languages' go together: the test files and the languages they are in")
        if self.files.train is None and self.kind != "retrieval":
            raise ValueError(f"{self.kind} needs 'files.train'")
        if self.files.test in (self.files.train, self.files.dev) and self.files.test is not None:
            raise ValueError(f"'files.test' is {self.files.test!r}, which is also trained on or chooses")
        self._paths_fit()
        return self

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
