"""Cells of a matrix and whole summaries, made by hand."""

import random
from typing import Any

from xit_ray.report import statistics
from xit_ray.report.curves import Curve
from xit_ray.report.front import front
from xit_ray.report.matrix import Gain, MatrixCell
from xit_ray.report.page import _languages
from xit_ray.report.sentences import answers
from xit_ray.report.statistics import Estimate
from xit_ray.report.summary import LanguageRow, LanguageTable, Summary
from xit_ray.spec.cell import BASELINE, Cell

MARGIN = 0.01
TARGETS = ("xnli", "pawsx", "xcopa", "udpos", "panx", "xquad", "tydiqa")
INTERMEDIATES = ("anli", "mnli", "qqp", "squad", "squad2", "hellaswag", "ccg", "cosmos_qa", "commonsense_qa")


def matrix_cell(intermediate: str, target: str, trial: str | None, dev: float | None = None, **more: Any) -> MatrixCell:
    """A cell of a search over one model, with one trial or none."""
    cell = Cell(model="tiny", intermediate=intermediate, target=target)
    replicates = (trial,) if trial is not None else ()
    settings = {"replicates": replicates, "reseeded": False, "trials": 1, "dev_en": dev, **more}
    return MatrixCell(cell, intermediate, target, trial, **settings)


def gain(value: float, error: float, df: float | None = 8.0) -> Gain:
    """A gain with its verdict, alone in its family."""
    estimate = Estimate(value, error**2, 0.0, df)
    return Gain(estimate, estimate.p, statistics.verdict(estimate, estimate.p, MARGIN))


def summary(rows: int = 10, targets: int = 7, languages: int = 40, seed: int = 0) -> Summary:
    """What a report of a search says that has as many intermediates (the baseline is one), targets and languages."""
    chance = random.Random(seed)
    spoken = [language for language in sorted(_languages()) if language != "en"][:languages]
    cells = []
    for row, name in enumerate((BASELINE, *INTERMEDIATES)[:rows]):
        for target in TARGETS[:targets]:
            of_language = {lang: gain(chance.gauss(0.005, 0.04), 0.02) for lang in spoken} if row else None
            mean = chance.gauss(0.005, 0.03)
            made = {"score": Estimate(0.6 + mean, 1e-4, 0.0, 8.0), "gain": gain(mean, 0.012) if row else None}
            more = {"gain_by_language": of_language, "gain_english": gain(mean / 2, 0.01) if row else None, "seeds": 3}
            cells.append(matrix_cell(name, target, f"{row}{target}", 0.7 + mean, **made, **more))
    best = {t: max((c for c in cells if c.target == t), key=lambda c: c.dev_en or 0.0) for t in TARGETS[:targets]}
    hours = {cell.cell: chance.uniform(0.1, 3) for cell in cells}
    trials = [_trial(cell, 3600 * hours[cell.cell]) for cell in cells]
    tables = [_table(target, [c for c in cells if c.target == target], spoken) for target in best]
    curves = [
        Curve(str(cell.trial), cell.row, cell.target, [(25 * n, 0.5 + 0.05 * n) for n in range(1, 5)], n % 4 == 3)
        for n, cell in enumerate(cells)
    ]
    about = {"model": "FacebookAI/xlm-roberta-base at e73636d4", "seeds": "0, 1, 2", "command": "xit search matrix.yaml",
             "begun": "2026-01-01 12:00", "versions": "Python 3.12.3, xit_ray 0.1.0"}  # fmt: skip
    return Summary(
        name="synthetic", question="Which intermediate helps which target?",
        rows=[BASELINE, *INTERMEDIATES][:rows],
        targets=list(best), cells={(c.row, c.target): c for c in cells}, margin=MARGIN, best=best,
        answers=answers(best, cells, MARGIN, hours), about=about, progress="", oracles={}, device_hours=hours, overlaps=[],
        allowed_overlap=None, warnings=["English dev of xcopa has 90 rows: one row more that is right is 1.1 points."],
        tables=tables, typology=[], suite=None, trials=trials, ledger=[], forecasts=_forecasts(chance),
        preselection=None, curves=curves,
        front=front(trials), recipe="stages: []", spent_seconds=1e5, alone_seconds=2e5,
        snapshot_seconds=60.0, checkpoint_bytes=10**9,
    )  # fmt: skip


def _forecasts(chance: random.Random) -> list[dict[str, Any]]:
    ahead = {role: chance.uniform(10, 1000) for role in ("intermediate", "target", "scoring")}
    return [
        {"key": role, "label": role, "role": role, "forecast_tokens": 1, "tokens": 1, "calibrated": True,
         "forecast_seconds": seconds, "device_seconds": chance.uniform(0.8, 1.2) * seconds}
        for role, seconds in ahead.items()
    ]  # fmt: skip


def _trial(cell: MatrixCell, seconds: float) -> dict[str, Any]:
    return {
        **cell.cell.model_dump(), "trial": cell.trial, "tests": [cell.target], "status": "done", "reseeded": False,
        "dev_en": cell.dev_en, "zero_shot": cell.zero_shot, "settings": "lr 2e-5", "seconds": seconds,
        "device_seconds": seconds, "peak_memory_mb": 4000.0,
    }  # fmt: skip


def _table(target: str, cells: list[MatrixCell], languages: list[str]) -> LanguageTable:
    rows = [
        LanguageRow(language, [cell.zero_shot for cell in cells], [cell.zero_shot for cell in cells], 0.33, 1000)
        for language in languages
    ]
    return LanguageTable(target, "accuracy", f"{target}, by intermediate", [c.row for c in cells], rows, [], 40, 40)
