"""The result tables of a run's folder, folded from the state of the search."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xit_ray.spec.recipe import Recipe
from xit_ray.tasks import registry
from xit_ray.track.state import State, TrialState, seconds_spent

TRIALS, SCORES, LEDGER = "trials.parquet", "scores.parquet", "ledger.parquet"
RANKING = "ranking.parquet"
"""There where the space ranks intermediates before training."""
OVERLAPS = "overlaps.parquet"
"""There where rows that train or choose repeat rows that are scored."""
COSTS = (
    "seconds", "device_seconds", "gpu_hours", "tokens", "padding_avoided", "flops", "peak_memory_mb", "matmul_peak",
    "energy_wh",
)  # fmt: skip
LARGEST = ("peak_memory_mb", "matmul_peak")
"""Costs of which a path has the largest of its parts; of the others it has the sum."""


def zero_shot_mean(trial: TrialState) -> float | None:
    """Mean main score of the target over its languages other than English; None where it was not scored."""
    task = registry.get(trial.target)
    labelled = Recipe.model_validate(trial.recipe).labelled_languages if trial.recipe else frozenset()
    languages, wanted = set(task.zero_shot_languages) - labelled, (task.name, task.metric)
    values = [s["value"] for s in trial.scores if (s["task"], s["metric"]) == wanted and s["language"] in languages]
    return sum(values) / len(values) if values else None


def path_cost(trial: TrialState, state: State) -> dict[str, float]:
    """What the trial would have cost alone: all its stages, shared or not, and its scoring."""
    parts = [state.stages[key].description.get("cost", {}) for key, _ in trial.stages if key in state.stages]
    parts.append(trial.score_cost)
    total = {name: sum(part.get(name, 0.0) for part in parts) for name in COSTS}
    return total | {name: max((part.get(name, 0.0) for part in parts), default=0.0) for name in LARGEST}


def write(state: State, folder: Path) -> None:
    """Write ``trials.parquet``, ``scores.parquet`` and ``ledger.parquet``, and ``ranking.parquet`` where there is one.

    The ledger has a row for each stage the search needed: how often training of it began, whether it was published, who
    else used it, and its cost.
    """
    _write([_trial_row(trial, state) for trial in state.trials.values()], folder / TRIALS, _TRIAL_SCHEMA)
    scores = [{"trial": trial.key, **score} for trial in state.trials.values() for score in trial.scores]
    scores += [{"trial": "untrained", **score} for score in (state.untrained or {}).get("scores", [])]
    _write(scores, folder / SCORES, _SCORE_SCHEMA)
    _write([_ledger_row(state, key) for key in state.stages], folder / LEDGER, _LEDGER_SCHEMA)
    if state.ranking is not None:
        _write(state.ranking, folder / RANKING, _RANKING_SCHEMA)
    if state.overlaps:
        _write(state.overlaps, folder / OVERLAPS, _OVERLAP_SCHEMA)
    else:
        (folder / OVERLAPS).unlink(missing_ok=True)


def _trial_row(trial: TrialState, state: State) -> dict[str, Any]:
    return {
        "trial": trial.key,
        "intermediate": trial.intermediate,
        "target": trial.target,
        "status": trial.status,
        "fresh": trial.fresh,
        "dev_en": trial.dev,
        "zero_shot": zero_shot_mean(trial),
        "evaluation": trial.evaluation,
        "error": trial.error,
        "recipe": json.dumps(trial.recipe),
        **path_cost(trial, state),
    }


def _ledger_row(state: State, key: str) -> dict[str, Any]:
    stage = state.stages[key]
    return {
        "stage": key,
        "label": stage.label,
        "role": "target" if stage.final else "intermediate",
        "trainings_begun": len(stage.started),
        "published": stage.published is not None,
        "trained_by": stage.trial or "an earlier search",
        "reused_by": stage.reused,
        "dev_en": stage.description.get("dev"),
        "dev_rows": stage.description.get("dev_rows"),
        "steps": stage.description.get("steps"),
        "skipped_steps": stage.description.get("skipped"),
        "out_of_memory": stage.description.get("out_of_memory"),
        **{name: stage.description.get("cost", {}).get(name, 0.0) for name in COSTS},
        "seconds": seconds_spent(stage),
    }


def _write(rows: list[dict[str, Any]], file: Path, schema: pa.Schema) -> None:
    aside = file.with_suffix(".new")
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), aside)
    aside.replace(file)


_COST_FIELDS = [(name, pa.float64()) for name in COSTS]
_TRIAL_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("trial", "intermediate", "target", "status")]
    + [("fresh", pa.bool_()), ("dev_en", pa.float64()), ("zero_shot", pa.float64())]
    + [(name, pa.string()) for name in ("evaluation", "error", "recipe")]
    + _COST_FIELDS
)
_SCORE_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("trial", "task", "language", "metric")]
    + [(name, pa.float64()) for name in ("value", "low", "high", "majority")]
    + [("n", pa.int64()), ("constant", pa.bool_())]
)
_RANKING_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("intermediate", "target", "by")]
    + [("estimate", pa.float64()), ("device_seconds", pa.float64()), ("rank", pa.int64()), ("kept", pa.bool_())]
)
_OVERLAP_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("used", "tested", "language", "by", "split")] + [("share", pa.float64())]
)
_LEDGER_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("stage", "label", "role")]
    + [("trainings_begun", pa.int64()), ("published", pa.bool_()), ("trained_by", pa.string())]
    + [("reused_by", pa.list_(pa.string())), ("dev_en", pa.float64()), ("dev_rows", pa.int64()), ("steps", pa.int64())]
    + [("skipped_steps", pa.int64()), ("out_of_memory", pa.int64())]
    + _COST_FIELDS
)
