"""The result tables of a run's folder, derived from the state of the search."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xit_ray.core.cost import Cost
from xit_ray.tasks import registry
from xit_ray.track.state import State, TrialState

TRIALS, SCORES, LEDGER = "trials.parquet", "scores.parquet", "ledger.parquet"
PRESELECTION = "preselection.parquet"
"""There where the space estimates cells before training."""
FORECAST = "forecast.parquet"
"""There when a search that knew its trials beforehand has ended: what was forecast of each stage and evaluation."""
OVERLAPS = "overlaps.parquet"
"""There where rows that train or choose repeat rows that are scored."""
UNTRAINED = "untrained"
"""In place of a trial: the scores of a pretrained encoder."""
COSTS = tuple(Cost().as_dict())


def zero_shot_mean(trial: TrialState, test: str) -> float | None:
    """Mean main score of a test set over the languages without trained labels, English apart; None if it was not scored."""
    task = registry.get(test)
    languages = set(task.zero_shot_languages) - trial.recipe.labelled_languages
    wanted = task.name, task.metric
    values = [s.value for s in trial.scores if (s.task, s.metric) == wanted and s.language in languages]
    return sum(values) / len(values) if values else None


def zero_shot_score(trial: TrialState) -> float | None:
    """The mean of ``zero_shot_mean`` over the trial's test sets; None if one of them was not scored."""
    means = [zero_shot_mean(trial, test) for test in trial.tests]
    known = [mean for mean in means if mean is not None]
    return sum(known) / len(known) if known and len(known) == len(means) else None


def path_cost(trial: TrialState, state: State) -> Cost:
    """What the trial would have cost alone: all its stages, shared or not, and its scoring."""
    parts = [state.stages[stage.key].cost for stage in trial.stages if stage.key in state.stages]
    return sum(parts, Cost()) + (trial.score_cost or Cost())


def spent_cost(trial: TrialState, state: State) -> Cost:
    """The same, with what went into a stage that the trial trained and did not end."""
    unfinished = [
        Cost(seconds=stage.seconds_spent, device_seconds=stage.seconds_spent)
        for name in trial.stages
        if (stage := state.stages.get(name.key)) is not None and stage.published is None
    ]
    return sum(unfinished, path_cost(trial, state))


def write(state: State, folder: Path) -> None:
    """Write the tables of trials, scores and stages; estimates and overlaps where there are any.

    The ledger has a row for each stage the search needed: how often training of it began, whether it was published, who
    else used it, and its cost.
    """
    _write([_trial_row(trial, state) for trial in state.trials.values()], folder / TRIALS, _TRIAL_SCHEMA)
    scores = [
        {"trial": trial.key, "model": trial.cell.model, **score.model_dump()}
        for trial in state.trials.values()
        for score in trial.scores
    ]
    scores += [
        {"trial": UNTRAINED, "model": model, **score.model_dump()}
        for model, record in state.untrained.items()
        for score in record.scores
    ]
    _write(scores, folder / SCORES, _SCORE_SCHEMA)
    _write([_ledger_row(state, key) for key in state.stages], folder / LEDGER, _LEDGER_SCHEMA)
    if state.estimates is not None:
        estimates = [{**one.model_dump(exclude={"cell"}), **one.cell.model_dump()} for one in state.estimates]
        _write(estimates, folder / PRESELECTION, _PRESELECTION_SCHEMA)
    if state.overlaps:
        _write(list(map(asdict, state.overlaps)), folder / OVERLAPS, _OVERLAP_SCHEMA)
    else:
        (folder / OVERLAPS).unlink(missing_ok=True)


def _trial_row(trial: TrialState, state: State) -> dict[str, Any]:
    return {
        "trial": trial.key,
        **trial.cell.model_dump(),
        "tests": list(trial.tests),
        "status": trial.status,
        "reseeded": trial.reseeded,
        "dev_en": trial.dev,
        "zero_shot": zero_shot_score(trial),
        "evaluation": trial.evaluation,
        "error": trial.error,
        "recipe": trial.recipe.model_dump_json(),
        **path_cost(trial, state).as_dict(),
    }


def _ledger_row(state: State, key: str) -> dict[str, Any]:
    stage = state.stages[key]
    about = stage.record.model_dump(exclude={"cost", "history"}) if stage.record is not None else {}
    return {
        "stage": key,
        "label": stage.label,
        "role": "target" if stage.final else "intermediate",
        "trainings_begun": len(stage.started),
        "published": stage.published is not None,
        "trained_by": stage.trial or "an earlier search",
        "reused_by": stage.reused,
        "dev_en": about.get("dev"),
        **{
            name: about.get(name)
            for name in ("dev_rows", "steps", "skipped_steps", "out_of_memory", "checkpoint_bytes")
        },
        **stage.cost.as_dict(),
        "seconds": stage.seconds_spent,
    }


def _write(rows: list[dict[str, Any]], file: Path, schema: pa.Schema) -> None:
    aside = file.with_suffix(".new")
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), aside)
    aside.replace(file)


_CELL_FIELDS = [(name, pa.string()) for name in ("model", "intermediate", "target")]
_COST_FIELDS = [(name, pa.float64()) for name in COSTS]
_TRIAL_SCHEMA = pa.schema(
    [("trial", pa.string()), *_CELL_FIELDS, ("tests", pa.list_(pa.string())), ("status", pa.string())]
    + [("reseeded", pa.bool_()), ("dev_en", pa.float64()), ("zero_shot", pa.float64())]
    + [(name, pa.string()) for name in ("evaluation", "error", "recipe")]
    + _COST_FIELDS
)
_SCORE_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("trial", "model", "task", "language", "metric")]
    + [(name, pa.float64()) for name in ("value", "low", "high", "majority")]
    + [("n", pa.int64()), ("constant", pa.bool_())]
)
_PRESELECTION_SCHEMA = pa.schema(
    [*_CELL_FIELDS, ("by", pa.string()), ("rows", pa.int64())]
    + [(name, pa.float64()) for name in ("estimate", "device_seconds")]
    + [("rank", pa.int64()), ("kept", pa.bool_())]
)
_OVERLAP_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("used", "tested", "language", "by", "split")] + [("share", pa.float64())]
)
_LEDGER_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("stage", "label", "role")]
    + [("trainings_begun", pa.int64()), ("published", pa.bool_()), ("trained_by", pa.string())]
    + [("reused_by", pa.list_(pa.string())), ("dev_en", pa.float64()), ("dev_rows", pa.int64()), ("steps", pa.int64())]
    + [("skipped_steps", pa.int64()), ("out_of_memory", pa.int64()), ("checkpoint_bytes", pa.int64())]
    + _COST_FIELDS
)
