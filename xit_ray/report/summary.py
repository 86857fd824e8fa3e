"""What the report says, gathered from a run's folder: matrix, per-language table, costs, and statements in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow.parquet as pq
import yaml

from xit_ray.data.overlap import Overlap
from xit_ray.report.about import about, progress
from xit_ray.report.curves import Curve, curves
from xit_ray.report.front import front
from xit_ray.report.matrix import Gain, MatrixCell, Oracle, matrix
from xit_ray.report.preselection import PreselectionReport, preselection_report
from xit_ray.report.sentences import Answer, answers
from xit_ray.report.suite import SuiteTable, suite_table
from xit_ray.report.typology import ByDistance, by_distance
from xit_ray.report.warnings import warnings
from xit_ray.spec.cell import Cell
from xit_ray.spec.differences import Differences
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Space
from xit_ray.stages.records import CellEstimate
from xit_ray.tasks import registry
from xit_ray.tasks.suites import SUITES
from xit_ray.track.journal import Journal
from xit_ray.track.state import State
from xit_ray.track.tables import FORECAST, LEDGER, OVERLAPS, PRESELECTION, SCORES, TRIALS, UNTRAINED


@dataclass(frozen=True)
class LanguageRow:
    """The scores of the chosen trials of one target in one language."""

    language: str
    values: list[float | None]
    """One a cell of the target, in the matrix's order of intermediates."""
    lows: list[float | None]
    """The lower ends of their intervals over test items."""
    majority: float
    n: int


@dataclass(frozen=True)
class LanguageTable:
    """A task's scores, languages down and cells across."""

    task: str
    metric: str
    title: str
    columns: list[str]
    rows: list[LanguageRow]
    gains: list[dict[str, Gain]]
    """Of every column, by language; empty for baselines and tasks without training data."""
    above: int
    """Languages other than English in which the best cell by English dev beats the majority class beyond its interval."""
    languages: int


@dataclass(frozen=True)
class Summary:
    """Everything a report shows."""

    name: str
    question: str
    rows: list[str]
    """The matrix's, in order: intermediates, with the model where there are several."""
    targets: list[str]
    """The matrix's columns."""
    cells: dict[tuple[str, str], MatrixCell]
    """By row and column."""
    margin: float
    """Largest difference that does not matter, as a share."""
    best: dict[str, MatrixCell]
    """By target, the cell with the best English dev; the baseline before others where it is the same."""
    answers: list[Answer]
    """A sentence for each target that has a finished trial."""
    about: dict[str, str]
    """Model, seeds, date, command, machine, versions: what the results are of."""
    progress: str
    """How far a search is that has not ended; empty where it has."""
    oracles: dict[str, Oracle]
    """By target, what choosing by the other languages' labels would have brought."""
    device_hours: dict[Cell, float]
    """Of one seed of a cell's recipe and of its baseline, each alone."""
    overlaps: list[Overlap]
    """What of the test sets is among rows that train or choose."""
    allowed_overlap: float | None
    """What of it the space allows, where it says so."""
    warnings: list[str]
    """What no interval can tell."""
    tables: list[LanguageTable]
    typology: list[ByDistance]
    """Of the cells that have a baseline and enough languages."""
    suite: SuiteTable | None
    """Where the space scores a suite's languages."""
    trials: list[dict[str, Any]]
    ledger: list[dict[str, Any]]
    forecasts: list[dict[str, Any]]
    """Of each stage and evaluation that ended: what was forecast and what it took; empty while the search is not finished."""
    preselection: PreselectionReport | None
    """Where the space estimates cells before training."""
    curves: list[Curve]
    front: list[dict[str, Any]]
    """Trials that none beats in both English dev and cost."""
    recipe: str
    """The best recipe, as YAML."""
    spent_seconds: float
    alone_seconds: float
    """What the same trials would have cost had none shared a stage."""
    snapshot_seconds: float
    """Of ``spent_seconds``: those in which training stood still for snapshots."""
    checkpoint_bytes: int
    """Of all the checkpoints that the search wrote; ``keep`` may have dropped most of them since."""

    def row_of(self, trial: Mapping[str, Any]) -> str:
        """The matrix's row of a trial of ``trials``."""
        cell = Cell(**{name: trial[name] for name in Cell.model_fields})
        return next(row for row in (cell.row(True), cell.row(False)) if row in self.rows)


