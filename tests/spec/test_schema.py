"""The JSON Schema of search spaces: it takes what the loader takes, and refuses what that refuses."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from xit_ray.data.task_page import task_page
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space
from xit_ray.spec.schema import reference, space_schema
from xit_ray.spec.shipped import shipped
from xit_ray.tasks import registry

ROOT = Path(__file__).parent.parent.parent
SPACES = {name: file for name, file in shipped().items() if "recipe" in yaml.safe_load(file.read_text())}
CHECKED = jsonschema.Draft202012Validator(space_schema())


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(space_schema())
    printed = subprocess.run(
        [sys.executable, "-m", "xit_ray.spec"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert json.loads(printed.stdout) == json.loads(json.dumps(space_schema()))


@pytest.mark.parametrize("name", SPACES)
def test_shipped_spaces_are_taken(name: str) -> None:
    CHECKED.validate(yaml.safe_load(SPACES[name].read_text()))


def valid() -> dict[str, Any]:
    """A space that uses most of the language."""
    nli = {"task": "mini_nli", "examples": {"grid": [64, 128]}, "language": "en"}
    both = {
        "members": ["mini_nli", {"task": "mini_qa", "weight": {"exponential": 1}}],
        "sampling": {"choice": ["uniform"]},
    }
    both["members"][0] = {"task": "mini_nli", "weight": 1.0}
    both["sampling"] = "weights"
    return {
        "name": "valid",
        "recipe": {
            "model": {
                "grid": ["offline:multilingual-e5-small", {"name": "offline:multilingual-e5-small", "frozen_layers": 2}]
            },
            "stages": [
                {
                    "mixture": {"grid": [None, "mini_qa", nli, ["mini_nli", "mini_qa"], both]},
                    "epochs": {"uniform": [1, 2]},
                },
                {
                    "mixture": "mini_paraphrase",
                    "learning_rate": {"loguniform": [1e-5, 1e-4]},
                    "batch_size": {"randint": [8, 16]},
                },
            ],
        },
        "search": {"algorithm": "random", "trials": 4},
        "replicates": 3,
        "zero_shot": {"languages": ["en", "de"]},
        "resources": {"runs": 1},
    }


def stage(tree: dict[str, Any], number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = tree["recipe"]["stages"][number]
    return found


MUTATIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "an unknown key": lambda t: t.update(serach={}),
    "an unknown key of a stage": lambda t: stage(t).update(learning_rat=1e-5),
    "an unknown key of a model": lambda t: t["recipe"].update(model={"nam": "x"}),
    "an unknown key of a mixture": lambda t: stage(t).update(mixture={"members": ["mini_nli"], "samplin": "uniform"}),
    "an unknown key of a member": lambda t: stage(t).update(mixture={"task": "mini_nli", "lang": "de"}),
    "no name": lambda t: t.pop("name"),
    "no recipe": lambda t: t.pop("recipe"),
    "no stages": lambda t: t["recipe"].pop("stages"),
    "an empty list of stages": lambda t: t["recipe"].update(stages=[]),
    "a bad name": lambda t: t.update(name="../elsewhere"),
    "a text for a number": lambda t: stage(t).update(learning_rate="fast"),
    "a rate that is too large": lambda t: stage(t).update(learning_rate=2.0),
    "a bad option of a domain": lambda t: stage(t).update(learning_rate={"grid": [1e-5, "fast"]}),
    "a domain without options": lambda t: stage(t).update(learning_rate={"grid": []}),
    "a domain with two keys": lambda t: stage(t).update(learning_rate={"grid": [1e-5], "choice": [1e-4]}),
    "an unknown domain": lambda t: stage(t).update(learning_rate={"normal": [0, 1]}),
    "a domain of three numbers": lambda t: stage(t).update(learning_rate={"uniform": [1e-5, 1e-4, 1e-3]}),
    "a negative mean": lambda t: stage(t, 0).update(epochs={"exponential": -1}),
    "an unknown rule": lambda t: stage(t).update(mixture={"members": ["mini_nli"], "sampling": "sometimes"}),
    "half an example": lambda t: stage(t).update(mixture={"task": "mini_nli", "examples": 0.5}),
    "too many GPUs a worker": lambda t: t.update(resources={"gpus": 2}),
    "no replicates": lambda t: t.update(replicates=0),
    "an unknown way to keep": lambda t: t.update(keep="some"),
    "a pooling that there is not": lambda t: t["recipe"].update(model={"name": "x", "pooling": "max"}),
}


def test_what_is_valid_is_taken_by_both(tmp_path: Path) -> None:
    CHECKED.validate(valid())
    assert load_space(valid()).name == "valid"


@pytest.mark.parametrize("what", MUTATIONS)
def test_what_is_not_allowed_is_refused_by_both(what: str) -> None:
    tree = copy.deepcopy(valid())
    MUTATIONS[what](tree)
    assert not CHECKED.is_valid(tree), f"the schema takes {what}"
    with pytest.raises(UserError):
        load_space(tree)


def test_the_reference_page_is_that_of_this_version() -> None:
    assert (ROOT / "docs/reference.md").read_text("utf-8") == reference(), "xit schema --markdown > docs/reference.md"


def test_the_page_of_tasks_is_that_of_this_version() -> None:
    page = (ROOT / "docs/task_list.md").read_text("utf-8")
    assert page == task_page(registry.tasks().values()), "xit data list --markdown > docs/task_list.md"


def test_a_space_extends_another(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/base.yaml").write_text(yaml.safe_dump(valid()))
    (tmp_path / "above.yaml").write_text(
        "extends: below/base.yaml\nname: above\nzero_shot: {items: 50}\nrecipe: {model: other}\nreplicates: 1\n"
    )
    joined = load_space(tmp_path / "above.yaml")
    assert (joined.name, joined.zero_shot.items, joined.zero_shot.languages) == ("above", 50, ("en", "de"))
    assert joined.recipe["model"] == "other"  # a value takes a domain's place
    assert joined.recipe["stages"] == valid()["recipe"]["stages"]
    CHECKED.validate(yaml.safe_load((tmp_path / "above.yaml").read_text()))


def test_spaces_that_extend_each_other_are_told(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("extends: other.yaml\nname: one\n")
    (tmp_path / "other.yaml").write_text("extends: one.yaml\nname: other\n")
    with pytest.raises(UserError, match=r"other.yaml: extends: one.yaml extends this file in turn"):
        load_space(tmp_path / "one.yaml")
    (tmp_path / "alone.yaml").write_text("extends: absent.yaml\n")
    with pytest.raises(UserError, match=r"absent.yaml: there is no such file"):
        load_space(tmp_path / "alone.yaml")
