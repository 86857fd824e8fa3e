"""What sharing stages and stopping early save: a small transfer matrix on real data against the naive way, same Tune.

The naive arm trains every trial by itself: its own intermediate stage, all steps, then its scores. The other arm is
``python -m xit_ray.search``. Two more studies follow on its store: a wider grid of learning rates, and another target. What
they would cost the naive way is taken from the stages' own costs, which the first study checks against the naive arm.
"""

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml
from ray import tune

from benchmarks import report, searches
from xit_ray.data.source import Source, parse_source
from xit_ray.plan.planner import Planner
from xit_ray.plan.test_sets import TestSets
from xit_ray.plan.trial import Trial
from xit_ray.search import runtime
from xit_ray.search.context import SearchContext, stage_context
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.space import Resources, Space
from xit_ray.track.journal import Journal

ROOT = Path(__file__).parent.parent
SEEDS = (1, 2, 3)
NAIVE = ("dev", "device_seconds", "target")
"""What is kept of a trial of the naive arm."""
PAPER_ROWS = {
    "anli_plus": 1_104_934, "mnli": 392_702, "qqp": 363_846, "squad_v2": 130_319, "squad": 87_599, "hellaswag": 39_905,
    "ccg": 38_015, "cosmosqa": 25_588, "commonsenseqa": 9_741,
    "xnli": 392_702, "pawsx": 49_401, "udpos": 21_253, "panx": 20_000, "xquad": 87_599, "mlqa": 87_599, "tydiqa": 3_696,
}  # fmt: skip
"""Training rows of the datasets (Phang et al. 2020, table 1; Hu et al. 2020, table 1)."""


@dataclass(frozen=True)
class Scale:
    """How large the arms are, and of what tasks."""

    rows: int
    """Of an intermediate."""
    target: int
    """Rows of a target."""
    rates: tuple[float, ...]
    intermediates: tuple[str, ...] = ("mnli", "qqp")
    targets: tuple[tuple[str, str], ...] = (("panx", "mr"), ("udpos", "mr"))
    """Each with the one language it is scored in: at this scale scores would cost more than training."""
    another: tuple[str, str] = ("pawsx", "de")
    """The third study's target."""
    model: str | None = None
    """A folder or hub name of the encoder; None is the offline one."""


SMALL = Scale(64, 32, (1e-4, 2e-4), ("mini_paraphrase",), (("mini_nli", "de"),), ("mini_roles", "de"))
"""On generated tasks: does it run at all?"""


def space(name: str, scale: Scale, targets: Iterable[tuple[str, str]], rates: Iterable[float]) -> dict[str, Any]:
    """A matrix of intermediates and targets, some learning rates each."""
    first = [{"task": task, "examples": scale.rows} for task in scale.intermediates]
    last = [{"task": task, "examples": scale.target} for task, _ in targets]
    shared = {"batch_size": 16}
    return {
        "name": name,
        "recipe": {
            **({"model": scale.model} if scale.model else {}),
            "stages": [
                {"mixture": {"grid": [None, *first]}, "learning_rate": 1e-4, "evaluations": 1, **shared},
                {"mixture": {"grid": last}, "learning_rate": {"grid": [*rates]}, "evaluations": 2, **shared},
            ],
        },
        "scheduler": {"name": "asha", "compare": "cell"},
        "zero_shot": {
            "languages": sorted({language for _, language in targets}),
        },
    }


def searched(tree: dict[str, Any], output: Path) -> Path:
    """Run a search that has not been run yet; its folder."""
    run = output / str(tree["name"])
    if (run / "matrix.parquet").is_file():
        return run
    if run.exists():
        raise UserError(f"{run}: this search was interrupted, and what it spent is not known; remove {output}")
    file = output / f"{tree['name']}.yaml"
    file.write_text(yaml.safe_dump(tree))
    return searches.finished(file, output)


