"""The machine that a search runs on is lost with everything on it: another one goes on from what is in the store."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.search.searching import command, environment, events, mlflow_runs, of_kind, ran, search, table, write_space

pytestmark = pytest.mark.slow
STAGES = [
    {"mixture": {"grid": [None, {"task": "mini_nli", "examples": 96}]}},
    {
        "mixture": {"task": "mini_paraphrase", "examples": 480},
        "epochs": 2,
        "learning_rate": {"grid": [1e-4, 1e-3, 1e-2]},
    },
]
ZERO_SHOT = {"languages": ["en", "de"]}


def test_a_lost_head_is_replaced_by_another(tiny_encoder: Path, s3: str, tmp_path: Path) -> None:
    (tmp_path / "undisturbed").mkdir()
    space = write_space(tmp_path / "undisturbed", tiny_encoder, STAGES, zero_shot=ZERO_SHOT)
    ended = search(str(space), "--output", str(tmp_path / "undisturbed/runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr

    store, lost, other = f"{s3}/{tmp_path.name}", tmp_path / "lost", tmp_path / "other"
    space = write_space(tmp_path, tiny_encoder, STAGES, zero_shot=ZERO_SHOT, store=store)
    driver = subprocess.Popen(command(str(space), "--output", str(lost)), env=environment(), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 200
    while not any(event.kind == "trial_ended" for event in events(lost / "tiny")):
        assert time.monotonic() < deadline
        assert driver.poll() is None
        time.sleep(0.1)
    written = events(lost / "tiny")
    time.sleep(5)  # the mirror is at most so late
    assert driver.poll() is None
    driver.kill()
    driver.wait()
    shutil.rmtree(lost)

    # In processes of their own: a Ray that the tests share may have been started before the store's address was known.
    resumed = ran(command("--resume", f"{store}/runs/tiny", "--output", str(other)))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    run = other / "tiny"
    assert events(run)[: len(written)] == written
    begun = [event.key for event in events(run) if event.kind == "stage_published"]
    assert len(begun) == len(set(begun))
    assert [row["published"] for row in table(run, "ledger")] == [True] * 7
    assert table(run, "matrix") == table(tmp_path / "undisturbed/runs/tiny", "matrix")
    runs = mlflow_runs(f"sqlite:///{other}/mlflow.db")  # made anew: the database was lost too
    assert {one.info.status for one in runs} == {"FINISHED"}
    assert (len(of_kind(runs, "trial")), len(of_kind(runs, "search"))) == (6, 1)
    # The name is taken, on whatever machine.
    again = ran(command(str(space), "--output", str(tmp_path / "third")))
    assert again.returncode == 0, again.stdout + again.stderr
    assert (tmp_path / "third/tiny-2/report.html").is_file()


def test_a_run_that_is_being_worked_on_is_refused_in_a_line(tiny_encoder: Path, tmp_path: Path) -> None:
    space = write_space(tmp_path, tiny_encoder, STAGES, zero_shot=ZERO_SHOT)
    output = tmp_path / "runs"
    driver = subprocess.Popen(
        command(str(space), "--output", str(output)), env=environment(), stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 100
        while not events(output / "tiny"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        refused = search("--resume", str(output / "tiny"))
        assert refused.returncode == 2
        assert refused.stderr.splitlines()[-1].startswith(f"error: {output}/tiny: process {driver.pid} on ")
        assert driver.wait(200) == 0
    finally:
        driver.kill()
    assert {one.info.status for one in mlflow_runs(f"sqlite:///{output}/mlflow.db")} == {"FINISHED"}
