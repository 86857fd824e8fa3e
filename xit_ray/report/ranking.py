"""The predicted matrix beside the measured one, and what it would have cost to believe it."""

from dataclasses import dataclass
from statistics import fmean
from typing import Any

from xit_ray.report.matrix import BASELINE, Cell

BELIEVED = (1, 3)
"""Regret is shown at these numbers of intermediates."""


@dataclass(frozen=True)
class RankedTarget:
    """A target's intermediates, the most promising first."""

    target: str
    rows: list[tuple[dict[str, Any], Cell | None]]
    """Estimate, and the measured cell (None where it was left out)."""
    regrets: dict[int, float | None]
    """By k, over the cells that were measured; None where they are fewer than two."""


@dataclass(frozen=True)
class Ranking:
    """What was estimated before training."""

    by: str
    targets: list[RankedTarget]
    device_seconds: float
    left_out: int
    """Cells that were not trained."""

    @property
    def regrets(self) -> dict[int, float | None]:
        """Mean over the targets that have one."""
        known = {k: [found for target in self.targets if (found := target.regrets[k]) is not None] for k in BELIEVED}
        return {k: fmean(values) if values else None for k, values in known.items()}


def regret(estimates: dict[str, float], measured: dict[str, float], k: int) -> float | None:
    """What is lost by training only the k intermediates with the highest estimates: the best measured score of all less the
    best of theirs (regret@k), in the unit of the scores; None where fewer than two were measured.

    Args:
        estimates: of each intermediate.
        measured: score of each; those without one are passed over.
        k: how many are believed in.
    """
    ranked = sorted((name for name in estimates if name in measured), key=lambda name: (-estimates[name], name))
    if len(ranked) < 2:
        return None
    return max(measured[name] for name in ranked) - max(measured[name] for name in ranked[:k])


def estimate_text(value: float | None) -> str:
    """An estimate in figures; what only breaks a tie is not shown."""
    return "–" if value is None else f"{round(value, 4) + 0.0:g}"


def ranking(rows: list[dict[str, Any]], cells: dict[tuple[str, str], Cell]) -> Ranking:
    """The table of estimates beside the cells of the matrix."""
    targets = []
    for target in dict.fromkeys(row["target"] for row in rows):
        mine = sorted((row for row in rows if row["target"] == target), key=lambda row: int(row["rank"]))
        pairs = [(row, cells.get((row["intermediate"], target))) for row in mine]
        estimates = {row["intermediate"]: row["estimate"] for row in mine if row["intermediate"] != BASELINE}
        measured = {cell.intermediate: cell.zero_shot for _, cell in pairs if cell and cell.zero_shot is not None}
        targets.append(RankedTarget(target, pairs, {k: regret(estimates, measured, k) for k in BELIEVED}))
    return Ranking(
        rows[0]["by"],
        targets,
        sum(row["device_seconds"] for row in rows),
        sum(not row["kept"] for row in rows),
    )
