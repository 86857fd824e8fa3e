"""Running real searches from the tests, on a tiny encoder and small data: on one Ray for many, or as a user types them."""

import functools
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.running import Ended, run
from tests.search import zygote
from xit_ray.track.events import Event
from xit_ray.track.journal import Journal

ROOT = Path(__file__).parent.parent.parent


def write_space(folder: Path, model: Path, stages: list[dict[str, Any]], **more: Any) -> Path:
    """A space file for the tiny encoder; one run at a time unless ``resources`` says otherwise."""
    tree = {"name": "tiny", "recipe": {"model": str(model), "stages": stages}, **more}
    tree["resources"] = {"runs": 1} | tree.get("resources", {})
    file = folder / "space.yaml"
    file.write_text(yaml.safe_dump(tree))
    return file


def search(*arguments: str) -> Ended:
    """The search command in this process, on the Ray that it has joined: starting one takes longer than a small search."""
    join_ray()
    return run("xit_ray.search", *arguments)


@functools.cache
def join_ray() -> None:
    """Start Ray for all searches of this process; it ends with it."""
    os.environ |= environment()
    from xit_ray.search import runtime

    zygote.fork_processes()

    runtime.ray.init(
        address="local",
        resources={runtime.DRIVERS: runtime.DRIVER_SLOTS, runtime.SINGLE_MACHINE: 1},
        namespace="xit_ray",
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
    )


def command(*arguments: str, module: str = "tests.search.with_forks") -> list[str]:
    """The search in a process of its own, with a Ray of its own whose workers are forks."""
    return [sys.executable, "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Of a process that is started for a test."""
    zygote.start()
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def typed(*arguments: str) -> list[str]:
    """What a user types: nothing is forked."""
    return command(*arguments, module="xit_ray.search")


def on_cluster(address: str, space: Path, output: Path) -> "subprocess.Popen[str]":
    """What a user types on a cluster's head, at work; all it says is on its standard output."""
    return subprocess.Popen(
        typed(str(space), "--output", str(output)),
        env={**environment(), "RAY_ADDRESS": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def begun(run: Path) -> list[float]:
    """When training began, or went on, by a run's journal."""
    return [event.time for event in events(run) if event.kind == "stage_started"]


def ran(words: list[str]) -> "subprocess.CompletedProcess[str]":
    """The end of a search in a process of its own."""
    return subprocess.run(words, capture_output=True, text=True, timeout=400, env=environment())


def events(run: Path) -> list[Event]:
    return list(Journal(run).read())


def table(run: Path, name: str) -> list[dict[str, Any]]:
    return list(pq.read_table(run / f"{name}.parquet").to_pylist())


def mlflow_runs(address: str, experiment: str = "tiny") -> list[Run]:
    client = MlflowClient(address)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return list(client.search_runs([found.experiment_id], max_results=1000))


def of_kind(runs: list[Run], kind: str) -> list[Run]:
    return [run for run in runs if run.data.tags.get("xit.kind") == kind]


def easy_data(
    folder: Path, languages: tuple[str, ...] = ("en", "de", "es", "fr", "ja", "ko", "zh"), seed: int = 0
) -> Path:
    """A folder with a PAWS-X that a tiny encoder learns at once, and a QQP: the words tell the label.

    ``seed`` draws the labels of the test files in languages other than English: they say nothing about the words.
    """
    rng = random.Random(0)

    def rows(count: int, source: random.Random | None) -> str:
        lines = []
        for number in range(count):
            label = rng.randint(0, 1)
            words = " ".join(rng.choices(("bought", "sold") if label else ("table", "garden"), k=5))
            written = source.randint(0, 1) if source else label
            lines.append(f"the {words}\tthe {words} {rng.random():.9f} {number}\t{written}\n")  # no row twice
        return "".join(lines)

    other = random.Random(seed)
    for name, count in (("qqp/train.tsv", 96), ("qqp/dev.tsv", 40), ("pawsx/train-en.tsv", 160)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(rows(count, None))
    for language in languages:
        (folder / f"pawsx/dev-{language}.tsv").write_text(rows(40, None if language == "en" else other))
    return folder
