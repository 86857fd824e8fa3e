"""Fingerprints: the content address of a recipe prefix. Equal fingerprints mean the same checkpoint, so it is trained once.

A stage is identified by what it computes and not by what it is called: its rows, its heads, its hyperparameters, its dev
rows, what it starts from, and the versions of the code involved. XQuAD's and MLQA's stages on SQuAD are one stage.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from xit_ray.core.kinds import embedding_core, head_core
from xit_ray.data.kinds import data_kind
from xit_ray.spec.base import Strict
from xit_ray.spec.recipe import Model, Recipe, Stage
from xit_ray.tasks.base import Task

CORE_VERSION = 4
"""Raise it when the optimiser, the sampling or the packing change what they compute: no earlier checkpoint is then taken.
What one kind computes has a version of its own (``core.kinds``, ``data.kinds``)."""


class Head(Strict):
    """What a head of a stage is, and what its English dev does."""

    terms: dict[str, Any]
    """``terms_of`` the task that trains it."""
    dev: str | None
    """Fingerprint of its English dev rows; None where none are read."""
    chooses: bool
    """Whether they choose the checkpoint."""
    weighs: bool
    """Whether they say how often the head's rows are drawn."""


class Rows(Strict):
    """The training rows of a mixture's member."""

    head: int
    rows: str
    """Fingerprint of all rows."""
    examples: int | None
    """Only so many of them are used; None where all are."""
    weight: float | None
    loss_weight: float


def terms_of(task: Task) -> dict[str, Any]:
    """What training a task's head depends on, beside rows and hyperparameters."""
    core = head_core(task)
    return {"kind": task.kind, "versions": [data_kind(task).version, core.version], **core.trains_by(task)}


def of_model(model: Model, content: Mapping[str, str], dtype: str) -> str:
    """Fingerprint of the pretrained encoder.

    Args:
        model: everything about it that is fixed for all stages.
        content: what ``core.models.identity`` says of its files.
        dtype: of the weights while computing (a bfloat16 machine's checkpoints differ from a float32 one's).
    """
    fields = model.model_dump(mode="json", exclude={"name", *_later(model)})
    return _digest({"model": fields, "content": dict(content), "dtype": dtype, "core": CORE_VERSION})


def of_stage(previous: str, stage: Stage, members: Sequence[Rows], heads: Sequence[Head]) -> str:
    """Fingerprint of the checkpoint after a stage.

    Args:
        previous: fingerprint of what it starts from.
        stage: hyperparameters and sampling.
        members: the rows of the mixture's members.
        heads: the heads they train.
    """
    assert stage.mixture is not None
    rule = stage.mixture.sampling
    sampling: dict[str, Any] = {"batches": stage.mixture.batches, "rule": rule}
    if rule in ("capped", "temperature"):
        sampling["value"] = stage.mixture.cap if rule == "capped" else stage.mixture.temperature
    content = {
        "previous": previous,
        "stage": stage.model_dump(mode="json", exclude={"mixture"}),
        "sampling": sampling,
        "members": [member.model_dump() for member in members],
        "heads": [head.model_dump() for head in heads],
    }
    return _digest(content)


def of_evaluation(
    checkpoint: str, head: int | None, tests: Mapping[str, Task], rows: Mapping[str, str], items: int | None
) -> str:
    """Fingerprint of the scores of a checkpoint.

    Args:
        checkpoint: fingerprint of what is scored.
        head: number of the scored head.
        tests: the tasks that are scored, by name.
        rows: fingerprints of their rows, and of rows that their scores depend on.
        items: how many rows of each test set are scored in each language; None scores all.
    """
    about = {name: [task.kind, _version(task), task.terms] for name, task in tests.items()}
    return _digest({"checkpoint": checkpoint, "head": head, "tests": about, "rows": dict(rows), "items": items})


def _version(task: Task) -> list[int]:
    core = head_core(task).version if task.trainable else embedding_core(task).version
    return [data_kind(task).version, core]


def of_recipe(recipe: Recipe) -> str:
    """Short key of a recipe as written, which names its trial."""
    return _digest(recipe.model_dump(mode="json", exclude={"model": _later(recipe.model)}))[:10]


def _later(model: Model) -> set[str]:
    """Fields that came later than the stages of many stores, where they say what was so before."""
    return {"head"} if model.head == "linear" else set()


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=list).encode()).hexdigest()[:24]
