"""The predicted matrix beside the measured one, and what it would have cost to believe it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from xit_ray.report.matrix import MatrixCell
from xit_ray.spec.cell import Cell
from xit_ray.stages.records import CellEstimate

BELIEVED = (1, 3)
"""Regret is shown at these numbers of intermediates."""


@dataclass(frozen=True)
class RankedTarget:
    """The intermediates of a model and target, the most promising first."""

    name: str
    """The target, with the model where there are several."""
    rows: list[tuple[CellEstimate, list[MatrixCell]]]
    """Estimate, and the measured cells, one per test set (none where it was left out)."""
    regrets: dict[int, float | None]
    """By k, over the cells that were measured; None where they are fewer than two."""


@dataclass(frozen=True)
class PreselectionReport:
    """What was estimated before training."""

    by: str
    targets: list[RankedTarget]
    device_seconds: float
    left_out: int
    """Cells that were not trained."""

    @property
    def regrets(self) -> dict[int, float | None]:
        """Mean over the targets that have one."""
        known = {k: [value for target in self.targets if (value := target.regrets[k]) is not None] for k in BELIEVED}
        return {k: fmean(values) if values else None for k, values in known.items()}


def regret(estimates: Mapping[str, float | None], measured: Mapping[str, float], k: int) -> float | None:
    """What is lost by training only the k intermediates with the highest estimates: the best measured score of all less the
    best of theirs (regret@k), in the unit of the scores; None where fewer than two were measured.

    Args:
        estimates: of each intermediate.
        measured: score of each; those without one are passed over.
        k: how many are believed in.
    """
    ranked = sorted(
        (name for name in estimates if name in measured), key=lambda name: (-(estimates[name] or 0.0), name)
    )
    if len(ranked) < 2:
        return None
    return max(measured[name] for name in ranked) - max(measured[name] for name in ranked[:k])


def estimate_text(value: float | None) -> str:
    """An estimate in figures; what only breaks a tie is not shown."""
    return "–" if value is None else f"{round(value, 4) + 0.0:g}"


def preselection_report(estimates: Sequence[CellEstimate], cells: Iterable[MatrixCell]) -> PreselectionReport:
    """The estimates beside the cells of the matrix."""
    several = len({estimate.cell.model for estimate in estimates}) > 1
    by_trained: dict[Cell, list[MatrixCell]] = {}
    for cell in cells:
        by_trained.setdefault(cell.cell.model_copy(update={"target": cell.trained}), []).append(cell)
    targets = []
    for baseline in dict.fromkeys(estimate.cell.baseline for estimate in estimates):
        mine = sorted((one for one in estimates if one.cell.baseline == baseline), key=lambda one: one.rank)
        pairs = [(one, by_trained.get(one.cell, [])) for one in mine]
        values = {one.cell.intermediate: one.estimate for one in mine if not one.cell.is_baseline}
        measured = {one.cell.intermediate: _mean_score(measured) for one, measured in pairs}
        known = {name: score for name, score in measured.items() if score is not None}
        name = f"{baseline.target} ({baseline.model})" if several else baseline.target
        targets.append(RankedTarget(name, pairs, {k: regret(values, known, k) for k in BELIEVED}))
    return PreselectionReport(
        estimates[0].by,
        targets,
        sum(one.device_seconds for one in estimates),
        sum(not one.kept for one in estimates),
    )


def _mean_score(cells: Sequence[MatrixCell]) -> float | None:
    """Mean zero-shot score over test sets; None where one was not scored."""
    scores = [cell.zero_shot for cell in cells]
    known = [score for score in scores if score is not None]
    return fmean(known) if known and len(known) == len(scores) else None
