"""More ways to search: Optuna on a conditional space with an MLflow server, a second study on the same store, a crash."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tests.search.searching import easy_data, mlflow_runs, of_kind, search, table, write_space

FAST = {"head_learning_rate": 1e-2, "batch_size": 16}
LANGUAGES = {"languages": ["en", "de"]}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A real MLflow tracking server."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    arguments = [
        "--backend-store-uri",
        f"sqlite:///{tmp_path}/server.db",
        "--artifacts-destination",
        str(tmp_path / "art"),
    ]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--workers",
            "1",
            *arguments,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/health", timeout=1)
            break
        except OSError:
            time.sleep(0.2)
    yield address
    subprocess.run(["pkill", "-g", str(process.pid)], check=False)
    process.wait()


def test_tpe_on_a_conditional_space_with_a_server(tiny_encoder: Path, tmp_path: Path, server: str) -> None:
    data = easy_data(tmp_path / "data")
    stages = [
        {"choice": [{"mixture": None}, {"mixture": "qqp", "learning_rate": {"loguniform": [1e-4, 1e-2]}, **FAST}]},
        {"mixture": "pawsx", "learning_rate": {"loguniform": [1e-4, 1e-2]}, **FAST},
    ]
    space = write_space(tmp_path, tiny_encoder, stages, search={"algorithm": "tpe", "trials": 4}, zero_shot=LANGUAGES)
    output = tmp_path / "runs"
    ended = search(str(space), "--data", str(data), "--output", str(output), "--mlflow-uri", server)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    trials = table(output / "tiny", "trials")
    assert len(trials) == 4
    assert {row["status"] for row in trials} == {"done"}
    assert len(of_kind(mlflow_runs(server), "trial")) == 4
    assert server in ended.stdout

    again = search("--resume", "tiny", "--output", str(output))
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(table(output / "tiny", "trials")) == 4  # nothing was left to do


def test_tpe_searches_the_front_of_english_dev_against_cost(tiny_encoder: Path, tmp_path: Path) -> None:
    data = easy_data(tmp_path / "data")
    stages = [
        {"mixture": {"choice": [None, "qqp"]}, **FAST},
        {"mixture": "pawsx", "learning_rate": {"loguniform": [1e-4, 1e-2]}, **FAST},
    ]
    asked = {"algorithm": "tpe", "trials": 3, "objective": "dev_against_gpu_hours"}
    space = write_space(tmp_path, tiny_encoder, stages, search=asked, zero_shot=LANGUAGES)
    ended = search(str(space), "--data", str(data), "--output", str(tmp_path / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    run = tmp_path / "runs/tiny"
    (study,) = optuna.get_all_study_summaries(JournalStorage(JournalFileBackend(str(run / "optuna.journal"))))
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    trials = optuna.load_study(
        study_name=study.study_name, storage=JournalStorage(JournalFileBackend(str(run / "optuna.journal")))
    ).get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    wanted = sorted((row["dev_en"], row["device_seconds"] / 3600) for row in table(run, "trials"))
    assert sorted(tuple(trial.values) for trial in trials) == [pytest.approx(pair) for pair in wanted]
    assert "English dev against cost" in (run / "report.html").read_text()


def test_a_second_study_takes_stages_from_the_store_and_a_crash_is_told(tiny_encoder: Path, tmp_path: Path) -> None:
    data, output = easy_data(tmp_path / "data"), tmp_path / "runs"
    stages = [{"mixture": "qqp", **FAST}, {"mixture": "pawsx", **FAST}]
    first = write_space(tmp_path, tiny_encoder, stages, zero_shot=LANGUAGES)
    assert search(str(first), "--data", str(data), "--output", str(output)).returncode == 0
    (shared,) = [row["stage"] for row in table(output / "tiny", "ledger") if row["role"] == "intermediate"]

    stages[1] = {"mixture": "pawsx", "learning_rate": {"grid": [1e-3, 2e-3]}, **FAST}
    write_space(tmp_path, tiny_encoder, stages, zero_shot=LANGUAGES)
    second = search(str(first), "--data", str(data), "--output", str(output))
    assert second.returncode == 0, second.stdout + second.stderr
    ledger = {row["stage"]: row for row in table(output / "tiny-2", "ledger")}
    assert ledger[shared]["trainings_begun"] == 0
    assert len(ledger[shared]["reused_by"]) == 2

    for weights in (output / "store/objects" / shared).glob("*/weights.safetensors"):
        weights.write_bytes(b"damaged")
    stages[1] = {"mixture": "pawsx", "learning_rate": 5e-3, **FAST}
    write_space(tmp_path, tiny_encoder, stages, zero_shot=LANGUAGES, resources={"retries": 0})
    third = search(str(first), "--data", str(data), "--output", str(output))
    assert third.returncode == 1
    assert "weights.safetensors: is damaged" in third.stdout
    assert "Traceback" not in third.stdout + third.stderr
    assert "--resume" in third.stdout
    failed = [r for r in mlflow_runs(f"sqlite:///{output}/mlflow.db") if r.data.tags["xit.run"] == "tiny-3"]
    assert {r.info.status for r in failed} == {"FAILED"}
