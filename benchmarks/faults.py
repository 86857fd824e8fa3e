"""Faults at random moments of many small searches: what is lost, trained twice, or recorded twice.

Each search has its stages on a server that speaks S3, behind a line that can be cut, and its records on an MLflow server.
While it runs, something is killed or cut every few seconds: a trial's driver, a worker, the process that starts workers, the
coordinator, the search itself (which is then resumed), the MLflow server (which comes back), the line to the store; or a
second search for the same stages begins, which the next fault kills, so that it leaves stale leases. At the end everything
is compared with one search that nobody disturbed.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import yaml
from mlflow import MlflowClient
from pyarrow import fs

from benchmarks import report
from benchmarks.overhead import tiny_encoder
from benchmarks.servers import Line, Server, free_port
from xit_ray.track.events import StageProgress, StagePublished, TrialScored
from xit_ray.track.journal import Journal
from xit_ray.track.mlflow_client import connect

ROOT = Path(__file__).parent.parent
PROCESSES = {
    "driver": "ray::ImplicitFunc",
    "worker": "ray::RayTrainWorker",
    "worker pool": "ray::_WorkerPool",
    "coordinator": "ray::_Coordinator",
}
"""What is killed, by its title."""
LINE = {"store cut": "cut", "store answers 503": "refused", "store is slow": "slow"}
SECOND = "second search"
KINDS = (*PROCESSES, "search", SECOND, "MLflow server", *LINE)
HUNG_SECONDS = 300.0
"""A search in whose journal nothing has happened for this long hangs."""
CUT_SECONDS = 4.0
SECOND_SECONDS = 12.0
"""Until a second search is at work."""


def stages(epochs: float) -> list[dict[str, Any]]:
    """A small recipe's, each of so many epochs."""
    targets = [{"task": task, "examples": 200} for task in ("mini_paraphrase", "mini_roles")]
    return [
        {"mixture": {"grid": [None, {"task": "mini_nli", "examples": 400}]}, "epochs": epochs, "evaluations": 12},
        {"mixture": {"grid": targets}, "epochs": epochs},
    ]


class Bench:
    """Runs searches and disturbs them.

    Args:
        folder: for everything.
        chance: draws what is done when.
        epochs: of each stage.
        stack: ends the servers.
    """

    def __init__(self, folder: Path, chance: random.Random, epochs: float, stack: ExitStack) -> None:
        self.folder, self.chance, self.epochs = folder, chance, epochs
        s3, mlflow = free_port(), free_port()
        self.store = Server(["moto.server", "-p", str(s3)], f"http://127.0.0.1:{s3}/moto-api/", folder)
        backend = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "1"]
        backend += ["--artifacts-destination", f"{folder}/artifacts"]
        self.address = f"http://127.0.0.1:{mlflow}"
        words = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(mlflow), *backend]
        self.mlflow = Server(words, f"{self.address}/health", folder)
        for server in (self.store, self.mlflow):
            stack.callback(server.kill)
        self.line = Line(s3)
        self.environment = os.environ | {
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.line.port}",
            "OMP_NUM_THREADS": "1",
        }
        endpoint = f"http://127.0.0.1:{s3}"
        made = fs.S3FileSystem(access_key="x", secret_key="x", endpoint_override=endpoint, allow_bucket_creation=True)
        made.create_dir("stages")
        self.model = str(tiny_encoder(folder / "model"))
        self.done: Counter[str] = Counter()
        """Faults so far, by kind."""
        self.hung = 0
        self.second: subprocess.Popen[bytes] | None = None
        """The second search for the same stages, where there is one."""

    def start(self, name: str, *words: str) -> "subprocess.Popen[bytes]":
        """Start the search command; what it says goes to a file of that name."""
        with (self.folder / f"{name}.log").open("a") as log:
            command = [sys.executable, "-m", "xit_ray.search", *words, "--output", str(self.folder / "runs")]
            return subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
            )

    def published(self, name: str) -> list[str]:
        """Keys of the stages that a search and the second ones beside it published."""
        folders = [self.folder / "runs" / name, *(self.folder / "runs").glob(f"{name}-second*")]
        return [one.key for folder in folders for one in Journal(folder).read() if isinstance(one, StagePublished)]

    def search(self, name: str, faults: int) -> Path:
        """Run a search to its end, with so many faults on the way; the folder of its run."""
        space = {
            "name": name,
            "recipe": {"model": self.model, "stages": stages(self.epochs)},
            "zero_shot": {"languages": ["en", "de"]},
            "resources": {"runs": 2, "retries": 100, "snapshot_minutes": 0.02},
            "store": f"s3://stages/{name}",
            "mlflow": self.address,
        }
        file, folder = self.folder / f"{name}.yaml", self.folder / "runs" / name
        file.write_text(yaml.safe_dump(space))
        left = faults
        while True:
            process = self.start(name, *(["--resume", name] if folder.exists() else [str(file)]))
            left = self._disturb(process, folder, left)
            if process.wait() == 0:
                self._end_second()
                return folder

    def _disturb(self, process: "subprocess.Popen[bytes]", folder: Path, left: int) -> int:
        """Do harm until the process has ended; how many faults are still to come."""
        next_fault = time.monotonic() + self.chance.uniform(1, 6)
        journal, changed, size = folder / "events.jsonl", time.monotonic(), -1
        while process.poll() is None:
            time.sleep(0.2)
            now_size = journal.stat().st_size if journal.exists() else -1
            if now_size != size:
                size, changed = now_size, time.monotonic()
            if time.monotonic() - changed > HUNG_SECONDS:
                self.hung += 1
                _kill_all(process)
            elif left and now_size > 0 and time.monotonic() > next_fault:
                left -= self._harm(process, folder.name)
                next_fault = time.monotonic() + self.chance.uniform(1, 6)
        return left

    def _end_second(self) -> None:
        if self.second is not None:
            _kill_all(self.second)
            self.second = None

    def _harm(self, process: "subprocess.Popen[bytes]", name: str) -> int:
        """Do one harm, if there is what it is done to; how many were done."""
        self._end_second()
        kind = self.chance.choice(KINDS)
        if kind in PROCESSES and not _kill_one(process.pid, PROCESSES[kind]):
            return 0
        if kind == "search":
            _kill_all(process)
        elif kind == SECOND:
            second = f"{name}-second-{self.done[kind]}"
            self.second = self.start(second, str(self.folder / f"{name}.yaml"), "--set", f"name={second}")
            time.sleep(SECOND_SECONDS)
        elif kind == "MLflow server":
            self.mlflow.kill()
            time.sleep(self.chance.uniform(0, 3))
            self.mlflow.process = self.mlflow.start()
        elif kind in LINE:
            with self.line.broken(LINE[kind]):
                time.sleep(CUT_SECONDS)
        self.done[kind] += 1
        return 1


