"""The same records in PostgreSQL as in SQLite."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.track.test_tracker import history
from xit_ray.spec.space import Space
from xit_ray.track.delivery import delivering
from xit_ray.track.journal import Journal
from xit_ray.track.trackers import trackers_of

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROGRAMS, reason="there is no PostgreSQL (Debian: apt-get install postgresql)"),
]
PERSON = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
"""Who runs the server: it refuses to be root's."""


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an empty database on a server of its own."""
    folder, programs = tmp_path_factory.mktemp("postgres"), PROGRAMS[-1].parent
    for place in (folder, *folder.parents[:3]):
        place.chmod(0o777)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = [str(programs / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "xit", "--no-sync"]
    subprocess.run([*PERSON, *made], check=True, capture_output=True)
    server = subprocess.Popen(
        [
            *PERSON,
            str(programs / "postgres"),
            "-D",
            f"{folder}/data",
            "-p",
            str(port),
            "-k",
            str(folder),
            "-h",
            "127.0.0.1",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            ready = [str(programs / "pg_isready"), "-p", str(port), "-h", "127.0.0.1"]
            if subprocess.run(ready, capture_output=True).returncode == 0:
                break
            time.sleep(0.2)
        yield f"postgresql://xit@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait()


def _records(folder: Path, address: str) -> dict[str, tuple[str, dict[str, float], dict[str, str]]]:
    """By kind of run: status, metrics and parameters, after every event was delivered."""
    folder.mkdir()
    Journal(folder).append(history())
    recipe = {"stages": [{"mixture": "mini_nli"}]}
    space = Space.model_validate({"name": "tiny", "recipe": recipe, "mlflow": address})
    with delivering(trackers_of(space, folder), folder) as deliveries:
        pass
    assert [one.problem for one in deliveries] == [None]
    client = MlflowClient(address)
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 3
    return {
        run.data.tags["xit.kind"]: (
            run.info.status,
            run.data.metrics,
            {name: value for name, value in run.data.params.items() if name != "run"},
        )
        for run in runs
    }


def test_records_are_the_same_in_both(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where MLflow puts the files of a database without a server
    in_sqlite = _records(tmp_path / "one", f"sqlite:///{tmp_path}/mlflow.db")
    assert _records(tmp_path / "two", postgres) == in_sqlite
