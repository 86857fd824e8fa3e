"""Mixtures: tasks that are trained together, and the rule that says how often each is drawn."""

from typing import Any, Literal

from pydantic import Field, model_validator

from xit_ray.spec.base import Strict

SamplingRule = Literal["proportional", "capped", "temperature", "uniform", "weights", "progress"]


class Member(Strict):
    """One task in a mixture. In YAML a bare task name stands for ``{task: NAME}``."""

    task: str
    """Name of a task of the registry (see ``python -m xit_ray.data list``)."""
    language: str = "en"
    """Language whose training rows are used."""
    variant: str | None = None
    """Task whose training rows stand in for this one's, under the same labels and head: translated or generated ones, a
    built-in task's or one of the space's own; null means the task's own rows."""
    examples: int | None = Field(default=None, gt=0)
    """Use only the first N training rows (after the task's own fixed shuffle); null means all."""
    weight: float | None = Field(default=None, gt=0)
    """Relative weight, read by ``sampling: weights`` alone. Where every member's is drawn from ``{exponential: 1}``, the
    shares are uniform on the simplex."""
    loss_weight: float = Field(default=1.0, gt=0)
    """Factor on the loss of this task's rows."""

    @classmethod
    def expand(cls, value: Any) -> Any:
        """A bare name is a task."""
        return {"task": value} if isinstance(value, str) else value

    @property
    def rows_of(self) -> str:
        """The task whose training rows are used."""
        return self.variant or self.task

    @property
    def label(self) -> str:
        """Short name for tables: the task, with what differs from the default."""
        parts = [self.task if self.variant is None else f"{self.task}~{self.variant}"]
        if self.language != "en":
            parts.append(f"[{self.language}]")
        if self.examples is not None:
            parts.append(f"#{self.examples}")
        if self.loss_weight != 1.0:
            parts.append(f"*{self.loss_weight:g}")
        return "".join(parts)


class Mixture(Strict):
    """Tasks trained together. In YAML a task name, or a list of them, stands for a mixture with the defaults."""

    members: tuple[Member, ...] = Field(min_length=1)
    """The tasks."""
    batches: Literal["homogeneous", "mixed"] = "homogeneous"
    """homogeneous: every step draws one task (as Phang et al. 2020 do); mixed: every row of a step does."""
    sampling: SamplingRule = "proportional"
    """proportional: by rows; capped: by min(rows, cap); temperature: rows^(1/T); uniform; weights: as given; progress: more
    of the members whose English dev moves, weighed anew at every evaluation."""
    cap: int = Field(default=10_000, gt=0)
    """Row cap of ``sampling: capped``."""
    temperature: float = Field(default=2.0, ge=1.0)
    """T of ``sampling: temperature``."""

    @classmethod
    def expand(cls, value: Any) -> Any:
        """A name, a list of names or members, or one member is a mixture of them."""
        if isinstance(value, str):
            return {"members": [value]}
        if isinstance(value, list | tuple):
            return {"members": list(value)}
        if isinstance(value, dict) and "task" in value:
            return {"members": [value]}
        return value

    @model_validator(mode="after")
    def _weights_are_complete(self) -> "Mixture":
        labels = [member.label for member in self.members]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} is in the mixture twice; use sampling weights to draw it more often")
        missing = [m.task for m in self.members if m.weight is None]
        if self.sampling == "weights" and missing:
            raise ValueError(f"sampling is 'weights' but no weight is given for: {', '.join(missing)}")
        if self.sampling != "weights" and len(missing) != len(self.members):
            raise ValueError(f"a weight is given but sampling is {self.sampling!r}; weights need 'sampling: weights'")
        return self

    @property
    def heads(self) -> tuple[int, ...]:
        """The number of each member's head; members of one task share theirs."""
        names = list(dict.fromkeys(member.task for member in self.members))
        return tuple(names.index(member.task) for member in self.members)

    @property
    def label(self) -> str:
        """Short name for tables, for example ``mnli+paws``, with the rule where it is not the default and matters."""
        return self.label_of(self.members)

    def label_of(self, members: tuple[Member, ...]) -> str:
        """The same for some of its members."""
        names = "+".join(member.label for member in members)
        plain = len(self.members) == 1 or self.sampling == "proportional"
        return names if plain else f"{names} ({self.sampling})"
