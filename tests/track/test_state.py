"""What the events of a search add up to."""

from typing import Any

import pytest

from xit_ray.core.cost import Cost
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Recipe
from xit_ray.stages.records import Score, ScoresRecord, StageRecord
from xit_ray.track.events import (
    Event,
    ScoringStarted,
    SearchStarted,
    StageName,
    StageProgress,
    StagePublished,
    StageReused,
    StageStarted,
    TrialCrashed,
    TrialEnded,
    TrialScored,
    TrialSkipped,
    TrialStarted,
    TrialWaiting,
    UntrainedScored,
)
from xit_ray.track.state import State
from xit_ray.track.tables import path_cost, zero_shot_mean

FINAL: dict[str, Any] = {"trial": "one", "key": "target", "label": "xnli", "final": True}
SHARED: dict[str, Any] = {"trial": "one", "key": "shared", "label": "mnli", "final": False}


def record(search: str = "this", dev: float = 0.5, seconds: float = 3.0) -> StageRecord:
    return StageRecord(
        label="mnli", search=search, start=None, dev=dev, dev_rows=10, best_step=4, steps=4, history=(), truncated=0,
        skipped_steps=0, out_of_memory=0, cost=Cost(seconds=seconds, peak_memory_mb=100 * seconds),
    )  # fmt: skip


def scores(*values: tuple[str, float]) -> ScoresRecord:
    found = tuple(
        Score(task="xnli", language=language, metric="accuracy", value=value, low=0.0, high=1.0, n=10, majority=0.3,
              constant=False) for language, value in values
    )  # fmt: skip
    return ScoresRecord(checkpoint="target", scores=found, cost=Cost(seconds=1.0, peak_memory_mb=50.0))


def started(trial: str = "one", when: float = 2.0) -> TrialStarted:
    recipe = Recipe.model_validate({"stages": [{"mixture": "mnli"}, {"mixture": "xnli"}]})
    stages = (StageName(key="shared", label="mnli"), StageName(key="target", label="xnli"))
    return TrialStarted(time=when, trial=trial, recipe=recipe, stages=stages, tests=("xnli",), reseeded=False)


def progress(step: int, dev: float | None, best: float | None) -> StageProgress:
    return StageProgress(**FINAL, step=step, steps=4, loss=1.0, dev=dev, best=best)


def test_a_trial_from_its_start_to_its_scores() -> None:
    state = State([SearchStarted(run="r", search="this"), started()])
    trial = state.trials["one"]
    assert (trial.status, str(trial.cell)) == ("queued", "mnli → xnli")
    for event, status in (
        (TrialWaiting(trial="one", label="mnli"), "waiting"),
        (StageReused(**SHARED, record=record("another")), "waiting"),
        (StageStarted(time=10.0, **FINAL), "training"),
        (progress(2, 0.6, 0.6), "training"),
        (progress(3, None, 0.6), "training"),
        (progress(4, 0.4, 0.6), "training"),
        (StagePublished(time=14.0, **FINAL, record=record(dev=0.6, seconds=4.0)), "training"),
        (ScoringStarted(trial="one", label="xnli"), "scoring"),
        (TrialScored(trial="one", key="e", record=scores(("en", 0.9), ("de", 0.4), ("sw", 0.2))), "scoring"),
        (TrialEnded(time=20.0, trial="one", error=None), "done"),
    ):
        state.apply(event)
        assert trial.status == status
    assert trial.reports == [(2, 500, 0.6), (4, 1000, 0.6)]
    assert (trial.dev, trial.ended, trial.evaluation) == (0.6, 20.0, "e")
    assert zero_shot_mean(trial, "xnli") == pytest.approx(0.3)  # English is not zero-shot
    cost = path_cost(trial, state)
    assert (cost.seconds, cost.peak_memory_mb) == (8.0, 400.0)  # the sum of seconds, the highest peak
    assert state.best() == {trial.cell.target: trial}
    assert state.ended() == [trial]


def test_a_stopped_trial_and_what_its_stage_took() -> None:
    state = State([started(), StageStarted(time=10.0, **FINAL)])
    state.apply(progress(1, 0.2, 0.2).model_copy(update={"time": 13.0}))
    state.apply(TrialEnded(trial="one", error=None))
    assert state.trials["one"].status == "stopped"
    assert state.stages["target"].seconds_spent == 3.0
    assert state.best() == {}


@pytest.mark.parametrize(
    ("events", "status", "error"),
    [
        ([TrialSkipped(trial="one", reason="no budget"), TrialEnded(trial="one", error=None)], "skipped", "no budget"),
        ([TrialCrashed(trial="one", error="killed"), TrialEnded(trial="one", error="lost")], "failed", "killed"),
        ([TrialEnded(trial="one", error="lost")], "failed", "lost"),
        ([TrialCrashed(trial="one", error="killed"), TrialEnded(trial="one", error=None)], "stopped", None),
    ],
)
def test_how_a_trial_that_was_not_scored_ended(events: list[Event], status: str, error: str | None) -> None:
    state = State([started(), *events])
    assert (state.trials["one"].status, state.trials["one"].error) == (status, error)


def test_a_trial_that_starts_again_keeps_what_was_scored() -> None:
    """Its stage goes on from a snapshot, and the journal does not have again what it had before."""
    state = State([started(), StageStarted(**FINAL), progress(2, 0.6, 0.6), started(when=9.0)])
    trial = state.trials["one"]
    assert (trial.status, trial.reports, trial.started) == ("queued", [(2, 500, 0.6)], 9.0)


@pytest.mark.parametrize("search", ["this", "another"])
def test_a_published_stage_whose_record_was_lost_is_counted_by_the_search_that_trained_it(search: str) -> None:
    """A search that was killed between publishing a stage and writing that down finds it in the store when resumed."""
    state = State([SearchStarted(time=1.0, run="r", search="this")])
    for number, trial in enumerate(("one", "two")):
        state.apply(started(trial, 2.0 + number))
        state.apply(StageReused(**(SHARED | {"trial": trial}), time=3.0 + number, record=record(search)))
    stage = state.stages["shared"]
    ours = search == "this"
    assert (stage.published is not None) == ours
    assert len(stage.started) == int(ours)
    assert stage.trial == ("one" if ours else "")
    assert stage.reused == (["two"] if ours else ["one", "two"])


def test_every_model_keeps_the_scores_it_had_before_training() -> None:
    events = [
        UntrainedScored(trial=None, model=model, key=model, record=scores(("de", value)))
        for model, value in (("small", 0.1), ("large", 0.2))
    ]
    state = State(events)
    assert {model: found.scores[0].value for model, found in state.untrained.items()} == {"small": 0.1, "large": 0.2}


def test_an_event_about_a_trial_that_never_began_is_refused() -> None:
    with pytest.raises(UserError, match="'trial_ended' is about 'one', which no earlier event began"):
        State([TrialEnded(trial="one", error=None)])
