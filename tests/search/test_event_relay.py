"""Events are written down before anything else sees them, and a listener that fails stops the search."""

import time
from pathlib import Path

import pytest

from xit_ray.search.event_relay import EventRelay
from xit_ray.search.interrupt import interruptible
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Recipe
from xit_ray.track.events import Event, StageName, StageProgress, StageStarted, TrialStarted
from xit_ray.track.journal import Journal
from xit_ray.track.state import State

STARTED = TrialStarted(
    time=1.0,
    trial="t",
    recipe=Recipe.model_validate({"stages": [{"mixture": "xnli"}]}),
    stages=(StageName(key="k", label="xnli"),),
    tests=("xnli",),
    reseeded=False,
)


def progress(step: int) -> StageProgress:
    dev = 0.5 if step == 4 else None
    return StageProgress(
        time=2.0, trial="t", key="k", label="xnli", final=True, step=step, steps=4, loss=1.0, dev=dev, best=0.5
    )


def test_events_are_on_disk_before_a_listener_sees_them(tmp_path: Path) -> None:
    journal, state = Journal(tmp_path), State()
    waiting: list[list[Event]] = [[STARTED, progress(1), progress(4)]]
    seen = []

    def listener(event: Event) -> None:
        seen.append((event.kind, list(journal.read()), state.trials["t"].step))

    with EventRelay(lambda: waiting.pop() if waiting else [], journal, state, [listener]):
        pass
    # The progress between two evaluations is shown but not kept.
    kept = [STARTED, progress(4)]
    assert seen == [("trial_started", kept, 0), ("stage_progress", kept, 1), ("stage_progress", kept, 4)]
    assert state.trials["t"].reports == [(4, 1000, 0.5)]


def test_what_a_snapshot_did_not_have_yet_is_scored_again_and_written_once(tmp_path: Path) -> None:
    """A worker is lost after its score and before its next snapshot, in this process or in the one before."""
    first: list[list[Event]] = [[STARTED, StageStarted(trial="t", key="k", label="xnli", final=True), progress(4)]]
    again: list[list[Event]] = [[STARTED, progress(1), progress(4)]]
    journal = Journal(tmp_path)
    for batches in (first + again, again):
        left = list(batches)
        with EventRelay(lambda left=left: left.pop(0) if left else [], journal, state := State(journal.read()), []):  # type: ignore[misc]
            while left:
                time.sleep(0.01)
        assert [event.step for event in journal.read() if isinstance(event, StageProgress)] == [4]
        assert state.trials["t"].reports == [(4, 1000, 0.5)]


def test_a_failing_listener_interrupts_the_search(tmp_path: Path) -> None:
    def listener(_: Event) -> None:
        raise UserError("the screen is gone")

    waiting: list[list[Event]] = [[STARTED]]
    with (
        pytest.raises(UserError, match="the screen is gone"),
        interruptible(),  # as in a search; a job in the background ignores Ctrl-C otherwise
        EventRelay(lambda: waiting.pop() if waiting else [], Journal(tmp_path), State(), [listener]),
    ):
        time.sleep(30)  # the search, which would go on unrecorded
    assert list(Journal(tmp_path).read()) == [STARTED]
