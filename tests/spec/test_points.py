"""Which recipes a space lists, with their seeds."""

from collections.abc import Iterable
from typing import Any

import pytest

from xit_ray.spec.points import (
    contested_targets,
    expected_recipes,
    fresh_seeds,
    listed_recipes,
    replicate,
    with_fresh_seed,
)
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Replicates, Space

RATES = {"grid": [1e-5, 2e-5]}


def space(target_rate: Any, seeds: Any) -> Space:
    stages = [
        {"mixture": {"grid": [None, "mnli"]}, "seed": 5},
        {"grid": [{"mixture": "xnli", "learning_rate": target_rate}, {"mixture": "pawsx", "seed": 7}]},
    ]
    return Space(name="s", recipe={"stages": stages}, replicates=seeds)


def seeds_of(recipes: Iterable[Recipe]) -> list[tuple[str, str, tuple[int, ...]]]:
    return sorted((r.cell.intermediate, r.cell.target, tuple(stage.seed for stage in r.trained)) for r in recipes)


def test_without_competition_all_seeds_are_listed() -> None:
    found = seeds_of(listed_recipes(space(1e-5, 2)))
    assert found == [
        ("mnli", "pawsx", (5, 7)), ("mnli", "pawsx", (6, 8)), ("mnli", "xnli", (5, 0)), ("mnli", "xnli", (6, 1)),
        ("none", "pawsx", (7,)), ("none", "pawsx", (8,)), ("none", "xnli", (0,)), ("none", "xnli", (1,)),
    ]  # fmt: skip


def test_of_the_target_stage_alone() -> None:
    found = seeds_of(listed_recipes(space(1e-5, {"seeds": 2, "of": "target"})))
    assert [seeds for cell, target, seeds in found if (cell, target) == ("mnli", "xnli")] == [(5, 0), (5, 1)]


def test_where_recipes_compete_seeds_wait_for_the_best() -> None:
    contested = space(RATES, 3)
    assert contested_targets(listed_recipes(contested)) == {"xnli"}
    listed = seeds_of(listed_recipes(contested))
    assert sum(target == "xnli" for _, target, _ in listed) == 4
    assert sum(target == "pawsx" for _, target, _ in listed) == 6
    expected = seeds_of(expected_recipes(contested))
    fresh = [seeds for cell, target, seeds in expected if (cell, target) == ("none", "xnli")]
    assert fresh == [(0,), (0,), *((seed,) for seed in fresh_seeds(3))]  # the first of the two stands for the best


def test_a_replicate_is_the_same_recipe_but_for_its_seeds() -> None:
    recipe = Recipe.model_validate({"stages": [{"mixture": "mnli", "seed": 3}, {"mixture": "xnli"}]})
    again = replicate(recipe, 2, Replicates(seeds=3))
    assert [stage.seed for stage in again.stages] == [5, 2]
    assert again.with_seed(0) == recipe.with_seed(0)


def test_a_fresh_seed_of_the_target_stage_leaves_the_others() -> None:
    recipe = Recipe.model_validate({"stages": [{"mixture": "mnli", "seed": 3}, {"mixture": "xnli", "seed": 1}]})
    for of, wanted in (("all", [7, 7]), ("target", [3, 7])):
        again = with_fresh_seed(recipe, 7, Replicates(seeds=3, of=of))  # type: ignore[arg-type]
        assert [stage.seed for stage in again.stages] == wanted


def test_seeds_are_repeated_in_one_way() -> None:
    stages = [{"mixture": "xnli", "seed": {"grid": [0, 1]}}]
    with pytest.raises(ValueError, match="two ways to repeat seeds"):
        Space(name="s", recipe={"stages": stages}, replicates=2)
    with pytest.raises(ValueError, match="leaves of every cell the seeds that won"):
        Space(name="s", recipe={"stages": []}, replicates=2, scheduler={"name": "asha", "compare": "target"})


@pytest.mark.parametrize("wrong", [0, "three", {"seeds": 2, "of": "intermediate"}, True])
def test_other_replicates_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="replicates"):
        space(1e-5, wrong)
