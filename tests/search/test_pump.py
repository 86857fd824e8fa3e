"""The pump: everything is written down before anything else sees it, and a sink that fails stops the search."""

import time
from pathlib import Path
from typing import Any

import pytest

from xit_ray.search.pump import Pump
from xit_ray.spec.errors import UserError
from xit_ray.track.journal import Journal
from xit_ray.track.state import State


def started(step: int | None = None) -> dict[str, Any]:
    if step is None:
        return {"time": 1.0, "kind": "trial_started", "trial": "t", "recipe": {}, "intermediate": "none", "target": "x",
                "stages": [["k", "x"]], "fresh": False}  # fmt: skip
    return {"time": 2.0, "kind": "progress", "trial": "t", "key": "k", "label": "x", "final": True, "step": step,
            "steps": 4, "loss": 1.0, "dev": 0.5 if step == 4 else None, "best": 0.5}  # fmt: skip


def test_events_are_on_disk_before_a_sink_sees_them(tmp_path: Path) -> None:
    journal, state = Journal(tmp_path), State()
    waiting = [[started(), started(1), started(4)]]
    seen = []

    def sink(event: dict[str, Any]) -> None:
        seen.append((event["kind"], [e["kind"] for e in journal.read()], state.trials["t"].step))

    with Pump(lambda: waiting.pop() if waiting else [], journal, state, [sink]):
        pass
    # The progress between two scores is shown but not kept.
    kept = ["trial_started", "progress"]
    assert seen == [("trial_started", kept, 0), ("progress", kept, 1), ("progress", kept, 4)]
    assert state.trials["t"].reports == [(4, 1000, 0.5)]


def test_a_failing_sink_interrupts_the_search(tmp_path: Path) -> None:
    def sink(_: dict[str, Any]) -> None:
        raise UserError("mlflow: the server is gone")

    waiting = [[started()]]
    with (
        pytest.raises(UserError, match="the server is gone"),
        Pump(lambda: waiting.pop() if waiting else [], Journal(tmp_path), State(), [sink]),
    ):
        time.sleep(30)  # the search, which would go on unrecorded
    assert [event["kind"] for event in Journal(tmp_path).read()] == ["trial_started"]


def test_a_line_cut_short_is_no_event(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([started()])
    with journal.file.open("a") as stream:
        stream.write('{"kind": "trial_en')
    assert [event["kind"] for event in journal.read()] == ["trial_started"]
    journal.mend()
    journal.append([started(4)])
    assert [event["kind"] for event in journal.read()] == ["trial_started", "progress"]