def summarise(folder: Path, store_root: str) -> Summary:
    """Read a run's folder and the predictions of its chosen trials."""
    from xit_ray.spec.load import SPEC, load_space

    space = load_space(folder / SPEC)
    state = State(Journal(folder).read())
    margin = space.margin / 100
    cells, oracles = matrix(folder, store_root, margin)
    differences = Differences.of_space(space)
    trials = [
        {**trial, "settings": differences.in_words(Recipe.model_validate_json(trial["recipe"]), trial["reseeded"])}
        for trial in pq.read_table(folder / TRIALS).to_pylist()
    ]
    ledger = pq.read_table(folder / LEDGER).to_pylist()
    begun = [row for row in ledger if row["trainings_begun"]]
    scores = pq.read_table(folder / SCORES).to_pylist()
    done = [cell for cell in cells if cell.trial is not None]
    targets = list(dict.fromkeys(cell.target for cell in cells))
    competing = {target: [cell for cell in done if cell.target == target] for target in targets}
    best = {target: _best(cells) for target, cells in competing.items() if cells}
    hours = _device_hours(cells, trials)
    scored = {str(trial["trial"]): float(trial["seconds"]) for trial in trials if trial["status"] == "done"}
    return Summary(
        name=folder.name,
        question=space.question,
        rows=list(dict.fromkeys(cell.row for cell in cells)),
        targets=targets,
        cells={(cell.row, cell.target): cell for cell in cells},
        margin=margin,
        best=best,
        answers=answers(best, done, margin, _own_hours(done, trials)),
        about=about(space, state),
        progress=progress(space, state),
        oracles={oracle.target: oracle for oracle in oracles},
        device_hours=hours,
        overlaps=_overlaps(folder),
        allowed_overlap=space.allow_overlap,
        warnings=warnings(trials, ledger, scores),
        tables=_tables(done, best, scores),
        typology=_typology(done, trials, scores),
        suite=_suite(space, done, scores),
        trials=trials,
        ledger=ledger,
        forecasts=_forecasts(folder, ledger),
        preselection=_preselection(folder, cells),
        curves=curves(state),
        front=front(trials),
        recipe=_best_recipe(best, trials),
        spent_seconds=sum(float(row["seconds"]) for row in begun),
        alone_seconds=sum(scored.values()),
        snapshot_seconds=sum(float(row["snapshot_seconds"] or 0.0) for row in begun),
        checkpoint_bytes=sum(int(row["checkpoint_bytes"] or 0) for row in begun),
    )


