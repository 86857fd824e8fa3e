"""Recipes: a model and an ordered list of stages, the thing a trial trains."""

from typing import Any, Literal

from pydantic import Field, model_validator

from xit_ray.spec.base import Strict
from xit_ray.spec.cell import BASELINE, Cell
from xit_ray.spec.mixture import Member, Mixture

LEAST_EVALUATIONS = 3
"""Of a stage whose sampling goes by progress: two scores before any is acted upon."""


class Model(Strict):
    """The pretrained encoder every stage of the recipe continues from. In YAML a bare name stands for ``{name: NAME}``."""

    name: str = "offline:multilingual-e5-small"
    """Hub name (``FacebookAI/xlm-roberta-base``), a local folder, or ``offline:multilingual-e5-small``."""
    revision: str | None = Field(default=None, pattern="^[0-9a-f]{40}$")
    """Commit of a hub model; required for hub names, so that a result can be repeated."""
    pooling: Literal["mean", "first"] = "mean"
    """How a sequence becomes one vector for its head: the mean of its tokens, or its first token."""
    head: Literal["linear", "transformers"] = "linear"
    """What scores a sequence: a linear layer on its vector; or what ``AutoModelForSequenceClassification`` has on encoders of
    BERT's and RoBERTa's families, a dense layer with tanh on the first token before it, whatever ``pooling`` says."""
    frozen: tuple[Literal["word_embeddings", "embeddings"], ...] = ("word_embeddings",)
    """Parts that no stage changes: the word embeddings, or all embeddings with their layer norm. Frozen word embeddings
    keep unseen languages in place and cost no optimiser state."""
    frozen_layers: int = Field(default=0, ge=0)
    """How many layers, from the embeddings up, no stage changes; the embeddings are then frozen too."""
    max_length: int = Field(default=128, ge=8)
    """Longest sequence in tokens; longer pairs are cut at the end of the longer side, and the cuts are counted."""

    @property
    def label(self) -> str:
        """Name in tables of searches over several models."""
        name = self.name.split("/")[-1].split(":")[-1]
        return f"{name}, {self.frozen_layers} layers frozen" if self.frozen_layers else name

    @classmethod
    def expand(cls, value: Any) -> Any:
        """A bare name is a model."""
        return {"name": value} if isinstance(value, str) else value


class Stage(Strict):
    """One training run: a mixture and its hyperparameters."""

    mixture: Mixture | None
    """What is trained on. null leaves the stage out: the no-intermediate baseline."""
    learning_rate: float = Field(default=5e-5, gt=0, lt=1)
    """Peak learning rate of the encoder; linear warm-up, then linear decay to 0."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """The learning rate of each layer as a share of the next one's up; embeddings count as the lowest layer."""
    head_learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    """Peak learning rate of the task heads, which start from random weights in every stage."""
    epochs: float = Field(default=1.0, gt=0, le=10_000)
    """Passes over the mixture's rows (the capped rows where sampling is capped)."""
    batch_size: int = Field(default=32, gt=0)
    """Sequences a step."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps in which the rate rises."""
    weight_decay: float = Field(default=0.01, ge=0)
    """AdamW's decoupled decay; biases and layer norms are exempt."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout of hidden states, in the encoder and before the heads; packed attention has none on its weights."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of head weights, row order and dropout."""
    evaluations: int = Field(default=4, gt=0)
    """How often English dev is scored, evenly over the stage."""
    patience: int | None = Field(default=None, gt=0)
    """Stop after this many English-dev scores in a row without a new best; null never stops."""

    @model_validator(mode="after")
    def _progress_is_seen(self) -> "Stage":
        progress = self.mixture is not None and self.mixture.sampling == "progress"
        if progress and self.evaluations < LEAST_EVALUATIONS:
            raise ValueError(
                f"sampling 'progress' goes by changes of English dev: found evaluations {self.evaluations}; allowed: "
                f"{LEAST_EVALUATIONS} or more"
            )
        return self


