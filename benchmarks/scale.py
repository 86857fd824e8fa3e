"""A cluster of 100 one-GPU nodes and 1,000 trials, with stages that sleep: is anything but the GPUs in the way?

Real: the plan and its order, the foreman (a Ray actor) with its board of work, the drivers' waiting, claiming and posting,
the stage store on disk, the journal, MLflow on SQLite. Simulated: drivers and crews are threads of one process, and a
crew sleeps its stages on a clock that is compressed, so that a second of real overhead counts for as many simulated ones.
"""

import argparse
import contextlib
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import ray
from ray.exceptions import ActorDiedError
from rich.console import Console

from benchmarks import report
from xit_ray.data.source import Source
from xit_ray.plan.forecast import Forecast
from xit_ray.plan.planner import Planner, Trial
from xit_ray.plan.schedule import simulate
from xit_ray.plan.trie import Node, in_good_order, trie
from xit_ray.search import driver, foreman, runtime
from xit_ray.search.pump import Pump
from xit_ray.search.tuning import SPARE_DRIVERS
from xit_ray.search.worker import IDLE_SECONDS
from xit_ray.spec.points import listed_points
from xit_ray.spec.space import Resources, Space
from xit_ray.stages.store import Store
from xit_ray.track.journal import Journal
from xit_ray.track.state import State
from xit_ray.track.tracker import Tracker

COST = dict.fromkeys(
    ("seconds", "device_seconds", "gpu_hours", "tokens", "padding_avoided", "flops", "peak_memory_mb", "matmul_peak",
     "energy_wh"), 1.0,
)  # fmt: skip


KEEPER = "benchmark"


class Counting:
    """Passes calls on to an object and counts them."""

    def __init__(self, inner: Any, counts: Counter[str], name: str) -> None:
        self.inner, self.counts, self.name = inner, counts, name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self.inner, attribute)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self.counts[self.name] += 1
            return found(*arguments, **options)

        return call


