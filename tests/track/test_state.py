"""What a search was killed before it wrote down, and finds in the store when it is resumed, is its own work."""

import pytest

from xit_ray.track.state import State

ABOUT = {"dev": 0.5, "steps": 4, "history": [], "cost": {"seconds": 3.0}}


@pytest.mark.parametrize("search", ["this", "another"])
def test_a_published_stage_whose_record_was_lost_is_counted_by_the_search_that_trained_it(search: str) -> None:
    state = State()
    state.apply({"kind": "search_started", "time": 1.0, "search": "this"})
    for number, trial in enumerate(("one", "two")):
        stages = [["shared", "mnli"], [f"target {trial}", "xnli"]]
        about = {"recipe": {}, "intermediate": "mnli", "target": "xnli", "stages": stages}
        state.apply({"kind": "trial_started", "time": 2.0 + number, "trial": trial, **about})
        reused = {"key": "shared", "label": "mnli", "description": {**ABOUT, "search": search}}
        state.apply({"kind": "stage_reused", "time": 3.0 + number, "trial": trial, **reused})
    stage = state.stages["shared"]
    ours = search == "this"
    assert (stage.published is not None) == ours
    assert len(stage.started) == int(ours)
    assert stage.trial == ("one" if ours else "")
    assert stage.reused == (["two"] if ours else ["one", "two"])