def spent(run: Path) -> tuple[float, float, float]:
    """Device-seconds a search spent, those its trials would have taken alone, and its wall-clock seconds."""
    events = list(Journal(run).read())
    scoring = {event.trial for event in events if event.kind == "scoring_started"}
    paid = sum(row["seconds"] for row in pq.read_table(run / "ledger.parquet").to_pylist() if row["trainings_begun"])
    scores = {e.trial: e.record.cost.device_seconds for e in events if e.kind == "trial_scored"}
    paid += sum(seconds for trial, seconds in scores.items() if trial in scoring)
    wall = events[-1].time - events[0].time
    return paid, alone(run), wall


def alone(run: Path) -> float:
    """Device-seconds of every trial trained by itself to its end. A stopped trial's target stage and scores are reckoned as
    the mean of those of its target that ended."""
    events, rows = list(Journal(run).read()), pq.read_table(run / "ledger.parquet").to_pylist()
    ledger = {row["stage"]: row for row in rows}
    started = {event.trial: event for event in events if event.kind == "trial_started"}
    scores = {e.trial: e.record.cost.device_seconds for e in events if e.kind == "trial_scored"}
    ended: dict[str, list[float]] = {}
    for trial, seconds in scores.items():
        final = started[trial].stages[-1].key
        ended.setdefault(started[trial].recipe.target_task, []).append(ledger[final]["device_seconds"] + seconds)
    total = 0.0
    for event in started.values():
        total += sum(ledger[stage.key]["device_seconds"] for stage in event.stages[:-1])
        total += statistics.fmean(ended[event.recipe.target_task])
    return total


def naive(config: dict[str, Any], shared: SearchContext) -> None:
    """A trial of the naive arm: everything by itself, in a store of its own."""
    from xit_ray.stages import execute, scoring

    trial = Trial.model_validate_json(config["trial"])
    with tempfile.TemporaryDirectory() as folder:
        context = stage_context(shared.model_copy(update={"store": folder}), trial.recipe.model)
        seconds, dev = 0.0, 0.0
        for training in trial.trainings:
            record = execute.train(context, training, lambda progress: None)
            seconds, dev = seconds + record.cost.device_seconds, record.dev or 0.0
        seconds += scoring.evaluate(context, trial.evaluation).cost.device_seconds
    tune.report(dict(zip(NAIVE, (dev, seconds, trial.cell.target), strict=True)))


def tuned(loaded: Space, planner: Planner, output: Path, slots: int) -> list[dict[str, Any]]:
    """Run the naive arm, if that has not been done, so many trials at a time; one result per trial."""
    kept = output / "naive.json"
    if kept.is_file():
        before: list[dict[str, Any]] = json.loads(kept.read_text())
        return before
    source = planner.source
    shared = SearchContext(
        run="naive", store="", source=source.kind, source_root=str(source.root), ray_storage=str(output),
        resources=loaded.resources, dtype=planner.dtype, tasks=(),
    )  # fmt: skip
    results = tune.Tuner(
        tune.with_resources(tune.with_parameters(naive, shared=shared), {"CPU": 1}),
        param_space={"trial": tune.grid_search([planner.trial(r).model_dump_json() for r in listed_recipes(loaded)])},
        tune_config=tune.TuneConfig(max_concurrent_trials=slots, reuse_actors=True),
        run_config=tune.RunConfig(name="naive", storage_path=str(output), verbose=0),
    ).fit()
    found = [{name: (result.metrics or {}).get(name) for name in NAIVE} for result in results]
    if any(None in metrics.values() for metrics in found):
        raise RuntimeError(f"a trial of the naive arm failed; see {output / 'naive'}")
    kept.write_text(json.dumps(found))
    return found


