"""Everything a search needs, fetched and tokenised before GPUs are rented."""

from collections.abc import Iterator
from dataclasses import dataclass

from xit_ray.core.encoder import Encoder
from xit_ray.core.tokenizer import tokens_of
from xit_ray.data import rows
from xit_ray.data.corpora import corpora, distinct_texts
from xit_ray.data.records import subsample
from xit_ray.data.tokens import Tokens
from xit_ray.plan.planner import Planner
from xit_ray.spec.domains import cover
from xit_ray.spec.recipe import Model
from xit_ray.spec.space import as_recipe
from xit_ray.tasks import registry
from xit_ray.tasks.base import Split


@dataclass(frozen=True)
class Piece:
    """Something to get ready: rows of a split for a model, or all collections of a task without training data."""

    model: Model
    task: str
    split: Split
    languages: tuple[str, ...]
    examples: int | None = None

    @property
    def label(self) -> str:
        """For the progress bar."""
        return f"{self.task} {self.split} {', '.join(self.languages)}"


def pieces(planner: Planner) -> list[Piece]:
    """Everything that some trial of the space needs, once."""
    needed: dict[Piece, None] = {}
    for recipe in map(as_recipe, cover(planner.space.recipe)):
        trial = planner.trial(recipe)
        model = trial.recipe.model
        for training in trial.trainings:
            mixture = training.stage.mixture
            for member in mixture.members if mixture else ():
                needed[Piece(model, member.rows_of, "train", (member.language,), member.examples)] = None
            for task in training.english:
                needed[Piece(model, task, "dev", ("en",))] = None
        for task, languages in trial.evaluation.languages.items():
            together = [languages] if not registry.get(task).trainable else [(language,) for language in languages]
            needed |= {Piece(model, task, "test", some): None for some in together}
    return list(needed)


def prepare(planner: Planner) -> Iterator[tuple[Piece, int]]:
    """Get every piece ready, one by one; yields it with its number of tokens."""
    models: dict[Model, Tokens] = {}
    for piece in pieces(planner):
        if piece.model not in models:
            Encoder(piece.model)  # a hub model's weights come to this machine
            models[piece.model] = tokens_of(piece.model)
        yield piece, _make(piece, planner, models[piece.model])


def _make(piece: Piece, planner: Planner, tokens: Tokens) -> int:
    task = rows.resolved(registry.get(piece.task), planner.source)
    if not task.trainable:
        return len(tokens.texts(distinct_texts(corpora(task, piece.languages, planner.source))).tokens)
    (language,) = piece.languages
    loaded = rows.load(task, piece.split, language, planner.source)
    if piece.split == "test":
        return len(tokens.rows(task, rows.sample(loaded, planner.space.zero_shot.items)).tokens)
    return len(tokens.rows(task, subsample(loaded.table, piece.examples)).tokens)
