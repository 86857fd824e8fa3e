"""What every test item added to a recipe's scores, read from the store and brought into the form statistics needs."""

import functools
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xit_ray.report.statistics import Runs, runs_of
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Recipe
from xit_ray.stages.store import Store
from xit_ray.stages.work import ITEMS
from xit_ray.tasks import registry
from xit_ray.tasks.base import Task
from xit_ray.tasks.scores.measures import MEASURES, ItemScores

Row = dict[str, Any]
"""Of the table of trials."""
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """A recipe's answers to the test rows of its target, one run per seed."""

    by_seed: Mapping[str, Mapping[str, ItemScores]]
    """Seed, then language."""
    numbers: Mapping[str, Numbers]
    """For each language the items of its rows; translations of an item have one number."""
    labelled: frozenset[str]
    """Languages in which the recipe was trained on the target."""
    languages: tuple[str, ...]
    """That were scored with every seed."""
    made: dict[tuple[str, ...], Runs] = field(default_factory=dict, repr=False, compare=False)
    """Runs on some languages, once they were asked for."""
    packed: dict[tuple[int, ...], list[Numbers]] = field(default_factory=dict, repr=False, compare=False)
    """Items of some languages numbered without gaps; shared by all recipes of a target, which have the same rows."""

    @property
    def zero_shot(self) -> tuple[str, ...]:
        """Scored languages without labels that were trained on."""
        return tuple(language for language in self.languages if language != "en" and language not in self.labelled)

    def runs(self, languages: Sequence[str]) -> Runs:
        """The runs on some of the languages."""
        names = tuple(languages)
        if names not in self.made:
            chosen = [self.numbers[language] for language in names]
            rows = tuple(map(id, chosen))
            if rows not in self.packed:
                together = np.unique(np.concatenate(chosen), return_inverse=True)[1]
                self.packed[rows] = np.split(together, np.cumsum([len(one) for one in chosen])[:-1])
            self.made[names] = runs_of(self.by_seed, dict(zip(names, self.packed[rows], strict=True)))
        return self.made[names]

    def mean(self, languages: Sequence[str]) -> float:
        """Mean score over some of the languages and all seeds."""
        return fmean(items[language].value for items in self.by_seed.values() for language in languages)

    def half(self, which: int) -> "Answers":
        """The answers to one half of the items, 0 or 1, drawn at random: labels often alternate from row to row."""
        most = 1 + max(int(numbers.max()) for numbers in self.numbers.values())
        drawn = np.random.default_rng(0).integers(2, size=most)
        kept = {language: drawn[numbers] == which for language, numbers in self.numbers.items()}
        by_seed = {
            seed: {lang: ItemScores(scores.parts[kept[lang]], scores.measure) for lang, scores in items.items()}
            for seed, items in self.by_seed.items()
        }
        numbers = {language: rows[kept[language]] for language, rows in self.numbers.items()}
        return Answers(by_seed, numbers, self.labelled, self.languages)


class Items:
    """What every test item added to the scores of evaluations, by their main metrics. It is kept in the run's folder once
    it was read: a run's report can be made again where its store is not.

    Args:
        folder: of the run.
        store_root: the store where evaluations are; it is not opened for what the folder has.
    """

    def __init__(self, folder: Path, store_root: str) -> None:
        self.folder, self.store_root = folder / "items", store_root

    @functools.cached_property
    def store(self) -> Store:
        """The store."""
        return Store(self.store_root)

    def of(self, evaluation: str) -> pa.Table:
        """Rows of an evaluation: task, language, item, measure, and the parts of its score.

        Raises:
            UserError: neither the folder nor the store has it, or it is of an earlier version.
        """
        kept = self.folder / f"{evaluation}.parquet"
        if kept.is_file():
            return pq.read_table(kept)
        try:
            with self.store.open(evaluation) as entry:
                table = pq.read_table(entry / ITEMS)
        except KeyError:
            raise UserError(
                f"{self.store_root}: has no scores {evaluation}, which a trial of the run left there, and nor has the run's "
                "folder; was the store moved?"
            ) from None
        if "parts" not in table.column_names:
            raise UserError(
                f"{self.store_root}: the scores {evaluation} are of an earlier version of xit_ray; search again: trained "
                "stages are taken from the store, and only scored anew"
            )
        names = pc.unique(table.column("task")).to_pylist()
        main = [(pc.field("task") == name) & (pc.field("metric") == registry.get(name).metric) for name in names]
        table = table.filter(functools.reduce(operator.or_, main)).drop_columns("metric")
        self.folder.mkdir(exist_ok=True)
        aside = kept.with_suffix(".new")
        pq.write_table(table, aside, compression="zstd")
        aside.replace(kept)
        return table


class Reader:
    """Reads answers; items are numbered once for all recipes of a target.

    Args:
        items: of evaluations.
    """

    def __init__(self, items: Items) -> None:
        self.items = items
        self.numbers: dict[tuple[str, str], int] = {}
        self.seen: dict[tuple[str, str], list[tuple[pa.ChunkedArray, Numbers]]] = {}
        self.read: dict[str, dict[str, tuple[ItemScores, Numbers]]] = {}
        self.packed: dict[tuple[int, ...], list[Numbers]] = {}

    def answers(self, trials: Iterable[Row], task: Task) -> Answers:
        """The answers of trials that differ in seeds alone.

        Raises:
            UserError: they were scored by a version that did not write down which items they answered.
        """
        by_seed: dict[str, dict[str, ItemScores]] = {}
        numbers: dict[str, Numbers] = {}
        labelled: frozenset[str] = frozenset()
        for trial in trials:
            recipe = Recipe.model_validate_json(trial["recipe"])
            labelled |= recipe.labelled_languages
            seeds = [str(stage.seed) for stage in recipe.trained]
            # Runs are paired by the seed of the target stage, which a baseline has too.
            seed = seeds[-1] if seeds[-1] not in by_seed else "/".join(seeds)
            answers = self._of(str(trial["evaluation"]), task)
            by_seed[seed] = {language: items for language, (items, _) in answers.items()}
            numbers |= {language: rows for language, (_, rows) in answers.items()}
        languages = tuple(
            language for language in task.languages if all(language in items for items in by_seed.values())
        )
        return Answers(by_seed, numbers, labelled, languages, packed=self.packed)

    def _of(self, evaluation: str, task: Task) -> dict[str, tuple[ItemScores, Numbers]]:
        if evaluation not in self.read:
            table = self.items.of(evaluation)
            table = table.filter(pc.equal(table.column("task"), task.name))
            by_language = {}
            for language in task.languages:
                part = table.filter(pc.equal(table.column("language"), language))
                if part.num_rows:
                    flat = part.column("parts").combine_chunks().flatten().to_numpy(zero_copy_only=False)
                    measure = MEASURES[part.column("measure")[0].as_py()]
                    items = ItemScores(flat.reshape(part.num_rows, -1), measure)
                    by_language[language] = items, self._numbered(part.column("item"), task.name, language)
            self.read[evaluation] = by_language
        return self.read[evaluation]

    def _numbered(self, names: pa.ChunkedArray, task: str, language: str) -> Numbers:
        seen = self.seen.setdefault((task, language), [])
        for known, numbers in seen:
            if known.equals(names):
                return numbers
        numbers = np.asarray([self.numbers.setdefault((task, n), len(self.numbers)) for n in names.to_pylist()])
        seen.append((names, numbers))
        return numbers
