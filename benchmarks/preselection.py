"""How well the estimates made before training pick intermediates: regret on a measured matrix of real data.

Runs search_spaces/transfer_matrix_small.yaml to its end, or reads it where it has ended, then makes every kind of estimate
for all of its cells and compares. Regret is in points of mean zero-shot score.
"""

import argparse
import math
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console
from scipy.stats import spearmanr

from benchmarks import report
from benchmarks.searches import finished
from xit_ray.data.source import parse_source
from xit_ray.plan.planner import Planner
from xit_ray.report.build import MATRIX
from xit_ray.report.preselection import regret
from xit_ray.search import runtime
from xit_ray.search.context import SearchContext
from xit_ray.search.preselection import estimate_cells
from xit_ray.spec.cell import BASELINE
from xit_ray.spec.load import load_space
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.space import Preselection, Space

ROOT = Path(__file__).parent.parent
BY = ("text", "logme", "probe")


def measured(space: str, output: Path) -> dict[str, dict[str, float]]:
    """Zero-shot score by target and intermediate, from the space's run."""
    found: dict[str, dict[str, float]] = {}
    for cell in pq.read_table(finished(Path(space), output) / MATRIX).to_pylist():
        if cell["intermediate"] != BASELINE and cell["zero_shot"] is not None:
            found.setdefault(cell["target"], {})[cell["intermediate"]] = cell["zero_shot"]
    return found


def estimated(space: Space, by: str, rows: int, slots: int, output: Path) -> tuple[dict[str, dict[str, float]], float]:
    """Estimates by target and intermediate, and the device-seconds they took with nothing in the store."""
    source = parse_source(space.data)
    planner = Planner(space, source, space.name)
    with tempfile.TemporaryDirectory(dir=output) as store:
        context = SearchContext(
            run="preselection", store=store, source=source.kind, source_root=str(source.root), ray_storage=store,
            resources=space.resources, dtype=planner.dtype, tasks=space.tasks,
        )  # fmt: skip
        settings = Preselection.model_validate({"by": by, "rows": rows})
        estimates = estimate_cells(listed_recipes(space), settings, planner, context, slots, Console(stderr=True))
    values: dict[str, dict[str, float]] = {}
    for one in estimates:
        if not one.cell.is_baseline and one.estimate is not None:
            values.setdefault(one.cell.target, {})[one.cell.intermediate] = one.estimate
    return values, sum(one.device_seconds for one in estimates)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--space", default=str(ROOT / "search_spaces/transfer_matrix_small.yaml"))
    parser.add_argument("--output", type=Path, help="folder of the run [a temporary one]")
    parser.add_argument("--rows", type=int, default=256, help="rows of every task that an estimate sees")
    arguments = parser.parse_args()
    report.data_folder()
    output: Path = (arguments.output or Path(tempfile.mkdtemp(prefix="xit-preselection-"))).resolve()
    output.mkdir(parents=True, exist_ok=True)
    space = load_space(arguments.space)
    os.environ["PYTHONPATH"] = str(ROOT)
    rows, scores = [], {}
    with runtime.running(space.resources) as slots:
        truth = measured(arguments.space, output)
        for by in BY:
            found, seconds = estimated(space, by, arguments.rows, slots, output)
            at = {k: 100 * statistics.fmean(regret(found[t], truth[t], k) or 0.0 for t in truth) for k in (1, 3)}
            ranks = [_correlation([found[t][i] for i in truth[t]], list(truth[t].values())) for t in truth]
            scores[by] = at[1], at[3]
            rows.append((by, at[1], at[3], float(statistics.fmean(ranks)), seconds))
    chance: list[Any] = [
        100 * statistics.fmean(max(t.values()) - statistics.fmean(t.values()) for t in truth.values()),
        100 * statistics.fmean(_expected(list(t.values()), 3) for t in truth.values()),
    ]
    rows.append(("chance", *chance, 0.0, 0.0))
    report.show(
        f"{report.machine()}: {sum(map(len, truth.values()))} measured cells",
        ("estimate", "regret@1, points", "regret@3, points", "rank correlation", "device-seconds"),
        rows,
    )
    best = min(scores, key=lambda by: scores[by])
    many = statistics.fmean(len(cells) for cells in truth.values())
    report.result(
        best=best, regret_at_1=scores[best][0], regret_at_3=scores[best][1], cells_trained_share=(3 + 1) / (many + 1)
    )


def _correlation(estimates: list[float], scores: list[float]) -> float:
    """Spearman's; 0 where the estimates are all the same and say nothing."""
    return float(spearmanr(estimates, scores).statistic) if len(set(estimates)) > 1 else 0.0


def _expected(values: list[float], k: int) -> float:
    """The regret of k intermediates drawn at random, on average."""
    ordered, draws = sorted(values, reverse=True), math.comb(len(values), min(k, len(values)))
    best = sum(v * math.comb(len(values) - 1 - place, k - 1) for place, v in enumerate(ordered)) / draws
    return ordered[0] - best


if __name__ == "__main__":
    report.run(main)
