"""What logging to MLflow costs a search with many trials at a time: the tracker's time beside the trials' own.

Events of trials that train for so many seconds, one evaluation every few of them, are delivered to a real MLflow server as a
search delivers them, in a thread of its own. The share is the CPU time of that thread over the time of all trials together.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import report
from benchmarks.servers import Server, free_port
from xit_ray.core.cost import Cost
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Space
from xit_ray.stages.records import Score, ScoresRecord, StageRecord
from xit_ray.stages.store import Store
from xit_ray.stages.work import PREDICTIONS
from xit_ray.track.events import (
    Event,
    SearchEnded,
    SearchStarted,
    StageName,
    StageProgress,
    StagePublished,
    StageStarted,
    TrialEnded,
    TrialScored,
    TrialStarted,
)
from xit_ray.track.journal import Journal, JournalReader
from xit_ray.track.mlflow_tracker import MLflowTracker
from xit_ray.track.state import State

LANGUAGES = ("en", "ar", "de", "es", "fr", "hi", "ru", "sw", "tr", "zh")

ROWS = 1000
"""Of each language, which a trial answers."""


def history(trials: int, evaluations: int, seconds: float) -> Iterator[Event]:
    """The events of trials that run beside one another."""
    begun = time.time() - seconds
    yield SearchStarted(run="tracking", search="tracking", time=begun)
    cost = Cost(seconds=seconds, device_seconds=seconds)
    names = [f"trial-{number}" for number in range(trials)]
    for number, name in enumerate(names):
        recipe = Recipe.model_validate({"stages": [{"mixture": "mini_nli", "seed": number}]})
        stages = (StageName(key=name, label="mini_nli"),)
        yield TrialStarted(trial=name, recipe=recipe, stages=stages, tests=("mini_nli",), reseeded=False, time=begun)
        yield StageStarted(trial=name, key=name, label="mini_nli", final=True, time=begun)
    for step in range(1, evaluations + 1):
        for name in names:
            yield StageProgress(
                trial=name, key=name, label="mini_nli", final=True, step=step, steps=evaluations, loss=1.0, dev=0.5,
                best=0.5, time=begun + seconds * step / evaluations,
            )  # fmt: skip
    record = StageRecord(
        label="mini_nli", search="tracking", start=None, dev=0.5, dev_rows=100, best_step=1, steps=evaluations, history=(),
        truncated=0, skipped_steps=0, out_of_memory=0, cost=cost,
    )  # fmt: skip
    scores = tuple(
        Score(task="mini_nli", language=language, metric="accuracy", value=0.5, low=0.4, high=0.6, n=100, majority=0.3,
              constant=False) for language in LANGUAGES
    )  # fmt: skip
    for name in names:
        yield StagePublished(trial=name, key=name, label="mini_nli", final=True, record=record)
        yield TrialScored(trial=name, key=name, record=ScoresRecord(checkpoint=name, scores=scores, cost=cost))
        yield TrialEnded(trial=name, error=None)
    yield SearchEnded(status="finished")


def answer(space: Space, trials: int) -> None:
    """Put what each trial answered into the store, which is attached to its run."""
    table = pa.table({"language": ROWS * list(LANGUAGES), "predicted": ROWS * len(LANGUAGES) * ["entailment"]})
    for number in range(trials):
        with tempfile.TemporaryDirectory() as files:
            pq.write_table(table, f"{files}/{PREDICTIONS}")
            Store(space.store_root).publish(f"trial-{number}", Path(files), {})


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """An MLflow server while the block runs; its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    words = ["--host", "127.0.0.1", "--port", str(port), "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    words += ["--artifacts-destination", f"{folder}/artifacts", "--workers", "1"]
    running = Server(["mlflow", "server", *words], f"{address}/health", folder)
    try:
        yield address
    finally:
        running.kill()


def main() -> None:
    """Deliver a search's events, and measure what that takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=16, help="at a time")
    parser.add_argument("--evaluations", type=int, default=20, help="of each trial")
    parser.add_argument("--seconds", type=float, default=60.0, help="that a trial takes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xit-tracking-") as name, server(Path(name)) as address:
        folder = Path(name)
        stages = [{"mixture": "mini_nli", "seed": {"grid": list(range(given.trials))}}]
        places = {"mlflow": address, "store": f"{folder}/store"}
        space = Space.model_validate({"name": "tracking", "recipe": {"stages": stages}, **places})
        answer(space, given.trials)
        Journal(folder).append(history(given.trials, given.evaluations, given.seconds))
        tracker, state, rows = MLflowTracker(space, folder), State(), dict[str, list[float]]()
        for event in JournalReader(folder / "events.jsonl").new_events():
            state.apply(event)
            wall, cpu = time.perf_counter(), time.thread_time()
            tracker.apply(event, state)
            taken = rows.setdefault(event.kind, [0.0, 0.0, 0.0])
            rows[event.kind] = [
                taken[0] + 1,
                taken[1] + time.perf_counter() - wall,
                taken[2] + time.thread_time() - cpu,
            ]
    table = [[kind, int(count), f"{wall:.2f}", f"{cpu:.2f}"] for kind, (count, wall, cpu) in rows.items()]
    report.show(f"{given.trials} trials of {given.seconds:.0f} s", ["event", "times", "seconds", "CPU seconds"], table)
    walls, cpus = (sum(row[place] for row in rows.values()) for place in (1, 2))
    total = given.trials * given.seconds
    report.result(logging_share=round(cpus / total, 4), delivery_share=round(walls / given.seconds, 3))


if __name__ == "__main__":
    report.run(main)
