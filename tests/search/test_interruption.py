"""Ctrl-C and a polite kill: the search ends with honest states and says how to go on, and a resume finishes it."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.search.searching import (
    command,
    easy_data,
    environment,
    events,
    mlflow_runs,
    of_kind,
    search,
    table,
    write_space,
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_is_killed_and_resumed_is_finished(tiny_encoder: Path, tmp_path: Path, number: int) -> None:
    data, output = easy_data(tmp_path / "data"), tmp_path / "runs"
    stages = [{"mixture": "pawsx", "learning_rate": {"grid": [1e-3, 2e-3, 3e-3, 4e-3]}, "batch_size": 8}]
    space = write_space(tmp_path, tiny_encoder, stages, resources={"runs": 1}, zero_shot={"languages": ["en", "de"]})
    driver = subprocess.Popen(
        command(str(space), "--data", str(data), "--output", str(output)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    deadline = time.monotonic() + 200
    while not any(event.kind == "trial_ended" for event in events(output / "tiny")):
        assert time.monotonic() < deadline
        assert driver.poll() is None
        time.sleep(0.2)
    driver.send_signal(number)
    printed, complained = driver.communicate(timeout=120)
    assert driver.returncode == 130
    assert f"go on with --resume {output}/tiny" in printed
    assert complained == ""
    runs = mlflow_runs(f"sqlite:///{output}/mlflow.db")
    assert {run.info.status for run in of_kind(runs, "search")} == {"KILLED"}
    assert "RUNNING" not in {run.info.status for run in runs}

    resumed = search("--resume", "tiny", "--output", str(output))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    runs = mlflow_runs(f"sqlite:///{output}/mlflow.db")
    assert (len(of_kind(runs, "trial")), {run.info.status for run in runs}) == (4, {"FINISHED"})
    assert {row["status"] for row in table(output / "tiny", "trials")} == {"done"}
