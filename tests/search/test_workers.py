"""A search whose runs have two workers finds what a search with one worker finds; a crashed stage goes on where it was."""

import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.search.searching import command, environment, events, search, table, write_space

FAST = {"head_learning_rate": 1e-2, "learning_rate": 1e-3}


Found = tuple[dict[str, Any], dict[tuple[str, str], float], list[dict[str, Any]]]


def found(folder: Path, encoder: Path, **resources: object) -> Found:
    """The trial, its scores, and the ledger of a search of one recipe."""
    stages = [
        {"mixture": {"task": "mini_paraphrase", "examples": 96}, **FAST},
        {"mixture": {"task": "mini_nli", "examples": 320}, **FAST},
    ]
    zero_shot = {"languages": ["en", "de"], "embedding_tests": ["mini_retrieval"]}
    space = write_space(folder, encoder, stages, zero_shot=zero_shot, resources=resources)
    ended = search(str(space), "--output", str(folder / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    run = folder / "runs/tiny"
    (trial,) = table(run, "trials")
    scores = {(row["task"], row["language"]): row["value"] for row in table(run, "scores")}
    return trial, scores, table(run, "ledger")


@pytest.fixture(scope="module")
def alone(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    return found(tmp_path_factory.mktemp("alone"), tiny_encoder)


@pytest.mark.parametrize("sharded", [False, True])
def test_two_workers_find_what_one_finds(alone: Found, tiny_encoder: Path, tmp_path: Path, sharded: bool) -> None:
    one, scores_one, ledger_one = alone
    two, scores_two, ledger_two = found(tmp_path, tiny_encoder, workers=2, sharded=sharded)
    assert two["dev_en"] == pytest.approx(one["dev_en"], abs=0.02)
    assert scores_two == pytest.approx(scores_one, abs=0.02)
    for mine, shared in zip(ledger_one, ledger_two, strict=True):
        assert shared["tokens"] == mine["tokens"]
        assert shared["flops"] == pytest.approx(mine["flops"])
        assert shared["device_seconds"] == pytest.approx(2 * shared["seconds"])


def test_a_search_killed_in_a_stage_goes_on_in_that_stage(tiny_encoder: Path, tmp_path: Path) -> None:
    stages = [{"mixture": {"task": "mini_nli", "examples": 1000}, "epochs": 24, "batch_size": 8, "evaluations": 20}]
    space = write_space(
        tmp_path, tiny_encoder, stages, zero_shot={"languages": ["en", "de"]}, resources={"snapshot_minutes": 0.01}
    )
    output = tmp_path / "runs"
    process = psutil.Popen(command(str(space), "--output", str(output)), env=environment(), start_new_session=True)
    deadline = time.monotonic() + 200
    while sum(event.kind == "stage_progress" for event in events(output / "tiny")) < 3:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    children = process.children(recursive=True)
    for victim in (process, *children):
        if victim.is_running():
            victim.send_signal(signal.SIGKILL)
    process.wait()

    resumed = search("--resume", "tiny", "--output", str(output))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    begun = [event for event in events(output / "tiny") if event.kind == "stage_started"]
    assert len(begun) == 2
    first = next(e for e in events(output / "tiny") if e.kind == "stage_progress" and e.time > begun[1].time)
    assert first.step > first.steps / 20
    (published,) = [event for event in events(output / "tiny") if event.kind == "stage_published"]
    history = [point.step for point in published.record.history]
    assert history == sorted(set(history))
    assert len(history) == 20
    assert not list((output / "store/partial").glob("*"))
