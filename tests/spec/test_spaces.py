"""The files of search_spaces: all of them load, and every study has a twin for two cores."""

from pathlib import Path

import pytest

from xit_ray.spec.load import load_generation, load_space, load_task
from xit_ray.spec.points import listed_recipes

FOLDER = Path(__file__).parent.parent.parent / "search_spaces"
OTHERS = {"generated.yaml": load_task, "write_generated.yaml": load_generation}
SPACES = sorted(file.name for file in FOLDER.glob("*.yaml") if file.name not in OTHERS)
ALONE = {"quickstart.yaml", "mini_kinds.yaml"}


@pytest.mark.parametrize("name", SPACES)
def test_a_space_loads_and_lists_its_recipes(name: str) -> None:
    space = load_space(FOLDER / name)
    assert space.name == name.removesuffix(".yaml")
    assert space.question.endswith("?")
    assert list(listed_recipes(space))


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_load(name: str) -> None:
    assert OTHERS[name](FOLDER / name).name == "generated"


@pytest.mark.parametrize(
    "name", [name for name in SPACES if not name.endswith(("_small.yaml", "_medium.yaml")) and name not in ALONE]
)
def test_a_study_has_a_small_twin(name: str) -> None:
    small = load_space(FOLDER / f"{name.removesuffix('.yaml')}_small.yaml")
    assert not small.resources.gpus
