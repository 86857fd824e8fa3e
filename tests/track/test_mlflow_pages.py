"""MLflow's own pages, by the link that a search prints."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient
from playwright.sync_api import Page

from tests.browsing import browser, needs_browser
from tests.report.making import gain, matrix_cell
from tests.track.test_tracker import history
from xit_ray.report.matrix_table import as_table
from xit_ray.report.statistics import Estimate
from xit_ray.spec.space import Space
from xit_ray.track.delivery import delivering
from xit_ray.track.events import Event, TrialEnded, TrialScored, TrialStarted
from xit_ray.track.journal import Journal
from xit_ray.track.mlflow_view import where_to_look
from xit_ray.track.trackers import trackers_of

pytestmark = [needs_browser, pytest.mark.slow]


def two_trials() -> list[Event]:
    """A search of two trials that differ in a learning rate."""
    *events, ended = history()
    (begun,) = (event for event in events if isinstance(event, TrialStarted))
    first, last = begun.recipe.stages
    faster = begun.recipe.model_copy(update={"stages": (first, last.model_copy(update={"learning_rate": 3e-4}))})
    of_other = {"trial": "other-key", "recipe": faster}
    other = [
        event.model_copy(update={name: value for name, value in of_other.items() if hasattr(event, name)})
        for event in events
        if isinstance(event, (TrialStarted, TrialScored, TrialEnded))
    ]
    return [*events, *other, ended]


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Space, Path]]:
    """A search that has ended, with its records on a server."""
    folder = tmp_path_factory.mktemp("pages")
    Journal(folder).append(two_trials())
    score = Estimate(0.5, 1e-5, 0.0, 8.0)
    cell = matrix_cell("mini_paraphrase", "mini_nli", "trial-key", 0.7, score=score, gain=gain(0.031, 0.005), seeds=1)
    pq.write_table(as_table([cell], [cell]), folder / "matrix.parquet")
    (folder / "report").mkdir()
    (folder / "report/answers.md").write_text("* mini_nli: mini_paraphrase first helps")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    words = ["--host", "127.0.0.1", "--port", str(port), "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            *words,
            "--artifacts-destination",
            f"{folder}/files",
            "--workers",
            "1",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with suppress(OSError):
                urllib.request.urlopen(f"{address}/health", timeout=1)
                break
            time.sleep(0.3)
        recipe = {"stages": [{"mixture": "mini_nli"}]}
        space = Space.model_validate({"name": "tiny", "question": "Does it help?", "recipe": recipe, "mlflow": address})
        with delivering(trackers_of(space, folder), folder) as deliveries:
            pass
        assert [one.problem for one in deliveries] == [None]
        yield space, folder
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def trials(space: tuple[Space, Path]) -> Iterator[Page]:
    """The page that the link opens, once the trial is on it."""
    with browser() as opened:
        page = opened.new_page(viewport={"width": 1800, "height": 900})
        page.goto(where_to_look(*space))
        page.get_by_text("mini_nli ← mini_paraphrase").first.wait_for(timeout=90_000)
        yield page


def test_the_link_opens_the_trials_with_what_is_asked_of_them(trials: Page) -> None:
    for column in ("dev_en", "zero_shot", "gain", "gain_low", "gain_high", "device_seconds"):
        assert trials.get_by_role("columnheader", name=column, exact=True).count() > 0, column
    words = trials.locator("body").inner_text()
    assert "0.031" in words
    assert "stage mini_paraphrase" not in words  # trials alone


def test_charts_and_artifacts_open(trials: Page) -> None:
    trials.get_by_text("mini_nli ← mini_paraphrase").first.click(timeout=90_000)
    trials.get_by_text("intermediate_learning_rate").first.wait_for(timeout=90_000)
    trials.goto(f"{trials.url.split('?')[0]}/artifacts")
    trials.get_by_text("recipe.yaml").first.wait_for(timeout=90_000)
    trials.goto(f"{trials.url.split('/artifacts')[0]}/model-metrics")
    trials.get_by_text("zeroshot_mini_nli").first.wait_for(timeout=90_000)


def test_two_trials_are_compared_by_what_differs(space: tuple[Space, Path], trials: Page) -> None:
    client = MlflowClient(tracking_uri=str(space[0].mlflow))
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.`xit.kind` = 'trial'")
    ids = ",".join(f'"{run.info.run_id}"' for run in runs)
    trials.goto(f'{space[0].mlflow}/#/compare-runs?runs=[{ids}]&experiments=["{experiment.experiment_id}"]')
    trials.get_by_text("Comparing 2 Runs").first.wait_for(timeout=90_000)
    trials.get_by_text("intermediate_learning_rate").first.wait_for(timeout=90_000)
    words = trials.locator("body").inner_text()
    assert all(rate in words for rate in ("5e-05", "0.0003"))