class Recipe(Strict):
    """A model and an ordered list of stages; ``[target]`` is the baseline and ``[intermediate, target]`` is STILTs."""

    model: Model = Model()
    """The encoder before the first stage."""
    stages: tuple[Stage, ...] = Field(min_length=1)
    """Trained in this order; the last one must contain the target."""
    target: str | None = None
    """The task that English dev and the zero-shot scores are about; null means the last stage's only task."""

    @model_validator(mode="after")
    def _has_a_target(self) -> "Recipe":
        last = self.stages[-1].mixture
        if last is None:
            raise ValueError("the last stage has no mixture, so there is no target to score")
        names = {member.task for member in last.members}
        if self.target is None and len(names) > 1:
            raise ValueError(f"the last stage mixes {', '.join(sorted(names))}: say which one is the 'target'")
        if self.target is not None and self.target not in names:
            raise ValueError(f"target {self.target!r} is not in the last stage (its tasks: {', '.join(sorted(names))})")
        return self

    @property
    def trained(self) -> tuple[Stage, ...]:
        """The stages that have something to train, in order."""
        return tuple(stage for stage in self.stages if stage.mixture is not None)

    @property
    def target_task(self) -> str:
        """Name of the task the recipe is for."""
        last = self.stages[-1].mixture
        assert last is not None  # held by the validator
        return self.target or last.members[0].task

    @property
    def target_head(self) -> int:
        """Number of the target's head in the last stage."""
        last = self.stages[-1].mixture
        assert last is not None  # held by the validator
        return last.heads[[member.task for member in last.members].index(self.target_task)]

    @property
    def labelled_languages(self) -> frozenset[str]:
        """Languages in which some stage trains on the target task: its scores in them are not zero-shot."""
        return frozenset(
            member.language
            for stage in self.trained
            for member in (stage.mixture.members if stage.mixture else ())
            if self.target_task in (member.task, member.rows_of)
        )

    def with_seed(self, seed: int) -> "Recipe":
        """The recipe with one seed in all its stages; recipes that differ in seeds alone have the same one with any seed."""
        stages = tuple(stage.model_copy(update={"seed": seed}) for stage in self.stages)
        return self.model_copy(update={"stages": stages})

    @property
    def apart_from_seeds(self) -> str:
        """What recipes that differ in seeds alone have in common."""
        return self.with_seed(0).model_dump_json()

    def shortened(self, rows: int) -> "Recipe":
        """The recipe with at most so many rows of every task, for one epoch, scored on English dev as seldom as may be."""
        stages = []
        for stage in self.trained:
            assert stage.mixture is not None
            members = tuple(
                member.model_copy(update={"examples": min(member.examples or rows, rows)})
                for member in stage.mixture.members
            )
            mixture = stage.mixture.model_copy(update={"members": members})
            short = {"mixture": mixture, "epochs": min(stage.epochs, 1.0), "evaluations": 1}
            if mixture.sampling == "progress":
                short["evaluations"] = LEAST_EVALUATIONS
            stages.append(stage.model_copy(update=short))
        return self.model_copy(update={"stages": tuple(stages)})

    @property
    def beside(self) -> tuple[Member, ...]:
        """Members of the last stage that are not the target's own English rows."""
        last = self.stages[-1].mixture
        assert last is not None  # held by the validator
        plain = (self.target_task, self.target_task, "en")
        return tuple(member for member in last.members if (member.task, member.rows_of, member.language) != plain)

    @property
    def cell(self) -> Cell:
        """The cell of the transfer matrix that the recipe competes for."""
        return Cell(model=self.model.label, intermediate=self.intermediate, target=self.target_task)

    @property
    def intermediate(self) -> str:
        """The row of the transfer matrix: what is trained before or beside the target; ``none`` for the baseline."""
        before = " > ".join(stage.mixture.label for stage in self.trained[:-1] if stage.mixture)
        last = self.stages[-1].mixture
        assert last is not None  # held by the validator
        joint = f"joint {last.label_of(self.beside)}" if self.beside else ""
        return " > ".join(part for part in (before, joint) if part) or BASELINE
