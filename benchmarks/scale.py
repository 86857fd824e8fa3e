"""A cluster of 100 one-GPU nodes and 1,000 trials, with stages that sleep: is anything but the GPUs in the way?

Real: the plan and its order, the coordinator (a Ray actor) with its job queue, the drivers' waiting, claiming and
submitting, the stage store on disk, the journal, MLflow on SQLite. Simulated: drivers and worker groups are threads of one
process, and stages sleep on a clock that is compressed, so that a second of real overhead counts for as many simulated ones.
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
from xit_ray.core.cost import Cost
from xit_ray.data.source import Source
from xit_ray.plan.forecast import Forecast
from xit_ray.plan.planner import Planner
from xit_ray.plan.schedule import simulate
from xit_ray.plan.trial import Trial
from xit_ray.plan.trie import Node, in_good_order, trie
from xit_ray.search import coordinator, driver, runtime
from xit_ray.search.event_relay import EventRelay
from xit_ray.search.tuning import SPARE_DRIVERS
from xit_ray.search.worker import IDLE_SECONDS
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.space import Resources, Space
from xit_ray.stages.leases import Leases
from xit_ray.stages.records import Score, ScoresRecord, StageRecord, scores_record, stage_record
from xit_ray.stages.store import Store
from xit_ray.track.delivery import delivering
from xit_ray.track.events import (
    SearchStarted,
    StageName,
    StageProgress,
    StagePublished,
    StageReused,
    StageStarted,
    TrialEnded,
    TrialScored,
    TrialStarted,
)
from xit_ray.track.journal import Journal
from xit_ray.track.mlflow_tracker import MLflowTracker
from xit_ray.track.state import State

COST = Cost(seconds=1.0, device_seconds=1.0, gpu_hours=1.0, tokens=1, flops=1.0)
POOL = "benchmark"


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
    mlflow = f"sqlite:///{folder}/mlflow.db"
    return Space.model_validate({"name": "scale", "recipe": recipe, "output": str(folder), "mlflow": mlflow})


def real_lengths(trials: list[Trial], nodes: dict[str, Node]) -> dict[str, float]:
    """How long every stage and scoring takes, intermediates 1 on average and targets half of that: as its steps say, give
    or take a fifth, as forecasts do."""
    rng = random.Random(0)
    lengths: dict[str, float] = {}
    for place, mean in enumerate((1.0, 0.5)):
        steps = {
            key: nodes[key].training.steps for key in dict.fromkeys(trial.trainings[place].key for trial in trials)
        }
        whole = statistics.fmean(steps.values())
        lengths |= {key: mean * count / whole * rng.uniform(0.8, 1.2) for key, count in steps.items()}
    return lengths | {trial.evaluation.key: rng.uniform(0.08, 0.12) for trial in trials}


def best_share(trials: list[Trial], lengths: dict[str, float], nodes: int) -> float:
    """GPU busy share of the same order where nothing takes time beside the stages."""
    needed = {t.key: [*(training.key for training in t.trainings), t.evaluation.key] for t in trials}
    order = [trial.key for trial in trials]
    return simulate(Forecast(len(trials), {}, needed, {}), lengths.__getitem__, nodes, order).busy


@dataclass
class Cluster:
    """Worker groups whose stages sleep, and how long each GPU was used."""

    actor: Any
    store: Any
    second: float
    lengths: dict[str, float]
    busy: list[float] = field(default_factory=list)

    def sleep(self, length: float) -> None:
        """Use a GPU."""
        time.sleep(length * self.second)
        self.busy.append(length * self.second)  # waking late is not work

    def run(self, trials: dict[str, Trial], nodes: int) -> None:
        """What the process that starts worker groups does, until the coordinator is no more."""
        ray.get(self.actor.register_pool.remote(POOL))
        with ThreadPoolExecutor(nodes) as groups, contextlib.suppress(ActorDiedError):
            while True:
                added = ray.get(self.actor.next_group.remote(POOL, nodes))
                if added is not None:
                    groups.submit(self.group, added[0], trials)

    def group(self, name: str, trials: dict[str, Trial]) -> None:
        """What a group's worker does, until there are no more jobs."""
        message = None
        try:
            while (job := ray.get(self.actor.claim_job.remote(name, IDLE_SECONDS))) is not None:
                self.work(trials[job["trial"]], job["owner"], job["leased"])
                ray.get(self.actor.complete.remote(name))
        except Exception as error:  # noqa: BLE001 - the trial whose job it was raises it
            message = repr(error)
        ray.get(self.actor.remove_group.remote(name, message))

    def work(self, trial: Trial, owner: str, leased: list[str]) -> None:
        """A trial's job."""
        emit = coordinator.emitter(self.actor)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "weights").touch()
            for training in trial.trainings:
                if training.key not in leased:
                    continue
                final = training is trial.trainings[-1]
                about: dict[str, Any] = {
                    "trial": trial.key,
                    "key": training.key,
                    "label": training.label,
                    "final": final,
                }
                emit(StageStarted(**about))
                for step in range(1, 5):
                    self.sleep(self.lengths[training.key] / 4)
                    progress = StageProgress(**about, step=step, steps=4, loss=1.0, dev=0.5, best=0.5)
                    self.actor.proceed.remote(owner, progress)
                record = StageRecord(
                    label=training.label, search="", start=training.start, dev=0.5, dev_rows=1, best_step=4, steps=4,
                    history=(), truncated=0, skipped_steps=0, out_of_memory=0, cost=COST,
                )  # fmt: skip
                self.store.publish(training.key, Path(folder), record.model_dump(mode="json"))
                emit(StagePublished(**about, record=record))
                ray.get(self.actor.release.remote(owner, training.key))
            self.sleep(self.lengths[trial.evaluation.key])
            scores = tuple(
                Score(task=trial.cell.target, language=language, metric="accuracy", value=0.5, low=0.4, high=0.6, n=200,
                      majority=0.5, constant=False)
                for language in trial.evaluation.languages[trial.cell.target]
            )  # fmt: skip
            scored = ScoresRecord(checkpoint=trial.trainings[-1].key, scores=scores, cost=COST)
            self.store.publish(trial.evaluation.key, Path(folder), scored.model_dump(mode="json"))


