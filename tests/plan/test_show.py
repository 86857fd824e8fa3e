"""``python -m xit_ray.plan``: what is shared, what the store has, what is left to pay, and how long it takes."""

import re
from pathlib import Path

import pytest

from tests.plan.planning import planner, trials
from tests.running import run
from tests.search.searching import write_space
from xit_ray.core import flops
from xit_ray.core.weights import BYTES_PER_VALUE
from xit_ray.plan.build import Plan
from xit_ray.plan.forecast import Forecaster
from xit_ray.plan.trie import trie
from xit_ray.plan.workload import Workload
from xit_ray.spec.recipe import Model
from xit_ray.stages.store import Store

STAGES = [
    {"mixture": {"grid": [None, {"task": "mini_nli", "examples": 64}]}},
    {"mixture": {"task": "mini_paraphrase", "examples": 64}, "learning_rate": {"grid": [1e-4, 1e-3]}},
]
SETTINGS = {"zero_shot": {"languages": ["en", "de"]}}


def test_a_stage_in_the_store_is_not_paid_again(tiny_encoder: Path) -> None:
    every = trials(planner(tiny_encoder, STAGES, **SETTINGS))
    forecast = Forecaster(planner(tiny_encoder, STAGES, **SETTINGS)).of(every)
    intermediate = next(trial for trial in every if len(trial.trainings) == 2).trainings[0].key
    none, one = (Plan(every, trie(every), forecast, None, stored, "all") for stored in (set(), {intermediate}))
    everything = Plan(every, trie(every), forecast, None, set(forecast.pieces), "all")
    assert none.missing == forecast.shared
    assert none.missing.tokens - one.missing.tokens == forecast.pieces[intermediate].tokens
    assert everything.missing == Workload()
    weights = flops.sizes(Model(name=str(tiny_encoder))).checkpoint * BYTES_PER_VALUE
    assert [plan.bytes_to_store for plan in (none, one, everything)] == [5 * weights, 4 * weights, 0]
    winners, nobody = (Plan(every, trie(every), forecast, None, set(), keep) for keep in ("winners", "none"))
    assert (winners.bytes_to_store, nobody.bytes_to_store) == (2 * weights, weights)


def test_the_command_says_it(tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    space = write_space(tmp_path, tiny_encoder, STAGES, store=str(tmp_path / "store"), **SETTINGS)
    before = run("xit_ray.plan", str(space))
    assert before.returncode == 0, before.stderr
    shown = " ".join(before.stdout.split())
    assert "4 trials need 5 stages, 10 steps; with nothing shared it would be 6 stages, 12 steps." in shown
    assert "The store has 0 of the 5 stages" in shown
    assert "mini_paraphrase#64 (2), mini_nli#64 (2): steps of training are few; raise epochs." in shown
    assert re.search(r"p5\.48xlarge 8 x \S+", shown)
    assert "How long it takes on this machine is known after --calibrate." in shown

    every = trials(planner(tiny_encoder, STAGES, **SETTINGS))
    key = next(trial for trial in every if len(trial.trainings) == 2).trainings[0].key
    (tmp_path / "made").mkdir()
    (tmp_path / "made/weights").touch()
    Store(str(tmp_path / "store")).publish(key, tmp_path / "made", {})
    after = run("xit_ray.plan", str(space))
    assert "The store has 1 of the 5 stages" in " ".join(after.stdout.split())
    assert [line.split()[-1] for line in after.stdout.splitlines() if line.strip().startswith("mini_nli#64 ")] == [
        "yes"
    ]


def test_a_measured_machine_is_remembered(tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = write_space(tmp_path, tiny_encoder, STAGES, store=str(tmp_path / "store"), **SETTINGS)
    cache = {"XIT_CACHE": str(tmp_path / "cache")}
    measured = run("xit_ray.plan", str(space), "--calibrate", "--workers", "2", **cache)
    assert measured.returncode == 0, measured.stderr
    (said,) = (line for line in measured.stdout.splitlines() if line.startswith("On this machine"))
    assert "on 2 workers" in said
    assert said in run("xit_ray.plan", str(space), "--workers", "2", **cache).stdout.splitlines()


def test_what_cannot_be_counted_is_said(tiny_encoder: Path, tmp_path: Path) -> None:
    chosen = {"preselection": {"keep": 0.5}, "search": {"finalists": {"top": 2, "seeds": 3}}}
    counted = run("xit_ray.plan", str(write_space(tmp_path, tiny_encoder, STAGES, **SETTINGS, **chosen)))
    shown = " ".join(counted.stdout.split())
    assert "Of each target's intermediates, the 50% with the best estimates are trained; here all are counted" in shown
    assert "Not counted: the 2 best recipes of each target, and its baseline, once more with 3 fresh seeds." in shown
    rates = {**STAGES[1], "learning_rate": {"loguniform": [1e-5, 1e-3]}}
    proposed = write_space(tmp_path, tiny_encoder, [rates], **SETTINGS, search={"algorithm": "tpe", "trials": 7})
    assert "7 trials, each proposed from those before; nothing to list." in run("xit_ray.plan", str(proposed)).stdout
