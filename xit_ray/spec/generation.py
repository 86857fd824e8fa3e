"""A file that says how a language model is to write training rows for a task."""

from pydantic import Field, model_validator

from xit_ray.spec.base import Strict
from xit_ray.spec.recipe import Model, Stage


class Writer(Strict):
    """A causal language model, and how it is sampled."""

    name: str
    """A local folder, or a hub name (``Qwen/Qwen2.5-0.5B-Instruct``)."""
    revision: str | None = Field(default=None, pattern="^[0-9a-f]{40}$")
    """Commit of a hub model; required for hub names."""
    temperature: float = Field(default=1.0, gt=0)
    """Of the sampling."""
    top_p: float = Field(default=0.95, gt=0, le=1)
    """Share of the probability that is sampled from (Holtzman et al. 2020)."""
    max_new_tokens: int = Field(default=48, gt=0)
    """Longest text it may write."""
    batch_size: int = Field(default=16, gt=0)
    """Texts written at a time."""


class Filter(Strict):
    """A classifier trained on the task's own English rows, which must agree with the label a text was written for."""

    model: Model = Model()
    """Its encoder."""
    examples: int | None = Field(default=None, gt=0)
    """Rows it is trained on; null means all."""
    learning_rate: float = Field(default=5e-5, gt=0, lt=1)
    """Of its encoder."""
    epochs: float = Field(default=1.0, gt=0)
    """Passes over its rows."""

    def stage(self, task: str) -> Stage:
        """Its training."""
        mixture = {"task": task, "examples": self.examples}
        return Stage.model_validate({"mixture": mixture, "learning_rate": self.learning_rate, "epochs": self.epochs})


class Generation(Strict):
    """What is written. The rows go to ``NAME.jsonl`` beside the file, and ``NAME.yaml`` describes them as a task of one's
    own, so that ``{task: LIKE, variant: NAME}`` trains on them (but for one row in twenty, the dev rows of that task)."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")
    """Names the files and the task."""
    like: str
    """A classification task: its labels, and its English training rows' first texts, are built on."""
    writer: Writer
    """The language model."""
    prompts: dict[str, str]
    """What the model is asked, for every label; ``{text}`` stands for a first text. The first line it answers is the second
    text, or the text itself where the prompts have no ``{text}``."""
    rows: int = Field(default=1000, gt=0)
    """Rows that are wanted, as many of each label as of the others."""
    attempts: float = Field(default=4.0, ge=1)
    """Texts that are written at most, as a multiple of the rows."""
    filter: Filter | None = None
    """Keep only rows that a trained classifier gives the label they were written for."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of the sampling, and of the order of first texts."""

    @model_validator(mode="after")
    def _prompts_are_alike(self) -> "Generation":
        paired = {label: "{text}" in prompt for label, prompt in self.prompts.items()}
        if len(set(paired.values())) > 1:
            without = next(label for label, has in paired.items() if not has)
            raise ValueError(f"prompts.{without} has no {{text}}, others have it; allowed: in all of them, or in none")
        return self

    @property
    def paired(self) -> bool:
        """Whether rows are pairs of texts."""
        return any("{text}" in prompt for prompt in self.prompts.values())
