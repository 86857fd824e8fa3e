"""What a search will cost, from the rows it will read and the model it will train, before anything is spent.

Tokens are exact: which rows every step sees is a function of the recipe (``core.sampling``), and the rows are tokenised.
Where sampling goes by progress, which is not known beforehand, members are reckoned as drawn alike.
Model FLOPs follow from them (``core.flops``). Time is FLOPs over a speed, measured on this machine (``plan.throughput``) or
a share of a GPU's peak (``plan/prices.yaml``). Early stopping only makes a search cheaper than this.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from xit_ray.core import flops, sampling, weights
from xit_ray.core.tokenizer import tokens_of
from xit_ray.data import rows
from xit_ray.data.corpora import corpora, distinct_texts
from xit_ray.data.encode import Encoded, Ids
from xit_ray.data.records import subsample
from xit_ray.data.tokens import Progress, Tokens, unseen
from xit_ray.plan.planner import Planner
from xit_ray.plan.trial import Trial
from xit_ray.plan.workload import Workload
from xit_ray.spec.recipe import Model, Stage
from xit_ray.stages.work import Evaluation, Training
from xit_ray.tasks import registry
from xit_ray.tasks.base import Split


@dataclass(frozen=True)
class Forecast:
    """A search's work, each piece once."""

    trials: int
    pieces: dict[str, Workload]
    """By fingerprint: stages and evaluations."""
    needed: dict[str, list[str]]
    """Each trial's pieces, in order."""
    checkpoint_bytes: dict[str, int]
    """By fingerprint: the size of each stage's checkpoint, heads not counted."""

    @property
    def shared(self) -> Workload:
        """Everything, each piece once."""
        return sum(self.pieces.values(), Workload())

    @property
    def alone(self) -> Workload:
        """What the same trials would be if none shared a stage with another."""
        once = self.pieces.keys() - {
            key for keys in self.needed.values() for key in keys
        }  # the untrained encoder's scores
        every = [key for keys in self.needed.values() for key in keys]
        return sum((self.pieces[key] for key in (*every, *once)), Workload())


class Forecaster:
    """Works out loads; rows are tokenised once and stay in the token cache for the search.

    Args:
        planner: of the search.
        progress: told how far a tokenisation is.
    """

    def __init__(self, planner: Planner, progress: Progress = unseen) -> None:
        self.planner, self.progress = planner, progress
        self.tokens: dict[Model, Tokens] = {}
        self.sizes: dict[Model, flops.Sizes] = {}
        self.read: dict[tuple[object, ...], tuple[int, int]] = {}
        self.encoded: dict[tuple[Model, str, str, str, int | None], tuple[Ids, Ids]] = {}

    def of(self, trials: Iterable[Trial]) -> Forecast:
        """The work of some trials."""
        pieces: dict[str, Workload] = {}
        needed: dict[str, list[str]] = {}
        sizes: dict[str, int] = {}
        for trial in trials:
            model, keys = trial.recipe.model, []
            for training in trial.trainings:
                keys.append(training.key)
                if training.key not in pieces:
                    pieces[training.key] = self._training(model, training)
                    sizes[training.key] = self._sizes(model).checkpoint * weights.BYTES_PER_VALUE
            evaluations = [trial.evaluation] + ([trial.untrained] if trial.untrained else [])
            for evaluation in evaluations:
                if evaluation.key not in pieces:
                    pieces[evaluation.key] = self._evaluation(model, evaluation)
            needed[trial.key] = [*keys, trial.evaluation.key]
        return Forecast(len(needed), pieces, needed, sizes)

    def _training(self, model: Model, training: Training) -> Workload:
        stage = training.stage
        assert stage.mixture is not None
        members = [self._rows(model, m.rows_of, "train", m.language, m.examples) for m in stage.mixture.members]
        tokens, pairs = self._read(model, stage, members)
        sizes = self._sizes(model)
        work = Workload(tokens, sizes.flops(tokens, pairs, backward=True), layer_steps=training.steps * sizes.layers)
        dev = [self._rows(model, task, "dev", "en", None) for task in training.english]
        for lengths, squares in dev * len(sampling.evaluated_after(stage, training.steps)):
            work += self._scored(sizes, lengths, squares)
        return work

    def _read(self, model: Model, stage: Stage, members: list[tuple[Ids, Ids]]) -> tuple[int, int]:
        """Tokens of all steps, and pairs of tokens; the same whatever the learning rate and its kin."""
        drawn = model, stage.mixture, stage.epochs, stage.batch_size, stage.seed
        if drawn not in self.read:
            batches = sampling.plan(stage, [lengths for lengths, _ in members])
            chosen, member = (np.concatenate([getattr(b, name) for b in batches]) for name in ("rows", "members"))
            tokens = pairs = 0
            for number, (lengths, squares) in enumerate(members):
                rows = chosen[member == number]
                tokens, pairs = tokens + int(lengths[rows].sum()), pairs + int(squares[rows].sum())
            self.read[drawn] = tokens, pairs
        return self.read[drawn]

    def _evaluation(self, model: Model, evaluation: Evaluation) -> Workload:
        work = Workload()
        for name, languages in evaluation.languages.items():
            task = registry.get(name)
            if task.trainable:
                amounts = [self._rows(model, name, "test", language, evaluation.items) for language in languages]
            else:
                texts = distinct_texts(corpora(task, languages, self.planner.source))
                amounts = [_lengths(self._tokens(model).texts(texts))]
            for lengths, squares in amounts:
                work += self._scored(self._sizes(model), lengths, squares)
        return work

    @staticmethod
    def _scored(sizes: flops.Sizes, lengths: Ids, squares: Ids) -> Workload:
        tokens = int(lengths.sum())
        return Workload(tokens, 0.0, sizes.flops(tokens, int(squares.sum()), backward=False))

    def _rows(self, model: Model, name: str, split: Split, language: str, examples: int | None) -> tuple[Ids, Ids]:
        """Tokens, and pairs of tokens that attend to each other, of each row."""
        place = (model, name, split, language, examples)
        if place not in self.encoded:
            task = rows.resolved(registry.get(name), self.planner.source)
            loaded = rows.load(task, split, language, self.planner.source)
            table = rows.sample(loaded, examples) if split == "test" else subsample(loaded.table, examples)
            self.encoded[place] = _lengths(self._tokens(model).rows(task, table))
        return self.encoded[place]

    def _tokens(self, model: Model) -> Tokens:
        if model not in self.tokens:
            self.tokens[model] = tokens_of(model, self.progress)
        return self.tokens[model]

    def _sizes(self, model: Model) -> flops.Sizes:
        if model not in self.sizes:
            self.sizes[model] = flops.sizes(model)
        return self.sizes[model]


def _lengths(encoded: Encoded) -> tuple[Ids, Ids]:
    squares: Ids = np.add.reduceat(encoded.sizes**2, encoded.rows[:-1])
    return encoded.lengths, squares