def the_space(folder: Path, trials: int) -> Space:
    """Intermediates that differ in seed and learning rate, each before targets of eight lengths."""
    first = {"mixture": "mini_nli", "learning_rate": {"grid": [1e-5, 2e-5, 3e-5, 4e-5, 5e-5]}}
    first["seed"] = {"grid": list(range(max(1, trials // 40)))}
    last = {"mixture": "mini_paraphrase", "epochs": {"grid": [1 + step / 2 for step in range(8)]}}
    recipe = {"stages": [first, last]}
    return Space.model_validate({"name": "scale", "recipe": recipe, "output": str(folder)})


def real_lengths(trials: list[Trial], nodes: dict[str, Node]) -> dict[str, float]:
    """How long every stage and scoring takes, intermediates 1 on average and targets half of that: as its steps say, give
    or take a fifth, as forecasts do."""
    rng = random.Random(0)
    lengths: dict[str, float] = {}
    for place, mean in enumerate((1.0, 0.5)):
        steps = {key: nodes[key].steps for key in dict.fromkeys(trial.trainings[place].key for trial in trials)}
        whole = statistics.fmean(steps.values())
        lengths |= {key: mean * count / whole * rng.uniform(0.8, 1.2) for key, count in steps.items()}
    return lengths | {trial.evaluation.key: rng.uniform(0.08, 0.12) for trial in trials}


def best_share(trials: list[Trial], lengths: dict[str, float], nodes: int) -> float:
    """GPU busy share of the same order where nothing takes time beside the stages."""
    needed = {t.key: [*(training.key for training in t.trainings), t.evaluation.key] for t in trials}
    order = [trial.key for trial in trials]
    return simulate(Forecast(len(trials), {}, needed), lengths.__getitem__, nodes, order).busy


@dataclass
class Cluster:
    """Crews whose stages sleep, and how long each GPU was used."""

    boss: Any
    store: Any
    second: float
    lengths: dict[str, float]
    busy: list[float] = field(default_factory=list)

    def sleep(self, length: float) -> None:
        """Use a GPU."""
        time.sleep(length * self.second)
        self.busy.append(length * self.second)  # waking late is not work

    def keep(self, trials: dict[str, Trial], nodes: int) -> None:
        """What the process that keeps the crews does, until the foreman is no more."""
        ray.get(self.boss.appoint.remote(KEEPER))
        with ThreadPoolExecutor(nodes) as crews, contextlib.suppress(ActorDiedError):
            while True:
                crew = ray.get(self.boss.recruit.remote(KEEPER, nodes))
                if crew is not None:
                    crews.submit(self.crew, crew, trials)

    def crew(self, name: str, trials: dict[str, Trial]) -> None:
        """What a crew's worker does, until there is no more work."""
        error = None
        try:
            while (taken := ray.get(self.boss.take.remote(name, IDLE_SECONDS))) is not None:
                self.work(trials[taken["trial"]], taken["holder"], taken["skip"])
                ray.get(self.boss.finish.remote(name))
        except Exception as found:  # noqa: BLE001 - the trial whose work it was raises it
            error = repr(found)
        ray.get(self.boss.leave.remote(name, error))

    def work(self, trial: Trial, holder: str, missing: int) -> None:
        """A trial's work."""
        tell = foreman.teller(self.boss, trial.key)
        with tempfile.TemporaryDirectory() as empty:
            for training in trial.trainings[missing:]:
                named = {"key": training.key, "label": training.label, "final": training is trial.trainings[-1]}
                tell("stage_started", **named)
                for step in range(1, 5):
                    self.sleep(self.lengths[training.key] / 4)
                    self.boss.go_on.remote(
                        holder, "progress", trial=trial.key, **named, step=step, steps=4, loss=1.0, dev=0.5, best=0.5
                    )
                description = {"dev": 0.5, "steps": 4, "history": [], "skipped": 0, "out_of_memory": 0, "cost": COST}
                self.store.publish(training.key, Path(empty), description)
                tell("stage_published", **named, description=description)
                ray.get(self.boss.release.remote(holder, training.key))
            self.sleep(self.lengths[trial.evaluation.key])
            scores = [
                {"task": trial.target, "language": language, "metric": "accuracy", "value": 0.5, "low": 0.4, "high": 0.6,
                 "n": 200, "majority": 0.5}
                for language in trial.evaluation.languages[trial.target]
            ]  # fmt: skip
            self.store.publish(trial.evaluation.key, Path(empty), {"scores": scores, "cost": COST})


def drive(trial: Trial, store: Any, boss: Any) -> None:
    """What a trial's driver does."""
    tell = foreman.teller(boss, trial.key)
    stages = [[training.key, training.label] for training in trial.trainings]
    recipe = trial.recipe.model_dump(mode="json")
    about = {"recipe": recipe, "intermediate": trial.intermediate, "target": trial.target, "stages": stages}
    tell("trial_started", **about, fresh=False)
    with driver._leases(boss, trial.key):
        missing = driver._claim_missing(boss, store, trial, trial.key, tell)
        for training in trial.trainings[:missing]:
            tell("stage_reused", key=training.key, label=training.label, description=store.describe(training.key))
        job = {"trial": trial.key, "holder": trial.key, "skip": missing}
        for _ in driver.reports(boss, trial.key, job):
            pass
        tell("scored", key=trial.evaluation.key, description=store.describe(trial.evaluation.key))
    ray.get(boss.drop.remote(trial.key))
    tell("trial_ended", error=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=12.0, help="real seconds of an intermediate stage, on average")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="xit-scale-"))
    space = the_space(folder, arguments.trials)
    planner = Planner(space, Source("none"), "bfloat16", "scale")
    everything = [planner.trial(point) for point in listed_points(space)][: arguments.trials]
    nodes = trie(everything, planner)
    in_order = in_good_order(everything, nodes)
    lengths = real_lengths(everything, nodes)
    calls: Counter[str] = Counter()
    runtime.start(Resources())
    boss = foreman.hire("scale", None, resources={runtime.DRIVERS: 1})
    journal, state = Journal(folder), State()
    tracker = Tracker(f"sqlite:///{folder}/mlflow.db", "scale", "scale")
    tracker.start({"run": "scale"})
    tracker.client = Counting(tracker.client, calls, "MLflow")  # type: ignore[assignment]
    store = Counting(Store(str(folder / "store")), calls, "store")
    cluster = Cluster(boss, store, arguments.seconds, lengths)
    by_key = {trial.key: trial for trial in in_order}
    keeper = threading.Thread(target=cluster.keep, args=(by_key, arguments.nodes))
    began = time.monotonic()
    keeper.start()
    try:
        with (
            Pump(lambda: ray.get(boss.drain.remote()), journal, state, [lambda event: tracker.apply(event, state)]),
            ThreadPoolExecutor(arguments.nodes + SPARE_DRIVERS) as pool,
        ):
            for trial in [pool.submit(drive, trial, store, boss) for trial in in_order]:
                trial.result()
            worked = time.monotonic() - began
        written = time.monotonic() - began
    finally:
        ray.kill(boss)
        keeper.join()
    ray.shutdown()
    assert len(state.trials) == len(everything)
    assert {trial.status for trial in state.trials.values()} == {"done"}
    assert statistics.fmean(len(stage.started) for stage in state.stages.values()) == 1
    busy = sum(cluster.busy) / (arguments.nodes * worked)
    memory = psutil.Process().memory_info().rss / 2**20
    rows = [
        ("trials", len(everything)),
        ("stages", len(state.stages)),
        ("wall, s", worked),
        ("until all was written down, s", written),
        ("GPU busy share", busy),
        ("the same if nothing but stages took time", best_share(in_order, lengths, arguments.nodes)),
        ("store calls a second", calls["store"] / worked),
        ("MLflow calls a second", calls["MLflow"] / written),
        ("memory of the search's process, MB", memory),
    ]
    Console().print(
        f"{arguments.nodes} simulated nodes; an intermediate stage takes {arguments.seconds:g} s on average"
    )
    report.show(report.machine(), ("what", "value"), rows)
    report.result(
        busy_share=busy,
        driver_mb=memory,
        store_calls_per_second=calls["store"] / worked,
        mlflow_calls_per_second=calls["MLflow"] / written,
    )


if __name__ == "__main__":
    report.run(main)