def _kill_one(parent: int, title: str) -> bool:
    """Kill a process of a title below another one, if there is any."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(parent).children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if " ".join(child.cmdline()).startswith(title):
                    child.kill()
                    return True
    return False


def _kill_all(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and all below it, as a machine that loses its power does."""
    with suppress(psutil.NoSuchProcess):
        below = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in below:
            with suppress(psutil.NoSuchProcess):
                child.kill()
    process.wait()


def scores(folder: Path) -> list[tuple[str, ...]]:
    """Every score of a run, in one order."""
    rows = pq.read_table(folder / "scores.parquet").to_pylist()
    return sorted(tuple(f"{row[name]}" for name in ("trial", "task", "language", "metric", "value")) for row in rows)


def recorded(client: MlflowClient, folder: Path) -> tuple[int, int]:
    """Runs and points that MLflow has more than once, and those that it lacks of what the journal has."""
    events = list(Journal(folder).read())
    experiment = client.get_experiment_by_name(folder.name)
    runs = client.search_runs([experiment.experiment_id], max_results=1000) if experiment else []
    by_trial = Counter(run.data.tags.get("xit.key", "search") for run in runs)
    trials = {event.trial for event in events if isinstance(event, TrialScored)}
    doubled = sum(count - 1 for count in by_trial.values())
    lost = len(trials - by_trial.keys()) + ("search" not in by_trial)
    of_trial = {run.data.tags.get("xit.key"): run for run in runs}
    wanted: dict[str, set[int]] = {}
    for event in events:
        if isinstance(event, StageProgress) and event.final and event.dev is not None and event.trial in of_trial:
            wanted.setdefault(event.trial, set()).add(event.step)
    for trial, steps in wanted.items():
        run = of_trial[trial]
        curve = next((name for name in run.data.metrics if name.startswith("dev/en/")), None)
        points = [point.step for point in client.get_metric_history(run.info.run_id, curve)] if curve else []
        doubled += len(points) - len(set(points))
        lost += len(steps - set(points))
    return doubled, lost


def main() -> None:
    """Disturb searches until there were enough faults, and count what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="faults in all")
    parser.add_argument("--faults", type=int, default=8, help="faults per search")
    parser.add_argument("--minutes", type=float, default=120.0, help="begin no more searches after so long")
    parser.add_argument("--epochs", type=float, default=12, help="of each stage: how long a search lasts")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began, chance = time.monotonic(), random.Random(given.seed)
    totals: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="xit-faults-") as name, ExitStack() as stack:
        bench = Bench(Path(name), chance, given.epochs, stack)
        undisturbed = scores(bench.search("undisturbed", 0))
        client, searches = connect(bench.address), 0
        while sum(bench.done.values()) < given.kills and time.monotonic() - began < 60 * given.minutes:
            searches += 1
            run = bench.search(f"search-{searches}", min(given.faults, given.kills - sum(bench.done.values())))
            published = bench.published(run.name)
            doubled, lost = recorded(client, run)
            totals["lost_trials"] += len(undisturbed) and len(
                {row[0] for row in undisturbed} - {r[0] for r in scores(run)}
            )
            totals["other_scores"] += scores(run) != undisturbed
            totals["stages_trained_twice"] += len(published) - len(set(published))
            totals["mlflow_doubled"] += doubled
            totals["mlflow_lost"] += lost
            print(json.dumps({"search": searches, "faults": dict(bench.done), **totals}), file=sys.stderr, flush=True)
        rows = [[kind, bench.done[kind]] for kind in KINDS]
    keys = ("lost_trials", "other_scores", "stages_trained_twice", "mlflow_doubled", "mlflow_lost")
    report.show(f"Faults during {searches} searches", ["fault", "times"], rows)
    report.result(kills=sum(bench.done.values()), hung=bench.hung, **{key: totals[key] for key in keys})


if __name__ == "__main__":
    report.run(main)
