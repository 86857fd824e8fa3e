"""The transfer matrix: for each intermediate and test set, the gain in mean zero-shot score over the baseline.

A cell stands for the recipe with the best English dev among the finished ones of its model, intermediate and target; no
other score has a say. A head that is scored on several test sets has a column for each of them. Trials of a recipe that
differ in seeds alone are its replicates. Where recipes were trained again with fresh seeds (the winner of a competition,
finalists), only these seeds count. The baseline of a cell is the cell of the same model and target without an
intermediate, chosen in the same way.

Gains have intervals over seeds and items, and verdicts that are corrected for the number of cells (``report.statistics``).
A cell whose variance over seeds is not known has neither.
"""

import statistics as mean_and_median
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from xit_ray.report import statistics
from xit_ray.report.answers import Answers, Items, Reader, Row
from xit_ray.report.statistics import Estimate, SeedNoise, Verdict
from xit_ray.spec.cell import Cell
from xit_ray.spec.recipe import Recipe
from xit_ray.tasks import registry
from xit_ray.track.tables import TRIALS


@dataclass(frozen=True)
class Gain:
    """A difference from the baseline, as shares."""

    estimate: Estimate
    q: float | None = None
    """P-value, corrected for the family of comparisons; None where the variance over seeds is not known."""
    verdict: Verdict = "one seed"

    @property
    def value(self) -> float:
        """The difference itself."""
        return self.estimate.value

    @property
    def low(self) -> float | None:
        """Lower end of the 95 % interval; None where the variance over seeds is not known."""
        return self.estimate.interval[0] if self.estimate.interval else None

    @property
    def high(self) -> float | None:
        """Its upper end."""
        return self.estimate.interval[1] if self.estimate.interval else None


@dataclass(frozen=True)
class MatrixCell:
    """What the trials of a cell say. Scores are shares."""

    cell: Cell
    row: str
    """Name of its row: the intermediate, with the model where there are several."""
    trained: str
    """The task whose head is scored; the target itself, where that is no test set of its own."""
    trial: str | None
    """The chosen recipe's trial, the first of its replicates; None where none finished."""
    replicates: tuple[str, ...]
    """All trials of the chosen recipe that count."""
    reseeded: bool
    """Whether they have fresh seeds."""
    trials: int
    """Trials of the cell, those that were stopped included."""
    dev_en: float | None = None
    score: Estimate | None = None
    """Mean zero-shot score."""
    gain: Gain | None = None
    """None for the baseline itself and where there is no baseline."""
    gain_any_language: Estimate | None = None
    """The gain if the scored languages are taken for a sample of all."""
    gain_english: Gain | None = None
    """In the English test rows: what transfer cost the language that was trained on."""
    gain_by_language: Mapping[str, Gain] | None = None
    seeds: int = 0
    """Different seeds of the trials that count."""

    @property
    def target(self) -> str:
        """Name of its column."""
        return self.cell.target

    @property
    def zero_shot(self) -> float | None:
        """Mean zero-shot score."""
        return self.score.value if self.score else None


@dataclass(frozen=True)
class Oracle:
    """What choosing by labels of the other languages would have brought; it is reported and chooses nothing.

    The recipe is chosen on a random half of the items and scored on the other, and the other way round; the value is their
    mean.
    """

    target: str
    value: float
    by_english_dev: float
    """The same of the recipe with the best English dev."""


