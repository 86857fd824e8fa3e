"""A search that nobody sits in front of: started, listed, stopped, and gone on with."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import Ended
from tests.search.searching import environment, write_space

STAGES = [
    {
        "mixture": {"grid": [{"task": "mini_nli", "examples": 400}, {"task": "mini_roles", "examples": 400}]},
        "epochs": 30,
    }
]


def here(folder: Path, *words: str) -> Ended:
    ended = subprocess.run(
        [sys.executable, "-m", "xit_ray.cluster.here", *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.slow
def test_it_goes_on_by_itself_until_it_is_stopped(tiny_encoder: Path, tmp_path: Path) -> None:
    space = write_space(tmp_path, tiny_encoder, STAGES, zero_shot={"languages": ["en", "de"]})
    assert here(tmp_path, "status").stdout.startswith("no runs in ")
    started = here(tmp_path, "start", "--", str(space))
    assert (started.returncode, started.stdout) == (0, "tiny\n"), started.stderr
    assert "at work" in here(tmp_path, "status").stdout
    twice = here(tmp_path, "start", "--", "--resume", "tiny")
    assert twice.returncode == 2
    assert "works on this run" in twice.stderr
    stopped = here(tmp_path, "stop", "tiny")
    assert (stopped.returncode, stopped.stdout) == (0, "tiny: stopped; what was finished is kept\n"), stopped.stderr
    assert "interrupted" in here(tmp_path, "status", "tiny").stdout
    assert "go on: xit search --resume tiny" in (tmp_path / "runs/tiny/console.log").read_text()
    assert "nobody works on this run" in here(tmp_path, "stop", "tiny").stderr


def test_what_cannot_be_started_says_why(tiny_encoder: Path, tmp_path: Path) -> None:
    space = write_space(tmp_path, tiny_encoder, [{"mixture": "mini_nil"}])
    refused = here(tmp_path, "start", "--", str(space))
    assert refused.returncode == 2
    assert "did you mean 'mini_nli'" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert "there is no such run (allowed: none, there are no runs)" in here(tmp_path, "status", "tiny").stderr
