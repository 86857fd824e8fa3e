"""Recipes are told apart by what differs between them, and by nothing else."""

from typing import Any

from xit_ray.spec.differences import Differences
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Space


def recipe(rate: float, seed: int = 0, before: float | None = 5e-5, **more: Any) -> Recipe:
    first = [] if before is None else [{"mixture": "qqp", "learning_rate": before, "seed": seed}]
    return Recipe.model_validate({"stages": [*first, {"mixture": "xnli", "learning_rate": rate, "seed": seed, **more}]})


def test_only_what_differs_is_named() -> None:
    one, other, baseline = recipe(2e-5), recipe(1e-4, seed=1), recipe(2e-5, before=None)
    differences = Differences([one, other, baseline])
    # Both stages have one seed, which is told once; the intermediate's learning rate is the same everywhere.
    assert [differences.in_words(each) for each in (one, other, baseline)] == [
        "lr 2e-5 · seed 0",
        "lr 0.0001 · seed 1",
        "lr 2e-5 · seed 0",
    ]


def test_settings_of_the_intermediate_are_called_so() -> None:
    differences = Differences([recipe(2e-5, before=1e-5), recipe(2e-5, before=3e-5)])
    assert differences.in_words(recipe(2e-5, before=3e-5)) == "intermediate lr 3e-5"


def test_recipes_that_are_the_same_need_no_words_but_fresh_seeds_do() -> None:
    differences = Differences([recipe(2e-5)])
    assert differences.in_words(recipe(2e-5)) == ""
    assert differences.in_words(recipe(2e-5, seed=90_001), reseeded=True) == "seed 90001"


def test_of_a_space() -> None:
    space = Space.model_validate(
        {
            "name": "a",
            "recipe": {"stages": [{"mixture": "xnli", "learning_rate": {"grid": [1e-5, 3e-5]}, "batch_size": 16}]},
            "replicates": {"seeds": 3},
        }
    )
    assert Differences.of_space(space).names == ["lr", "seed"]


def test_settings_that_go_in_step_where_a_space_is_covered_are_told_apart() -> None:
    rates = {"grid": [1e-5, 3e-5]}
    first = {"mixture": {"grid": [None, "qqp"]}, "learning_rate": rates}
    space = Space.model_validate(
        {"name": "a", "recipe": {"stages": [first, {"mixture": "xnli", "learning_rate": rates}]}}
    )
    assert Differences.of_space(space).names == ["lr", "intermediate lr"]


def test_several_intermediates_and_rules_of_sampling() -> None:
    def long(rate: float, temperature: float) -> Recipe:
        mixture = {"members": ["qqp", "snli"], "sampling": "temperature", "temperature": temperature}
        stages = [{"mixture": "squad", "learning_rate": rate}, {"mixture": mixture}, {"mixture": "xnli"}]
        return Recipe.model_validate({"stages": stages})

    differences = Differences([long(1e-5, 2.0), long(3e-5, 5.0)])
    assert differences.in_words(long(3e-5, 5.0)) == "intermediate 1 lr 3e-5 · intermediate 2 temperature 5"
