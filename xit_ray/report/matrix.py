"""The transfer matrix: for each intermediate and target, the gain in mean zero-shot score over that target's baseline.

A cell stands for the recipe with the best English dev among the finished ones of its intermediate and target; no other
score has a say. Trials of a recipe that differ in seeds alone are its replicates: English dev and zero-shot scores are
their means. Where recipes of a cell were trained again as finalists, these stand for it, by their fresh seeds alone. The
baseline of a target is its cell without an intermediate, chosen in the same way. In a search over several models each
has rows of its own, and gains are over the same model's baseline.
"""

import statistics
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
Row = dict[str, Any]
"""Of the table of trials."""
Place = tuple[str, str, str]
"""Intermediate, target, and the model where there are several."""


@dataclass(frozen=True)
class Cell:
    """One cell. Gains and scores are shares; intervals are 95 % bootstrap intervals over test items."""

    intermediate: str
    """With the model, where there are several."""
    target: str
    model: str
    """Its label; empty where there is only one."""
    trial: str | None
    """The chosen recipe's trial, the first of its replicates; None where none finished."""
    replicates: tuple[str, ...]
    """All trials of the chosen recipe that count."""
    fresh: bool
    """Whether they are finalists with fresh seeds."""
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

    @property
    def is_baseline(self) -> bool:
        """Whether this is what gains are over."""
        return self.intermediate == _named(BASELINE, self.model)


def matrix(folder: Path, store: Store) -> list[Cell]:
    """The cells of a run, by model, intermediate (the baseline first) and target."""
    rows: list[Row] = pq.read_table(folder / TRIALS).to_pylist()
    labels = {row["recipe"]: Recipe.model_validate_json(row["recipe"]).model.label for row in rows}
    several = len(set(labels.values())) > 1
    groups: dict[Place, list[Row]] = {}
    for row in rows:
        groups.setdefault((row["intermediate"], row["target"], labels[row["recipe"]] if several else ""), []).append(
            row
        )
    chosen = {place: _chosen(group) for place, group in groups.items()}
    items = {place: _items(store, rows) for place, rows in chosen.items() if rows}
    # A cell that is no finalist is compared with the baseline as it was before that was trained again.
    first = {
        (target, model): _items(store, rows)
        for (intermediate, target, model), group in groups.items()
        if intermediate == BASELINE and (rows := _chosen([row for row in group if not row.get("fresh")]))
    }
    order = sorted(groups, key=lambda place: (place[2], place[0] != BASELINE, *place))
    return [_cell(place, groups[place], chosen[place], items, first) for place in order]


def _chosen(group: list[Row]) -> list[Row]:
    """The replicates of one recipe, by English dev alone; the first among equals by key, so that the order of finishing plays
    no part."""
    done = sorted((row for row in group if row["status"] == "done"), key=lambda row: str(row["trial"]))
    final = [row for row in done if row.get("fresh")]
    recipes: dict[str, list[Row]] = {}
    for row in final or done:
        recipes.setdefault(Recipe.model_validate_json(row["recipe"]).with_seed(0).model_dump_json(), []).append(row)
    # A finalist that lacks a seed might owe its mean to that.
    most = max((len(rows) for rows in recipes.values()), default=0) if final else 0
    return max((rows for rows in recipes.values() if len(rows) >= most), key=_dev, default=[])


def _dev(replicates: list[Row]) -> float:
    return statistics.fmean(float(row["dev_en"]) for row in replicates)


def _cell(
    place: Place,
    group: list[Row],
    chosen: list[Row],
    items: dict[Place, ByLanguage],
    first: dict[tuple[str, str], ByLanguage],
) -> Cell:
    intermediate, target, model = place
    name = _named(intermediate, model)
    if not chosen:
        return Cell(name, target, model, None, (), False, len(group), *[None] * 7)
    score = mean_gain(items[place], None)
    fresh = bool(chosen[0].get("fresh"))
    baseline = items.get((BASELINE, target, model)) if fresh else first.get((target, model))
    baseline = baseline if intermediate != BASELINE else None
    gain = mean_gain(items[place], baseline) if baseline is not None else (None, None, None)
    trials = tuple(row["trial"] for row in chosen)
    return Cell(
        name, target, model, trials[0], trials, fresh, len(group), _dev(chosen), *score, *gain
    )  # fmt: skip


def _named(intermediate: str, model: str) -> str:
    return f"{intermediate} ({model})" if model else intermediate


def _items(store: Store, replicates: list[Row]) -> ByLanguage:
    """What each test item of the target adds to its main score, for every language that is zero-shot."""
    task = registry.get(replicates[0]["target"])
    wanted = [("task", "=", task.name), ("metric", "=", task.metric)]
    labelled = Recipe.model_validate_json(replicates[0]["recipe"]).labelled_languages
    found: ByLanguage = {}
    for row in replicates:
        with store.open(row["evaluation"]) as folder:
            table = pq.read_table(folder / ITEMS, filters=wanted)
        for language in (name for name in task.zero_shot_languages if name not in labelled):
            part = table.filter(pc.equal(table.column("language"), language))
            if part.num_rows:
                items = Items(part.column("points").to_numpy(), part.column("out_of").to_numpy())
                found.setdefault(language, []).append(items)
    return found


def as_table(cells: list[Cell]) -> pa.Table:
    """The matrix as rows, for ``matrix.parquet``."""
    fields = [("intermediate", pa.string()), ("target", pa.string()), ("trial", pa.string()), ("trials", pa.int64())]
    names = ("dev_en", "zero_shot", "zero_shot_low", "zero_shot_high", "gain", "gain_low", "gain_high")
    fields[3:3] = [("replicates", pa.list_(pa.string())), ("fresh", pa.bool_())]
    schema = pa.schema(fields + [(name, pa.float64()) for name in names])
    return pa.Table.from_pylist([vars(cell) for cell in cells], schema=schema)
