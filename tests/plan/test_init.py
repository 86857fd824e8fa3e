"""``xit init``: what it writes is a space that a plan takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from xit_ray.spec.load import load_space
from xit_ray.spec.points import listed_recipes


def init(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "xit_ray.plan.init", *words], capture_output=True, text=True)


def test_a_space_is_written_and_planned(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    words = ("--target", "mini_nli", "--intermediates", "mini_qa, mini_roles", "--minutes", "30")
    written = init(str(file), *words)
    assert written.returncode == 0, written.stderr
    space = load_space(file)
    assert (space.name, space.budget.minutes) == ("mine", 30)
    assert {recipe.intermediate for recipe in listed_recipes(space)} == {"none", "mini_qa", "mini_roles"}
    comments = [line for line in file.read_text().splitlines() if "#" in line]
    assert len(comments) > 8
    again = init(str(file), *words)
    assert (again.returncode, "exists" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--target", "mini_nil", "--intermediates", "mini_qa"), "did you mean 'mini_nli'"),
        (("--target", "mini_nli", "--intermediates", "tatoeba"), "zero_shot.embedding_tests scores it"),
    ],
)
def test_tasks_that_cannot_be_are_told(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    ended = init(str(tmp_path / "new.yaml"), *words)
    assert (ended.returncode, told in ended.stderr) == (2, True), ended.stderr
    assert not (tmp_path / "new.yaml").exists()


def test_a_model_of_the_hub_keeps_its_commit(tmp_path: Path) -> None:
    commit = "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089"
    words = ("--target", "xnli", "--intermediates", "squad", "--model", f"FacebookAI/xlm-roberta-base@{commit}")
    assert init(str(tmp_path / "mine.yaml"), *words).returncode == 0
    assert load_space(tmp_path / "mine.yaml").recipe["model"] == {
        "name": "FacebookAI/xlm-roberta-base",
        "revision": commit,
    }
