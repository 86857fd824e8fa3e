"""Search domains: every combination once, nothing outside the bounds, the same draws for the same seed."""

import itertools
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xit_ray.spec.domains import as_domain, cover, grid_points, random_points, resolve
from xit_ray.spec.errors import UserError


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=4, unique=True), min_size=1, max_size=4))
def test_grid_is_the_cartesian_product(axes: list[list[int]]) -> None:
    tree = {f"axis{i}": {"grid": values} for i, values in enumerate(axes)}
    found = [tuple(point.values()) for point in grid_points(tree, draws=1, seed=0)]
    assert found == list(itertools.product(*axes))


def test_conditional_grid_opens_only_the_chosen_option() -> None:
    tree = {"a": {"grid": [1, {"b": {"grid": [2, 3]}}]}, "c": {"grid": ["x", "y"]}}
    points = list(grid_points(tree, draws=1, seed=0))
    assert [point["a"] for point in points] == [1, 1, {"b": 2}, {"b": 2}, {"b": 3}, {"b": 3}]
    assert [point["c"] for point in points] == ["x", "y"] * 3


def test_grid_draws_other_domains_each_time() -> None:
    tree = {"task": {"grid": ["a", "b"]}, "rate": {"loguniform": [1e-5, 1e-3]}}
    points = list(grid_points(tree, draws=3, seed=1))
    assert [point["task"] for point in points] == ["a"] * 3 + ["b"] * 3
    assert len({point["rate"] for point in points}) == 6
    assert points == list(grid_points(tree, draws=3, seed=1))
    assert points != list(grid_points(tree, draws=3, seed=2))


@given(st.integers(0, 1000))
def test_draws_stay_inside(seed: int) -> None:
    tree = {
        "u": {"uniform": [0.1, 0.2]},
        "l": {"loguniform": ["1e-5", "1e-3"]},
        "q": {"quniform": [0, 1, 0.25]},
        "i": {"randint": [2, 4]},
    }
    (point,) = random_points(tree, 1, seed)
    assert 0.1 <= point["u"] <= 0.2
    assert 1e-5 * 0.999 <= point["l"] <= 1e-3 * 1.001
    assert point["q"] in (0, 0.25, 0.5, 0.75, 1)
    assert point["i"] in (2, 3, 4)


def test_exponential_weights_are_uniform_on_the_simplex() -> None:
    tree = {"weights": [{"exponential": 1}] * 3}
    drawn = np.array([point["weights"] for point in random_points(tree, 20_000, seed=0)])
    shares = drawn / drawn.sum(axis=1, keepdims=True)
    reference = np.random.default_rng(0).dirichlet([1, 1, 1], 20_000)
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        np.testing.assert_allclose(np.quantile(shares, share, axis=0), np.quantile(reference, share, axis=0), atol=0.02)
    assert (drawn > 0).all()
    assert all(weight > 0 for variant in cover(tree) for weight in variant["weights"])


@pytest.mark.parametrize("mean", [0, -1, "one", True, [1, 2]])
def test_exponential_wants_a_mean(mean: Any) -> None:
    with pytest.raises(UserError, match=r"weight\.exponential: found .*; allowed: a mean above 0"):
        as_domain({"exponential": mean}, "weight")


def test_cover_shows_every_option_both_ends_and_something_between() -> None:
    tree = {"a": {"choice": ["x", {"y": {"grid": [1, 2, 3]}}]}, "r": {"uniform": [0.0, 1.0]}}
    seen = cover(tree)
    assert [variant["a"] for variant in seen] == ["x", {"y": 1}, {"y": 2}, {"y": 3}]
    assert {0.0, 1.0} < {variant["r"] for variant in seen}


def test_a_plain_mapping_is_no_domain() -> None:
    assert as_domain({"task": ["a"]}, "p") is None
    rng = random.Random(0)
    assert resolve({"x": [1, {"y": 2}]}, lambda _, domain: domain.draw(rng)) == {"x": [1, {"y": 2}]}


@pytest.mark.parametrize(
    "node",
    [
        {"grid": []},
        {"choice": "a"},
        {"uniform": [2, 1]},
        {"uniform": [1]},
        {"loguniform": [0, 1]},
        {"quniform": [0, 1, 0]},
        {"randint": ["a", 2]},
        {"uniform": 3},
    ],
)
def test_impossible_domains_say_what_is_allowed(node: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"recipe\.lr\..*allowed"):
        as_domain(node, "recipe.lr")
