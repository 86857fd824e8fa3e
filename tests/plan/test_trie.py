"""Shared prefixes, and the order in which trials keep all workers at work."""

from pathlib import Path

from tests.plan.planning import planner, trials
from xit_ray.plan.trie import in_good_order, trie

LONG, SHORT = {"task": "mini_nli", "examples": 640}, {"task": "mini_nli", "examples": 32}


def test_a_shared_prefix_is_one_node(tiny_encoder: Path) -> None:
    rates = {"mixture": "mini_paraphrase", "learning_rate": {"grid": [1e-4, 1e-3]}}
    every = trials(planner(tiny_encoder, [{"grid": [None, SHORT]}, rates]))
    nodes = trie(every)
    shape = sorted((node.depth, node.training.label, len(node.trials)) for node in nodes.values())
    alone, after = (0, "mini_paraphrase", 1), (1, "mini_paraphrase", 1)
    assert shape == [(0, "mini_nli#32", 2), alone, alone, after, after]
    keys = list(nodes)
    for trial in every:
        places = [keys.index(training.key) for training in trial.trainings]
        assert places == sorted(places)  # parents before children


def test_what_most_wait_for_comes_first(tiny_encoder: Path) -> None:
    targets = [{"task": "mini_paraphrase", "examples": count} for count in (32, 48, 64)]
    every = trials(planner(tiny_encoder, [{"grid": [SHORT, None, LONG]}, {"grid": targets}]))
    order = [trial.cell.intermediate for trial in in_good_order(every, trie(every))]
    # Every stage's first trial before any second one; the long stage, for which most steps wait, before all others.
    assert order[:2] == ["mini_nli#640", "mini_nli#32"]
    assert order[5:7] == ["mini_nli#640", "mini_nli#32"]


def test_short_trials_come_last_so_that_all_workers_end_together(tiny_encoder: Path) -> None:
    epochs = {"mixture": "mini_paraphrase", "epochs": {"grid": [1, 2, 3, 4, 5]}}
    every = trials(planner(tiny_encoder, ["mini_nli", epochs]))
    order = in_good_order(every, trie(every))
    assert [trial.recipe.stages[-1].epochs for trial in order] == [5, 4, 3, 2, 1]
