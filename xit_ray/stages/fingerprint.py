"""The content address of a recipe prefix: equal fingerprints mean the same checkpoint, so it is trained once."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from xit_ray.spec.recipe import Model, Stage

CORE_VERSION = 3
"""Raise it when the training core changes what it computes: earlier checkpoints are then no longer taken."""
SCORES_VERSION = 2
"""Raise it when scoring changes what it computes or writes: earlier scores are then no longer taken."""


def of_model(model: Model, content: Mapping[str, str], precision: str) -> str:
    """Fingerprint of the untrained encoder.

    Args:
        model: everything about it that is fixed for all stages.
        content: what ``core.encoder.identity`` says of its files.
        precision: dtype of the weights while computing (a bfloat16 machine's checkpoints differ from a float32 one's).
    """
    fields = model.model_dump(mode="json", exclude={"name"})
    return _digest({"model": fields, "content": dict(content), "precision": precision, "core": CORE_VERSION})


def of_stage(previous: str, stage: Stage, data: Mapping[str, str], dev: tuple[str, ...]) -> str:
    """Fingerprint of the checkpoint after a stage.

    Args:
        previous: fingerprint of what it starts from.
        stage: mixture and hyperparameters.
        data: fingerprints of the rows of its members' train and dev splits, by name.
        dev: the tasks whose English dev chooses the checkpoint.
    """
    return _digest({"previous": previous, "stage": stage.model_dump(mode="json"), "data": dict(data), "dev": list(dev)})


def of_evaluation(checkpoint: str, data: Mapping[str, str], items: int | None) -> str:
    """Fingerprint of the scores of a checkpoint on test rows, or on so many of them in each language."""
    return _digest({"checkpoint": checkpoint, "data": dict(data), "items": items, "scores": SCORES_VERSION})


def of_recipe(tree: Mapping[str, Any]) -> str:
    """Short key of a recipe as written, which names its trial."""
    return _digest(dict(tree))[:10]


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]