def drive(trial: Trial, store: Any, actor: Any) -> None:
    """What a trial's driver does."""
    emit = coordinator.emitter(actor)
    stages = tuple(StageName(key=training.key, label=training.label) for training in trial.trainings)
    emit(
        TrialStarted(trial=trial.key, recipe=trial.recipe, stages=stages, tests=trial.evaluation.tests, reseeded=False)
    )
    leases = Leases(store, "scale")
    with driver._renewed(actor, trial.key, leases):
        leased = driver._claim_missing(actor, leases, trial, trial.key, emit)
        for training in (training for training in trial.trainings if training.key not in leased):
            about: dict[str, Any] = {"trial": trial.key, "key": training.key, "label": training.label, "final": False}
            record = stage_record(store, training.key)
            assert record is not None
            emit(StageReused(**about, record=record))
        for _ in driver.reports(actor, trial.key, {"trial": trial.key, "owner": trial.key, "leased": leased}):
            pass
        scored = scores_record(store, trial.evaluation.key)
        assert scored is not None
        emit(TrialScored(trial=trial.key, key=trial.evaluation.key, record=scored))
    ray.get(actor.cancel.remote(trial.key))
    emit(TrialEnded(trial=trial.key, error=None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=12.0, help="real seconds of an intermediate stage, on average")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="xit-scale-"))
    space = the_space(folder, arguments.trials)
    planner = Planner(space, Source("none"), "scale")
    everything = [planner.trial(recipe) for recipe in listed_recipes(space)][: arguments.trials]
    nodes = trie(everything)
    in_order = in_good_order(everything, nodes)
    lengths = real_lengths(everything, nodes)
    calls: Counter[str] = Counter()
    with runtime.running(Resources()):
        actor = coordinator.start("scale", None, resources={runtime.DRIVERS: 1})
        journal, state = Journal(folder), State()
        tracker = MLflowTracker(space, folder)
        tracker.runs.client = Counting(tracker.runs.client, calls, "MLflow")  # type: ignore[assignment]
        journal.append([SearchStarted(run="scale", search="scale")])
        store = Counting(Store(str(folder / "store")), calls, "store")
        cluster = Cluster(actor, store, arguments.seconds, lengths)
        by_key = {trial.key: trial for trial in in_order}
        pool = threading.Thread(target=cluster.run, args=(by_key, arguments.nodes))
        began = time.monotonic()
        pool.start()
        try:
            with (
                delivering({"mlflow": tracker}, folder) as (delivery,),
                EventRelay(lambda: ray.get(actor.drain.remote()), journal, state, [lambda event: delivery.wake()]),
                ThreadPoolExecutor(arguments.nodes + SPARE_DRIVERS) as drivers,
            ):
                for trial in [drivers.submit(drive, trial, store, actor) for trial in in_order]:
                    trial.result()
                worked = time.monotonic() - began
            written = time.monotonic() - began
        finally:
            ray.kill(actor)
            pool.join()
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
