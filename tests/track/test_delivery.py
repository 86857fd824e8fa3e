"""A tracker that is slow, that fails, or whose server is away costs only delay: nothing lost, doubled, out of order."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from mlflow import MlflowClient

from xit_ray.core.cost import Cost
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Space
from xit_ray.track import delivery
from xit_ray.track.delivery import Delivery, delivering
from xit_ray.track.events import Event, SearchEnded, SearchStarted, StageName, StageProgress, TrialEnded, TrialStarted
from xit_ray.track.journal import Journal
from xit_ray.track.state import State
from xit_ray.track.trackers import trackers_of

RECIPE = Recipe.model_validate({"stages": [{"mixture": "mini_nli"}]})
STAGES = (StageName(key="target-key", label="mini_nli"),)
STEPS = 12
ABOUT = {"trial": "trial-key", "key": "target-key", "label": "mini_nli", "final": True}


def history() -> list[Event]:
    """A search of one trial that has been scored on English dev after every step."""
    events: list[Event] = [
        SearchStarted(run="run", search="s"),
        TrialStarted(trial="trial-key", recipe=RECIPE, stages=STAGES, tests=("mini_nli",), reseeded=False),
    ]
    for step in range(1, STEPS + 1):
        events.append(
            StageProgress(**ABOUT, step=step, steps=STEPS, loss=1.0, dev=step / STEPS, best=step / STEPS)  # type: ignore[arg-type]
        )
    events += [TrialEnded(trial="trial-key", error=None), SearchEnded(status="finished")]
    return [event.model_copy(update={"time": 1e9 + number}) for number, event in enumerate(events)]


class Flaky:
    """Takes every third call, and notes what the state was."""

    def __init__(self) -> None:
        self.calls = 0
        self.seen: list[tuple[Event, int]] = []

    def apply(self, event: Event, state: State) -> None:
        self.calls += 1
        if self.calls % 3:
            raise ConnectionError("away")
        self.seen.append((event, state.trials["trial-key"].step if state.trials else 0))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(delivery, "LONGEST_PAUSE_SECONDS", 0.5)
    monkeypatch.setattr(delivery, "PATIENCE_SECONDS", 2.0)


def test_what_is_not_taken_comes_again_in_order_with_the_state_of_its_time(tmp_path: Path, quick: None) -> None:
    journal, tracker = Journal(tmp_path), Flaky()
    with delivering({"flaky": tracker}, tmp_path) as (one,):
        for event in history():  # one by one, while the tracker is behind
            journal.append([event])
            one.wake()
    steps = [event.step if isinstance(event, StageProgress) else 0 for event in history()[:-2]] + [STEPS, STEPS]
    assert tracker.seen == list(zip(history(), steps, strict=True))
    assert one.problem is None


def test_a_process_that_goes_on_delivers_the_rest_alone(tmp_path: Path, quick: None) -> None:
    journal, first, second = Journal(tmp_path), Flaky(), Flaky()
    journal.append(history()[:5])
    with delivering({"flaky": first}, tmp_path):
        pass
    journal.append(history()[5:])
    with delivering({"flaky": second}, tmp_path):
        pass
    assert [event for event, _ in first.seen + second.seen] == history()


def test_a_tracker_that_never_answers_is_given_up_and_said(tmp_path: Path, quick: None) -> None:
    class Gone:
        def apply(self, event: Event, state: State) -> None:
            raise ConnectionError("no route\nto host")

    Journal(tmp_path).append(history())
    began = time.monotonic()
    with delivering({"gone": Gone()}, tmp_path) as (one,):
        pass
    assert one.problem == "ConnectionError: no route to host"
    assert one.delivered == 0
    assert time.monotonic() - began < 10
    one.thread.join(5)
    assert not one.thread.is_alive()


def test_a_tracker_that_hangs_is_given_up_and_said(tmp_path: Path, quick: None) -> None:
    release = threading.Event()

    class Hanging:
        def apply(self, event: Event, state: State) -> None:
            release.wait(60)

    Journal(tmp_path).append(history())
    with delivering({"hanging": Hanging()}, tmp_path) as (one,):
        pass
    release.set()
    assert one.problem == "has not answered for 2 s"
    assert one.delivered <= 1


def test_a_journal_that_is_another_one_is_delivered_from_its_beginning(tmp_path: Path, quick: None) -> None:
    first, second = Flaky(), Flaky()
    Journal(tmp_path).append(history()[:6])
    with delivering({"flaky": first}, tmp_path):
        pass
    (tmp_path / "events.jsonl").unlink()  # and another one came in its place, from where the run had gone on
    other = [event.model_copy(update={"time": event.time + 1}) for event in history()]
    Journal(tmp_path).append(other)
    with delivering({"flaky": second}, tmp_path):
        pass
    assert [event for event, _ in second.seen] == other


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def mlflow_server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A real MLflow server over SQLite, that answers."""
    words = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", str(folder / "files")]
    with (folder / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words], stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                urlopen(f"http://127.0.0.1:{port}/health", timeout=5).read()
                break
            except OSError:
                assert time.monotonic() < deadline, (folder / "server.log").read_text()[-2000:]
                time.sleep(0.2)
        yield server
    finally:
        subprocess.run(["pkill", "-KILL", "-s", str(server.pid)], check=False)
        server.wait()


@pytest.mark.slow
def test_a_server_that_is_killed_and_comes_back_has_everything_once(tmp_path: Path, quick: None) -> None:
    port, folder = free_port(), tmp_path / "run"
    folder.mkdir()
    space = Space.model_validate(
        {"name": "tiny", "recipe": {"stages": [{"mixture": "mini_nli"}]}, "mlflow": f"http://127.0.0.1:{port}"}
    )
    journal, events = Journal(folder), history()
    (name, tracker), *_ = trackers_of(space, folder).items()
    one = Delivery(name, tracker, folder)
    one.thread.start()

    def write(part: list[Event]) -> None:
        for event in part:
            journal.append([event])
            one.wake()

    write(events[:2])  # nobody is there yet
    with mlflow_server(tmp_path, port):
        write(events[2:6])
        deadline = time.monotonic() + 60
        while one.delivered < 6:
            assert time.monotonic() < deadline, one.problem
            time.sleep(0.1)
    write(events[6:])  # it was killed
    time.sleep(1.5)
    assert one.problem is not None
    assert one.delivered < len(events)
    with mlflow_server(tmp_path, port):
        deadline = time.monotonic() + 60
        while one.delivered < len(events):
            assert time.monotonic() < deadline, one.problem
            time.sleep(0.1)
        one.close()
        client = MlflowClient(space.mlflow)
        experiment = client.get_experiment_by_name("tiny")
        assert experiment is not None
        runs = {run.data.tags["xit.kind"]: run for run in client.search_runs([experiment.experiment_id])}
        assert {kind: run.info.status for kind, run in runs.items()} == {
            "search": "FINISHED",
            "trial": "KILLED",
        }  # stopped early
        points = client.get_metric_history(runs["trial"].info.run_id, "dev/en/accuracy")
        assert [point.step for point in points] == list(range(1, STEPS + 1))
        assert one.delivered == len(events)
        assert set(runs["trial"].data.metrics) >= {f"cost/{name}" for name in Cost().as_dict()}