def best(rows: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The best English dev of each target."""
    found: dict[str, float] = {}
    for target, dev in rows:
        found[target] = max(dev, found.get(target, 0.0))
    return found


def paper_scale(trained: float) -> float:
    """Rows trained the naive way over rows trained with sharing and stopping, for search_spaces/transfer_matrix.yaml.

    Args:
        trained: share of their target stages' steps that the trials of the small matrix trained.
    """
    space = load_space(ROOT / "search_spaces/transfer_matrix.yaml")
    test_sets = TestSets(space.zero_shot, Source("none"), lambda task, language: True, space.name)
    firsts: dict[str, float] = {}
    apart = targets = 0.0
    for recipe in listed_recipes(space):
        *before, last = [
            (PAPER_ROWS[stage.mixture.members[0].task] * stage.epochs, stage.mixture.label)
            for stage in recipe.trained
            if stage.mixture
        ]
        # The naive way trains a head for every test set.
        apart += (sum(rows for rows, _ in before) + last[0]) * len(test_sets.tests(recipe.target_task))
        firsts |= {name: rows for rows, name in before}
        targets += last[0]
    return apart / (sum(firsts.values()) + trained * targets)


def share_trained(run: Path) -> float:
    """Share of the target stages' steps that a search's trials trained."""
    last: dict[str, float] = {}
    for event in Journal(run).read():
        if event.kind == "stage_progress" and event.final:
            last[event.trial] = event.step / event.steps
    return statistics.fmean(last.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, help="folder of the runs [a temporary one]; begun ones go on")
    parser.add_argument("--small", action="store_true", help="few rows of generated tasks: does it run at all?")
    parser.add_argument("--model", help="folder or hub name of the encoder [the offline one]")
    arguments = parser.parse_args()
    report.data_folder()
    output: Path = (arguments.output or Path(tempfile.mkdtemp(prefix="xit-cost-"))).resolve()
    output.mkdir(parents=True, exist_ok=True)
    scale = SMALL if arguments.small else Scale(4800, 256, (5e-5, 1e-4, 2e-4, 4e-4))
    scale = replace(scale, model=arguments.model)
    mark = output / "scale.json"
    if any(output.iterdir()) and (not mark.is_file() or mark.read_text() != json.dumps(asdict(scale))):
        raise UserError(f"--output: {output} holds something else; what is there would be taken from its store")
    mark.write_text(json.dumps(asdict(scale)))
    os.environ["PYTHONPATH"] = str(ROOT)  # the naive arm's processes find this module
    with runtime.running(Resources()) as slots:
        measure(scale, output, slots)


def measure(scale: Scale, output: Path, slots: int) -> None:
    """Run both arms, or read what has ended, and show what they cost."""
    first = space("matrix", scale, scale.targets, scale.rates)
    runs = [
        searched(first, output),
        searched(space("wider", scale, scale.targets, (*scale.rates, 3e-5, 8e-4)), output),
        searched(space("another", scale, [scale.another], scale.rates), output),
    ]
    loaded = load_space(output / "matrix.yaml")
    planner = Planner(loaded, parse_source(None), "matrix.yaml")
    planner.check()
    trials = tuned(loaded, planner, output, slots)
    costs = [spent(run) for run in runs]
    measured = sum(trial["device_seconds"] for trial in trials)
    rows = pq.read_table(runs[0] / "trials.parquet").to_pylist()
    shared = best((row["target"], row["dev_en"]) for row in rows if row["status"] == "done")
    apart = best((trial["target"], trial["dev"]) for trial in trials)
    winner = max((row for row in rows if row["status"] == "done"), key=lambda row: row["dev_en"])
    again = yaml.safe_load(winner["recipe"])
    again["stages"][-1]["seed"] = {"grid": list(SEEDS)}
    seeds = searched({**first, "name": "seeds", "recipe": again, "scheduler": {"name": "none"}}, output)
    devs = [row["dev_en"] for row in pq.read_table(seeds / "trials.parquet").to_pylist()]
    table = [("naive, measured", len(trials), measured, measured, 1.0)]
    for run, (paid, by_itself, _) in zip(runs, costs, strict=True):
        count = len(pq.read_table(run / "trials.parquet"))
        table.append((f"shared: {run.name}", count, paid, by_itself, paid / by_itself))
    report.show(report.machine(), ("arm", "trials", "device-seconds", "alone, reckoned", "ratio"), table)
    report.result(
        device_seconds_ratio=costs[0][0] / measured,
        best_dev_shared=shared,
        best_dev_naive=apart,
        seed_spread=max(devs) - min(devs),
        multi_study_ratio=sum(paid for paid, _, _ in costs) / sum(by_itself for _, by_itself, _ in costs),
        reckoned_vs_measured=costs[0][1] / measured,
        paper_scale_ratio=1 / paper_scale(share_trained(runs[0])),
    )


if __name__ == "__main__":
    report.run(main)
