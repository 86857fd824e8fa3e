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
from playwright.sync_api import Page

from tests.browsing import browser, needs_browser
from tests.report.making import gain, matrix_cell
from tests.track.test_tracker import history
from xit_ray.report.matrix_table import as_table
from xit_ray.report.statistics import Estimate
from xit_ray.spec.space import Space
from xit_ray.track.delivery import delivering
from xit_ray.track.journal import Journal
from xit_ray.track.mlflow_view import where_to_look
from xit_ray.track.trackers import trackers_of

pytestmark = [needs_browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Space, Path]]:
    """A search that has ended, with its records on a server."""
    folder = tmp_path_factory.mktemp("pages")
    Journal(folder).append(history())
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
