"""The transfer matrix: for each intermediate and target, the gain in mean zero-shot score over that target's baseline.

A cell stands for the finished trial with the best English dev among those of its intermediate and target; no other
score has a say. The baseline of a target is its cell without an intermediate, chosen in the same way.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xit_ray.report.intervals import ByLanguage, mean_gain
from xit_ray.spec.recipe import Recipe
from xit_ray.stages.store import Store
from xit_ray.stages.work import ITEMS
from xit_ray.tasks import registry
from xit_ray.tasks.scores.items import Items
from xit_ray.track.tables import TRIALS

BASELINE = "none"


@dataclass(frozen=True)
class Cell:
    """One cell. Gains and scores are shares; intervals are 95 % bootstrap intervals over test items."""

    intermediate: str
    target: str
    trial: str | None
    """The chosen trial; None where none finished."""
    trials: int
    """Trials of the cell, those that were stopped included."""
    dev_en: float | None
    zero_shot: float | None
    zero_shot_low: float | None
    zero_shot_high: float | None
    gain: float | None
    """None for the baseline itself and where there is no baseline."""
    gain_low: float | None
    gain_high: float | None


def matrix(folder: Path, store: Store) -> list[Cell]:
    """The cells of a run, by intermediate (the baseline first) and target."""
    rows: list[dict[str, Any]] = pq.read_table(folder / TRIALS).to_pylist()
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["intermediate"], row["target"]), []).append(row)
    chosen = {place: _chosen(group) for place, group in groups.items()}
    items = {place: _items(store, row) for place, row in chosen.items() if row is not None}
    order = sorted(groups, key=lambda place: (place[0] != BASELINE, *place))
    return [_cell(place, groups[place], chosen[place], items) for place in order]


def _chosen(group: list[dict[str, Any]]) -> dict[str, Any] | None:
    """By English dev alone, the first among equals by key, so that the order of finishing plays no part."""
    done = sorted((row for row in group if row["status"] == "done"), key=lambda row: str(row["trial"]))
    return max(done, key=lambda row: float(row["dev_en"]), default=None)


def _cell(
    place: tuple[str, str],
    group: list[dict[str, Any]],
    row: dict[str, Any] | None,
    items: dict[tuple[str, str], ByLanguage],
) -> Cell:
    intermediate, target = place
    if row is None:
        return Cell(intermediate, target, None, len(group), *[None] * 7)
    score = mean_gain(items[place], None)
    baseline = items.get((BASELINE, target)) if intermediate != BASELINE else None
    gain = mean_gain(items[place], baseline) if baseline is not None else (None, None, None)
    return Cell(intermediate, target, row["trial"], len(group), row["dev_en"], *score, *gain)


def _items(store: Store, row: dict[str, Any]) -> ByLanguage:
    """What each test item of the target adds to its main score, for every language other than English."""
    task = registry.get(row["target"])
    wanted = [("task", "=", task.name), ("metric", "=", task.metric)]
    with store.open(row["evaluation"]) as folder:
        table = pq.read_table(folder / ITEMS, filters=wanted)
    found = {}
    labelled = Recipe.model_validate_json(row["recipe"]).labelled_languages if row.get("recipe") else frozenset()
    for language in (name for name in task.zero_shot_languages if name not in labelled):
        part = table.filter(pc.equal(table.column("language"), language))
        if part.num_rows:
            found[language] = Items(part.column("points").to_numpy(), part.column("out_of").to_numpy())
    return found


def as_table(cells: list[Cell]) -> pa.Table:
    """The matrix as rows, for ``matrix.parquet``."""
    fields = [("intermediate", pa.string()), ("target", pa.string()), ("trial", pa.string()), ("trials", pa.int64())]
    names = ("dev_en", "zero_shot", "zero_shot_low", "zero_shot_high", "gain", "gain_low", "gain_high")
    schema = pa.schema(fields + [(name, pa.float64()) for name in names])
    return pa.Table.from_pylist([vars(cell) for cell in cells], schema=schema)
