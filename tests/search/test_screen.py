"""A search goes on to its end when its terminal is closed, or nobody reads what it prints."""

import os
import pty
import time
from pathlib import Path

import pytest

from tests.search.searching import environment, events, typed, write_space
from xit_ray.search.screen import CONSOLE_LOG

STAGES = [{"mixture": {"task": "mini_paraphrase", "examples": 240}, "learning_rate": {"grid": [1e-3, 2e-3]}}]


@pytest.mark.slow
def test_a_closed_terminal_ends_no_search(tiny_encoder: Path, tmp_path: Path) -> None:
    space = write_space(tmp_path, tiny_encoder, STAGES, zero_shot={"languages": ["en", "de"]})
    words = typed(str(space), "--output", str(tmp_path / "runs"))
    run = tmp_path / "runs/tiny"
    child, terminal = pty.fork()
    if child == 0:
        os.execve(words[0], words, environment())
    shown, deadline = b"", time.monotonic() + 120
    while not any(event.kind == "stage_started" for event in events(run)):
        assert time.monotonic() < deadline, shown.decode()
        shown += os.read(terminal, 4096)
    os.close(terminal)  # the window is closed: the kernel sends SIGHUP, and writing is an error from now on
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"tiny" in shown
    assert b"intermediate" in shown  # the head of the live table, which lines for a file do not have
    last = events(run)[-1]
    assert (last.kind, getattr(last, "status", None)) == ("search_ended", "finished")
    told = (run / CONSOLE_LOG).read_text()
    assert "Transfer matrix" in told
    assert f"Report:  {run}/report.html" in told
    assert "\x1b" not in told
