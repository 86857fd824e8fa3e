"""Whose target checkpoints stay in the store after a search, and what a later search does without them."""

from pathlib import Path
from typing import Any

import pytest

from tests.running import run
from tests.search.searching import events, search, table, write_space
from xit_ray.stages.store import Store
from xit_ray.track.events import TrialStarted

STAGES = [
    {"mixture": {"grid": [None, {"task": "mini_nli", "examples": 48}]}},
    {
        # The second one is also a stage that the first target starts from.
        "mixture": {"grid": [{"task": "mini_paraphrase", "examples": 48}, {"task": "mini_nli", "examples": 48}]},
        "learning_rate": {"grid": [1e-4, 2e-5]},
    },
]


def a_search(folder: Path, model: Path, name: str, **more: Any) -> Path:
    more = {"zero_shot": {"languages": ["en", "de"]}, "store": str(folder / "store")} | more
    space = write_space(folder, model, STAGES, name=name, **more)
    ended = search(str(space), "--output", str(folder / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder / "runs" / name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def done(folder: Path, tiny_encoder: Path) -> Path:
    return a_search(folder, tiny_encoder, "first")


def with_weights(folder: Path) -> set[str]:
    store = Store(str(folder / "store"))
    return {key for key, about in store.entries() if about["kind"] == "stage" and store.has_files(key)}


def test_the_winners_and_what_comes_before_a_target_stay(done: Path, folder: Path) -> None:
    stages = {event.trial: [s.key for s in event.stages] for event in events(done) if isinstance(event, TrialStarted)}
    wanted = {key for keys in stages.values() for key in keys[:-1]}
    wanted |= {stages[row["trial"]][-1] for row in table(done, "matrix") if row["chosen"]}
    assert with_weights(folder) == wanted
    assert len(wanted) == 3
    assert len(table(done, "ledger")) == 9


def test_of_replicates_the_best_of_the_best_recipe_stays(folder: Path, tiny_encoder: Path) -> None:
    """Not the best trial of all, whose recipe may be the worse one in the mean: it is not what the report names."""
    own = folder / "replicates"
    own.mkdir()
    ran = a_search(own, tiny_encoder, "seeds", replicates=3, recipe={
        "model": str(tiny_encoder),
        "stages": [
            {"mixture": {"grid": [None, {"task": "mini_nli", "examples": 64}]}},
            {"mixture": {"task": "mini_similarity", "examples": 64}, "learning_rate": 1e-3},
        ],
    })  # fmt: skip
    stages = {event.trial: [s.key for s in event.stages] for event in events(ran) if isinstance(event, TrialStarted)}
    trials = {row["trial"]: row for row in table(ran, "trials")}
    (chosen,) = [row for row in table(ran, "matrix") if row["chosen"]]
    best = max(chosen["replicates"], key=lambda key: trials[key]["dev_en"])
    before = {key for keys in stages.values() for key in keys[:-1]}
    assert with_weights(own) == before | {stages[best][-1]}


def test_what_was_dropped_is_not_left_to_pay(done: Path, folder: Path) -> None:
    shown = run("xit_ray.plan", str(folder / "space.yaml")).stdout
    assert "left to pay for: 0 tokens" in " ".join(shown.split())
    assert run("xit_ray.stages", "du", str(folder / "store")).returncode == 0


def test_other_test_sets_train_it_again_to_the_same_scores(done: Path, folder: Path, tiny_encoder: Path) -> None:
    again = a_search(folder, tiny_encoder, "second", zero_shot={"languages": ["en", "de", "sw"]}, keep="none")
    dropped = len(table(done, "ledger")) - 3  # the intermediate and two winners had their weights
    assert sum(row["trainings_begun"] for row in table(again, "ledger")) == dropped
    before, after = (
        {(s["trial"], s["task"], s["language"], s["metric"]): s["value"] for s in table(one, "scores")}
        for one in (done, again)
    )
    assert before.items() <= after.items()
    assert len(after) > len(before)


def test_of_its_own_none_stays_where_none_is_asked_for(folder: Path, tiny_encoder: Path) -> None:
    before = with_weights(folder)
    a_search(folder, tiny_encoder, "third", keep="none", recipe={
        "model": str(tiny_encoder),
        "stages": [{"mixture": {"task": "mini_paraphrase", "examples": 32}, "seed": {"grid": [1, 2]}}],
    })  # fmt: skip
    assert with_weights(folder) == before