def matrix(folder: Path, store_root: str, margin: float) -> tuple[list[MatrixCell], list[Oracle]]:
    """The cells of a run, by model, intermediate (the baseline first) and target, and each target's oracle.

    Args:
        folder: the run's.
        store_root: the store where its scores are; what is read there is kept in the folder.
        margin: largest difference that does not matter, as a share.
    """
    rows: list[Row] = pq.read_table(folder / TRIALS).to_pylist()
    groups: dict[Cell, list[Row]] = {}
    for row in rows:
        for test in row["tests"]:
            groups.setdefault(Cell(model=row["model"], intermediate=row["intermediate"], target=test), []).append(row)
    several = len({cell.model for cell in groups}) > 1
    reader = Reader(Items(folder, store_root))
    cells: dict[Cell, MatrixCell] = {}
    for baseline in dict.fromkeys(cell.baseline for cell in groups):
        column = {cell: group for cell, group in groups.items() if cell.baseline == baseline}
        cells |= _Column(baseline, column, reader, margin, several).cells()
    order = sorted(groups, key=lambda c: (c.model, not c.is_baseline, c.intermediate, c.target))
    judged = _with_verdicts([cells[cell] for cell in order], margin)
    oracles = [_oracle(target, groups, reader) for target in dict.fromkeys(cell.target for cell in order)]
    return judged, [oracle for oracle in oracles if oracle is not None]


class _Column:
    """All cells of one model and test set: what one cell says of the variance over seeds holds for all."""

    def __init__(
        self, baseline: Cell, groups: Mapping[Cell, list[Row]], reader: Reader, margin: float, several_models: bool
    ) -> None:
        self.baseline, self.groups, self.margin, self.several_models = baseline, groups, margin, several_models
        self.task = registry.get(baseline.target)
        self.chosen = {cell: chosen(group) for cell, group in groups.items()}
        self.answers = {cell: reader.answers(rows, self.task) for cell, rows in self.chosen.items() if rows}
        self.baselines = self._baselines(reader)
        self.noises: dict[tuple[str, ...], SeedNoise] = {}

    def cells(self) -> dict[Cell, MatrixCell]:
        """The cells; verdicts on means are given when all columns are there."""
        cells = {cell: self._cell(cell) for cell in self.groups}
        by_language = [
            (cell, language, gain)
            for cell, result in cells.items()
            for language, gain in (result.gain_by_language or {}).items()
        ]
        corrected = statistics.adjusted([gain.estimate.p for *_, gain in by_language])
        judged: dict[Cell, dict[str, Gain]] = {}
        for (cell, language, gain), q in zip(by_language, corrected, strict=True):
            judged.setdefault(cell, {})[language] = _judged(gain.estimate, q, self.margin)
        return {cell: replace(result, gain_by_language=judged.get(cell)) for cell, result in cells.items()}

    def _baselines(self, reader: Reader) -> dict[bool, Answers]:
        """The baseline by its fresh seeds, and as it was before: a cell that was not trained again is compared with that."""
        group = self.groups.get(self.baseline, [])
        by_seeds = {again: chosen([row for row in group if row["reseeded"] == again]) for again in (True, False)}
        known = {again: reader.answers(rows, self.task) for again, rows in by_seeds.items() if rows}
        return known | ({True: known[False]} if True not in known and False in known else {})

    def _cell(self, cell: Cell) -> MatrixCell:
        rows, answers, row = self.chosen[cell], self.answers.get(cell), cell.row(self.several_models)
        count, trained = len(self.groups[cell]), str(self.groups[cell][0]["target"])
        if answers is None:
            return MatrixCell(cell, row, trained, None, (), False, count)
        trials, reseeded = tuple(str(trial["trial"]) for trial in rows), bool(rows[0]["reseeded"])
        seeds = len(answers.by_seed)
        result = MatrixCell(cell, row, trained, trials[0], trials, reseeded, count, _dev(rows), seeds=seeds)
        languages = answers.zero_shot
        if not languages:
            return result
        result = replace(result, score=statistics.score(answers.runs(languages), self._noise(languages)))
        baseline = self.baselines.get(reseeded)
        if cell.is_baseline or baseline is None:
            return result
        gain = self._gain(answers, baseline, languages)
        single = {language: Gain(self._gain(answers, baseline, (language,))) for language in languages}
        english = "en" in answers.languages and "en" in baseline.languages
        return replace(
            result,
            gain=Gain(gain),
            gain_any_language=statistics.over_languages(gain, np.asarray([g.value for g in single.values()])),
            gain_by_language=single,
            gain_english=Gain(self._gain(answers, baseline, ("en",))) if english else None,
        )

    def _gain(self, answers: Answers, baseline: Answers, languages: tuple[str, ...]) -> Estimate:
        return statistics.gain(answers.runs(languages), baseline.runs(languages), self._noise(languages))

    def _noise(self, languages: tuple[str, ...]) -> SeedNoise:
        """Pooled over the cells that were scored in these languages, finalists and others each with their seeds."""
        if languages not in self.noises:
            scored = [one for one in self.answers.values() if set(languages) <= set(one.languages)]
            self.noises[languages] = statistics.seed_noise([one.runs(languages) for one in scored])
        return self.noises[languages]


