"""The card of an exported model: what it is, what it scores in each language, how it was made and how to make it again."""

from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version
from typing import Any

import jinja2
import yaml

from xit_ray.export.heads import AUTO, SENTENCES
from xit_ray.export.winner import Winner
from xit_ray.report.words import points
from xit_ray.tasks import registry
from xit_ray.tasks.base import Task

PIPELINES = {
    AUTO["classification"]: "text-classification",
    AUTO["tagging"]: "token-classification",
    AUTO["span QA"]: "question-answering",
    AUTO["multiple choice"]: "multiple-choice",
}
"""By the class that loads a model: what the hub calls its task."""


@dataclass(frozen=True)
class Trained:
    """A dataset that the model was trained on."""

    task: str
    language: str
    licence: str
    citation: str


def render(winner: Winner, task: Task, loader: str, about: dict[str, Any]) -> str:
    """The card, in Markdown with the hub's metadata before it.

    Args:
        winner: the model.
        task: what it answers.
        loader: the class that loads it.
        about: of the folder, as ``export.folder`` writes it.
    """
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["points"] = points
    text = resources.files("xit_ray.export").joinpath("card.md.j2").read_text(encoding="utf-8")
    recipe, cell = winner.trial.recipe, winner.cell
    answer = next((one.text for one in winner.summary.answers if one.target == cell.target), "")
    scores = [score for score in winner.trial.scores if score.metric == registry.get(score.task).metric]
    return environment.from_string(text).render(
        metadata=yaml.safe_dump(_metadata(winner, task, loader), sort_keys=False, allow_unicode=True).strip(),
        task=task,
        loader=loader,
        sentences=SENTENCES,
        labels=task.labels,
        pair=about["pair"] is not False,
        base=recipe.model,
        answer=answer,
        progress=winner.summary.progress,
        score=cell.score,
        interval=cell.score.interval if cell.score is not None else None,
        scores=scores,
        labelled=sorted(recipe.labelled_languages),
        recipe=yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, width=100, allow_unicode=True).strip(),
        trained=_trained(winner),
        hours=winner.summary.device_hours.get(cell.cell, 0.0),
        facts=winner.summary.about,
        max_length=about["max_length"],
        version=version("xit_ray"),
        run=winner.folder.name,
        trial=winner.trial.key,
    )


def _metadata(winner: Winner, task: Task, loader: str) -> dict[str, Any]:
    """What the hub reads: https://huggingface.co/docs/hub/model-cards#model-card-metadata."""
    base = winner.trial.recipe.model
    metadata: dict[str, Any] = {
        "library_name": "sentence-transformers" if loader == SENTENCES else "transformers",
        "language": list(dict.fromkeys(score.language for score in winner.trial.scores)),
        "tags": ["xit_ray", "cross-lingual", "zero-shot-transfer"],
    }
    if loader in PIPELINES:
        metadata["pipeline_tag"] = PIPELINES[loader]
    if base.revision is not None:
        metadata["base_model"] = base.name
    return metadata


def _trained(winner: Winner) -> list[Trained]:
    """Every dataset once, in the order of training."""
    found: dict[tuple[str, str], Trained] = {}
    for stage in winner.trial.recipe.trained:
        for member in stage.mixture.members if stage.mixture else ():
            task = registry.get(member.rows_of)
            found[task.name, member.language] = Trained(task.name, member.language, task.licence, task.citation)
    return list(found.values())
