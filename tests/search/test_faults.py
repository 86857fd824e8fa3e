"""Workers and trials killed at random moments: the search goes on where it was, and ends as if nothing had happened."""

import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.search.searching import environment, events, mlflow_runs, of_kind, search, table, typed, write_space
from tests.seed import rng
from xit_ray.track.events import StageProgress

pytestmark = pytest.mark.slow
STAGES = [
    {
        "mixture": {"grid": [None, {"task": "mini_nli", "examples": 480}]},
        "batch_size": 8,
        "epochs": 12,
        "evaluations": 20,
    },
    {"mixture": {"task": "mini_paraphrase", "examples": 480}, "epochs": 4},
]
ZERO_SHOT = {"languages": ["en", "de"]}
RESOURCES = {"retries": 6, "snapshot_minutes": 0.005}
KILLED = ("ray::RayTrainWorker", "ray::_WorkerPool", "ray::ImplicitFunc")
"""A run's worker, the process that keeps the runs, and a trial's driver."""


@pytest.fixture(scope="module")
def undisturbed(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    space = write_space(folder, tiny_encoder, STAGES, zero_shot=ZERO_SHOT)
    ended = search(str(space), "--output", str(folder / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder / "runs/tiny"


def _strike(process: psutil.Process, name: str) -> bool:
    """Kill one process of a name below a process, if there is one."""
    for child in process.children(recursive=True):
        try:
            if " ".join(child.cmdline()).startswith(name):
                child.kill()
                return True
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return False


def _progress(run: Path) -> list[StageProgress]:
    """Of the intermediate stage, which is the longest."""
    return [event for event in events(run) if event.kind == "stage_progress" and not event.final]


def test_killed_workers_and_trials_change_nothing(undisturbed: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    space = write_space(tmp_path, tiny_encoder, STAGES, zero_shot=ZERO_SHOT, resources=RESOURCES)
    output = tmp_path / "runs"
    driver = subprocess.Popen(
        typed(str(space), "--output", str(output)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    left, chance, run = list(KILLED), rng("faults"), output / "tiny"
    while left and driver.poll() is None:
        if len(_progress(run)) >= 3:
            time.sleep(chance.uniform(0.0, 1.0))
            if _strike(psutil.Process(driver.pid), left[0]):
                left.pop(0)
        time.sleep(0.1)
    printed, complained = driver.communicate(timeout=400)
    assert driver.returncode == 0, printed + complained
    assert not left, "the search ended before it could be disturbed"

    published = [event.key for event in events(run) if event.kind == "stage_published"]
    assert len(published) == len(set(published))
    assert {row["status"] for row in table(run, "trials")} == {"done"}
    assert table(run, "matrix") == table(undisturbed, "matrix")
    scores = [sorted(map(str, table(folder, "scores"))) for folder in (run, undisturbed)]
    assert scores[0] == scores[1]
    runs = mlflow_runs(f"sqlite:///{output}/mlflow.db")
    assert (len(of_kind(runs, "trial")), len(of_kind(runs, "search"))) == (2, 1)
    assert {mirrored.info.status for mirrored in runs} == {"FINISHED"}

    # The stage whose worker was killed went on from its snapshot, and no evaluation was made twice.
    begun = [event for event in events(run) if event.kind == "stage_started"]
    progress = _progress(run)
    key = progress[0].key
    again = [event.time for event in begun if event.key == key][1]
    first = next(event for event in progress if event.time > again)
    assert first.step > progress[1].step
    (record,) = [event.record for event in events(run) if event.kind == "stage_published" and event.key == key]
    history = [point.step for point in record.history]
    assert history == sorted(set(history))
    assert not list((output / "store/partial").glob("*"))