def chosen(group: Iterable[Row]) -> list[Row]:
    """The replicates of one recipe, by English dev alone; the first among equals by key, so that the order of finishing plays
    no part."""
    return max(counting(group), key=_dev, default=[])


def counting(group: Iterable[Row]) -> list[list[Row]]:
    """The finished recipes of a cell that count, each with its replicates: those with fresh seeds where there are any, and
    none that lacks a seed, which it might owe its mean to."""
    done = sorted((row for row in group if row["status"] == "done"), key=lambda row: str(row["trial"]))
    final = [row for row in done if row["reseeded"]]
    recipes = by_recipe(final or done)
    most = max((len(rows) for rows in recipes), default=0)
    return [rows for rows in recipes if len(rows) >= most]


def by_recipe(rows: Iterable[Row]) -> list[list[Row]]:
    """Trials, those that differ in seeds alone together."""
    recipes: dict[str, list[Row]] = {}
    for row in rows:
        recipes.setdefault(Recipe.model_validate_json(row["recipe"]).apart_from_seeds, []).append(row)
    return list(recipes.values())


def _dev(replicates: list[Row]) -> float:
    return mean_and_median.fmean(float(row["dev_en"]) for row in replicates)


def _judged(estimate: Estimate, q: float | None, margin: float) -> Gain:
    return Gain(estimate, q, statistics.verdict(estimate, q, margin))


def _with_verdicts(cells: list[MatrixCell], margin: float) -> list[MatrixCell]:
    """Verdicts on means, corrected for the number of cells; those on English are a family of their own."""
    judged = {}
    for name in ("gain", "gain_english"):
        gains = [getattr(cell, name) for cell in cells]
        corrected = statistics.adjusted([gain.estimate.p if gain else None for gain in gains])
        judged[name] = [_judged(g.estimate, q, margin) if g else None for g, q in zip(gains, corrected, strict=True)]
    return [
        replace(cell, gain=gain, gain_english=english)
        for cell, gain, english in zip(cells, judged["gain"], judged["gain_english"], strict=True)
    ]


def _oracle(target: str, groups: Mapping[Cell, list[Row]], reader: Reader) -> Oracle | None:
    """Of all recipes of a target that count; None where there are fewer than two, or too few items to divide."""
    task = registry.get(target)
    mine = [group for cell, group in groups.items() if cell.target == target]
    recipes = [rows for group in mine for rows in counting(group)]
    if len(recipes) < 2:
        return None
    known = [reader.answers(rows, task) for rows in recipes]
    # Languages that some recipe was trained on are zero-shot for none.
    languages = [lang for lang in known[0].zero_shot if all(lang in one.zero_shot for one in known)]
    halves = [[one.half(which) for one in known] for which in (0, 1)]
    if not languages or any(not len(one.numbers[lang]) for half in halves for one in half for lang in languages):
        return None
    values = [[one.mean(languages) for one in half] for half in halves]
    by_other_half = [values[1 - which][int(np.argmax(values[which]))] for which in (0, 1)]
    best = max((chosen(group) for group in mine if chosen(group)), key=lambda rows: (rows[0]["reseeded"], _dev(rows)))
    place = recipes.index(best)
    return Oracle(target, sum(by_other_half) / 2, (values[0][place] + values[1][place]) / 2)