def _forecasts(folder: Path, ledger: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Forecasts with what each was of."""
    if not (folder / FORECAST).is_file():
        return []
    stages = {row["stage"]: row for row in ledger}
    other = {"role": "scoring", "label": "scoring"}
    return [
        row | {name: stages.get(row["key"], other)[name] for name in other}
        for row in pq.read_table(folder / FORECAST).to_pylist()
    ]


def _overlaps(folder: Path) -> list[Overlap]:
    file = folder / OVERLAPS
    return [Overlap(**row) for row in pq.read_table(file).to_pylist()] if file.is_file() else []


def _device_hours(cells: list[MatrixCell], trials: list[dict[str, Any]]) -> dict[Cell, float]:
    seconds = {row["trial"]: float(row["device_seconds"]) for row in trials}
    trial_of = {cell.cell: cell.trial for cell in cells}
    both = {cell.cell: {cell.trial, trial_of.get(cell.cell.baseline)} - {None} for cell in cells}
    return {cell: sum(seconds.get(str(trial), 0.0) for trial in some) / 3600 for cell, some in both.items()}


def _own_hours(cells: list[MatrixCell], trials: list[dict[str, Any]]) -> dict[Cell, float]:
    """Of one seed of each cell's recipe, trained and scored alone."""
    seconds = {row["trial"]: float(row["device_seconds"]) for row in trials}
    return {cell.cell: seconds.get(cell.trial, 0.0) / 3600 for cell in cells}


def _typology(done: list[MatrixCell], trials: list[dict[str, Any]], scores: list[dict[str, Any]]) -> list[ByDistance]:
    by_trial = _main_scores(scores)
    recipes = {trial["trial"]: Recipe.model_validate_json(trial["recipe"]) for trial in trials}

    def means(cell: MatrixCell) -> dict[str, float]:
        labelled = recipes[str(cell.trial)].labelled_languages
        return {
            language: fmean(score["value"] for score in scored)
            for language in registry.get(cell.target).languages
            if language not in labelled and (scored := _of_replicates(cell.target, language, cell.replicates, by_trial))
        }

    baselines = {cell.cell: means(cell) for cell in done if cell.cell.is_baseline}
    others = [cell for cell in done if not cell.cell.is_baseline and cell.cell.baseline in baselines]
    rows = [by_distance(cell.row, cell.target, means(cell), baselines[cell.cell.baseline]) for cell in others]
    return [row for row in rows if row is not None]


def _main_scores(scores: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """By task and trial, then by language."""
    by_trial: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for score in (s for s in scores if s["metric"] == registry.get(s["task"]).metric):
        # Each model has scores of its own before training.
        trial = f"{UNTRAINED}/{score['model']}" if score["trial"] == UNTRAINED else score["trial"]
        by_trial.setdefault((score["task"], trial), {})[score["language"]] = score
    return by_trial


def _preselection(folder: Path, cells: list[MatrixCell]) -> PreselectionReport | None:
    if not (folder / PRESELECTION).is_file():
        return None
    estimates = []
    for row in pq.read_table(folder / PRESELECTION).to_pylist():
        cell = Cell(**{name: row.pop(name) for name in Cell.model_fields})
        estimates.append(CellEstimate(cell=cell, **row))
    return preselection_report(estimates, cells)


def _best(cells: list[MatrixCell]) -> MatrixCell:
    """By English dev; recipes that were trained again with fresh seeds come before others, and the baseline before those that
    are as good."""
    return max(cells, key=lambda cell: (cell.reseeded, cell.dev_en or 0.0))


def _suite(space: Space, done: list[MatrixCell], scores: list[dict[str, Any]]) -> SuiteTable | None:
    suite = SUITES.get(str(space.zero_shot.languages))
    return suite_table(suite, done, scores) if suite is not None and done else None


def _tables(done: list[MatrixCell], best: dict[str, MatrixCell], scores: list[dict[str, Any]]) -> list[LanguageTable]:
    by_trial = _main_scores(scores)
    tables = []
    for target in dict.fromkeys(cell.target for cell in done):
        cells = [cell for cell in done if cell.target == target]
        columns = [(cell.row, cell.replicates) for cell in cells]
        gains = [dict(cell.gain_by_language or {}) for cell in cells]
        tables.append(_table(target, f"{target}, by intermediate", columns, gains, by_trial, best[target].replicates))
    models = dict.fromkeys(score["model"] for score in scores if score["trial"] == UNTRAINED)
    for task in sorted({score["task"] for score in scores} - {cell.target for cell in done}):
        untrained = {model: f"{UNTRAINED}/{model}" for model in models if (task, f"{UNTRAINED}/{model}") in by_trial}
        columns = [(UNTRAINED if len(models) == 1 else f"{UNTRAINED} ({m})", (key,)) for m, key in untrained.items()]
        columns += [(f"{cell.row} → {cell.target}", cell.replicates) for cell in done]
        if not columns:
            continue  # the only trials that were scored have not ended
        tables.append(
            _table(task, f"{task}, after each recipe", columns, [{}] * len(columns), by_trial, columns[-1][1])
        )
    return tables


def _table(
    task: str,
    title: str,
    columns: list[tuple[str, tuple[str, ...]]],
    gains: list[dict[str, Gain]],
    by_trial: dict[tuple[str, str], dict[str, dict[str, Any]]],
    best: tuple[str, ...],
) -> LanguageTable:
    rows = []
    for language in registry.get(task).languages:
        per_column = [_of_replicates(task, language, trials, by_trial) for _, trials in columns]
        one = next((scores[0] for scores in per_column if scores), None)
        if one is not None:
            values, lows = (
                [fmean(score[name] for score in scores) if scores else None for scores in per_column]
                for name in ("value", "low")
            )
            rows.append(LanguageRow(language, values, lows, float(one["majority"]), int(one["n"])))
    chosen = [trials for _, trials in columns].index(best)
    others = [row for row in rows if row.language != "en"]
    above = sum((row.lows[chosen] or 0.0) > row.majority for row in others)
    names = [name for name, _ in columns]
    return LanguageTable(task, registry.get(task).metric, title, names, rows, gains, above, len(others))


def _of_replicates(
    task: str, language: str, trials: tuple[str, ...], by_trial: dict[tuple[str, str], dict[str, dict[str, Any]]]
) -> list[dict[str, Any]]:
    scores = (by_trial.get((task, trial), {}).get(language) for trial in trials)
    return [score for score in scores if score is not None]


def _best_recipe(best: dict[str, MatrixCell], trials: list[dict[str, Any]]) -> str:
    if not best:
        return "no trial finished"
    texts = []
    for target, cell in best.items():
        row = next(trial for trial in trials if trial["trial"] == cell.trial)
        recipe = yaml.safe_load(row["recipe"])
        texts.append(f"# {target}\n" + yaml.safe_dump(recipe, sort_keys=False, width=100))
    return "\n".join(texts)
