"""Writes a winner as a model folder: weights, configuration, tokenizer, a card, and what ``xit predict`` needs to know."""

import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from xit_ray.core import weights
from xit_ray.core.kinds import head_maker
from xit_ray.core.network import Network
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import rows
from xit_ray.export import card, heads
from xit_ray.export.winner import Winner
from xit_ray.spec.errors import UserError
from xit_ray.tasks.base import Task

ABOUT = "xit_ray.json"
"""File of a model folder: the task, how it was trained to read texts, and where its head is."""


def write(winner: Winner, folder: Path) -> str:
    """Write a model folder; it is there whole or not at all.

    Args:
        winner: what is written.
        folder: where; there must be nothing yet.

    Returns:
        the class that loads it.

    Raises:
        UserError: there is something, or the head is none that transformers or sentence-transformers has.
    """
    if folder.exists():
        raise UserError(f"{folder}: exists; name a folder that does not")
    recipe = winner.trial.recipe
    network = Network(recipe.model, [head_maker(winner.trained)], seed=0)
    with winner.store.open(winner.checkpoint) as checkpoint:
        weights.load(network, checkpoint, head=recipe.target_head)
    dtype = getattr(torch, winner.dtype)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".exporting-", dir=folder.parent) as aside:
        made = Path(aside) / folder.name
        made.mkdir()
        tokenizer = load_tokenizer(recipe.model)
        loader, places = heads.save(network, winner.trained, tokenizer, recipe.model, dtype, made)
        about = {
            "xit_ray": version("xit_ray"),
            "loader": loader,
            "trial": winner.trial.key,
            "task": described(winner.task),
            "pair": _asks_of_pairs(winner),
            "pooling": recipe.model.pooling,
            "head": recipe.model.head,
            "max_length": recipe.model.max_length,
            "dtype": winner.dtype,
            "tensors": places,
        }
        (made / ABOUT).write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
        (made / "README.md").write_text(card.render(winner, winner.task, loader, about), encoding="utf-8")
        for file in (one for one in made.rglob("*") if one.is_file()):
            file.chmod(0o644)  # safetensors writes for its owner alone
        made.rename(folder)
    return loader


def loader_of(winner: Winner, folder: Path) -> str | None:
    """The class that loads a folder, if it holds this very winner already."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(about["loader"]) if about.get("trial") == winner.trial.key else None


def _asks_of_pairs(winner: Winner) -> bool | None:
    """Whether the rows that it was trained on have a second text; None for kinds that have none, or where they are gone."""
    if "text_b" not in winner.trained.columns:
        return None
    try:
        loaded = rows.load(winner.trained, "dev", "en", winner.source)
    except UserError:
        return None
    return bool(loaded.table.column("text_b").null_count == 0)


def described(task: Task) -> dict[str, Any]:
    """What is needed to answer a task's questions again, as JSON has it."""
    own = {name: value for name, value in task.terms.items() if name != "labels"}
    return {"kind": task.kind, "name": task.name, "labels": list(task.labels), "terms": own}
