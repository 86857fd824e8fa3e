"""A search-space file: what is accepted, what is written out, and what an error says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from xit_ray.spec.errors import UserError
from xit_ray.spec.load import dump_space, load_space
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.recipe import Recipe

GOOD: dict[str, Any] = {
    "name": "s",
    "recipe": {"stages": [{"mixture": {"grid": [None, "mnli"]}}, {"mixture": "xnli", "learning_rate": 1e-4}]},
}


def written(tmp_path: Path, tree: Any) -> Path:
    file = tmp_path / "space.yaml"
    file.write_text(tree if isinstance(tree, str) else yaml.safe_dump(tree))
    return file


def changed(path: str, value: Any) -> dict[str, Any]:
    tree: Any = yaml.safe_load(yaml.safe_dump(GOOD))
    node = tree
    *parents, last = path.split(".")
    for key in parents:
        node = node[int(key) if key.isdigit() else key]
    node[last] = value
    return tree


def test_every_default_is_written_out_and_means_the_same(tmp_path: Path) -> None:
    space = load_space(written(tmp_path, GOOD))
    text = dump_space(space)
    tree = yaml.safe_load(text)
    assert tree["recipe"]["model"]["max_length"] == 128
    assert tree["recipe"]["stages"][0]["mixture"]["grid"][1]["members"][0]["language"] == "en"
    assert tree["recipe"]["stages"][1]["epochs"] == 1.0
    assert tree["search"]["algorithm"] == "grid"
    again = load_space(written(tmp_path, text))
    assert [Recipe.model_validate(p) for p in listed_recipes(again)] == [
        Recipe.model_validate(p) for p in listed_recipes(space)
    ]


def test_override_reaches_into_lists_and_domains(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    space = load_space(file, ("recipe.stages.1.learning_rate={grid: [1e-5, 3e-5]}", "search.seed=7"))
    assert space.search.seed == 7
    assert len(list(listed_recipes(space))) == 4


def test_numbers_like_1e_4_are_numbers(tmp_path: Path) -> None:
    space = load_space(written(tmp_path, changed("recipe.stages.1.learning_rate", "1e-4")))
    assert Recipe.model_validate(next(listed_recipes(space))).stages[1].learning_rate == 1e-4


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (changed("serch", {}), ["serch", "did you mean 'search'"]),
        (changed("recipe.stages.1.learning_rat", 1), ["recipe.stages[1].learning_rat", "did you mean 'learning_rate'"]),
        (changed("recipe.stages.1.learning_rate", -1), ["recipe.stages[1].learning_rate", "-1", "more than 0"]),
        (changed("recipe.stages.1.learning_rate", {"grid": [1e-4, 2]}), ["learning_rate", "found 2", "less than 1"]),
        (changed("recipe.stages.1.mixture", None), ["no mixture", "no target"]),
        (changed("recipe.stages.1.mixture", ["xnli", "pawsx"]), ["say which one is the 'target'"]),
        (changed("recipe.target", "pawsx"), ["'pawsx'", "not in the last stage"]),
        (changed("search", {"algorithm": "gird"}), ["search.algorithm", "'gird'", "'grid'"]),
        (changed("recipe.stages.1.epochs", {"uniform": [3, 1]}), ["recipe.stages[1].epochs.uniform", "low < high"]),
        (changed("name", "a/b"), ["name", "a/b"]),
        ("name: [", ["not YAML"]),
        ("name: a\nname: b", ["'name' is given twice", "line 1"]),
        (changed("recipe.stages.1.batch_size", {"uniform": [4, 8]}), ["recipe.stages[1].batch_size", "a whole number"]),
        (changed("recipe.target", {"grid": ["xnli", "pawsx"]}), ["target 'pawsx' is not in the last stage"]),
        (changed("recipe.stages.1.epochs", {"quniform": [0, 1, 0.3]}), ["epochs", "more than 0"]),
        (changed("recipe.stages.1.seed", {"grid": list(range(30_000))}), ["more than 20,000 recipes"]),
        (changed("recipe.stages.1.epochs", float("inf")), ["recipe.stages[1].epochs", "not infinite"]),
        (changed("recipe.stages.0.mixture", ["mnli", "mnli"]), ["'mnli' is in the mixture twice"]),
        ("- 1", ["found list", "a mapping"]),
        ("name: x", ["recipe", "required"]),
    ],
)
def test_errors_name_file_key_found_and_allowed(tmp_path: Path, tree: Any, said: list[str]) -> None:
    with pytest.raises(UserError) as error:
        load_space(written(tmp_path, tree))
    message = str(error.value)
    assert "space.yaml" in message
    assert "\n" not in message
    for part in said:
        assert part in message


@pytest.mark.parametrize("override", ["search.trials", "recipe.stages.9.epochs=1", "name.x=1", "search.trials=["])
def test_bad_overrides_are_named(tmp_path: Path, override: str) -> None:
    with pytest.raises(UserError, match="--set"):
        load_space(written(tmp_path, GOOD), (override,))


def test_an_anchor_that_contains_itself_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("name: x\nrecipe: &loop\n  stages: [*loop]\n")
    with pytest.raises(UserError, match=r"space\.yaml: a value contains itself"):
        load_space(file)


def test_a_mistake_in_a_space_with_replicates_is_one_line(tmp_path: Path) -> None:
    """Its recipes are looked at one by one before their seeds are listed."""
    for path, value, said in (
        ("recipe.stages.1.learnin_rate", 1e-5, "unknown key; did you mean 'learning_rate'"),
        ("recipe.stages.1.epochs", "long", "found 'long'; allowed: a number"),
        ("recipe.stages", [], "a list of 1 or more"),
    ):
        with pytest.raises(UserError, match=said):
            load_space(written(tmp_path, {**changed(path, value), "replicates": 3}))
