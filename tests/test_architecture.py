"""The shape of the house. Lint, types and the arrows between the rooms are ``make check``."""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = [file for folder in ("xit_ray", "benchmarks") for file in (ROOT / folder).rglob("*.py")]
ROOMS_OF_KINDS = ("xit_ray/tasks/", "xit_ray/data/kinds/", "xit_ray/core/kinds/", "xit_ray/testing/")

MANY_PARAMETERS = {
    "xit_ray/core/attention.py: packed_attention": "transformers calls it, with these",
    "xit_ray/core/train.py: train_stage": "all that a stage is made of, and what follows it",
    "xit_ray/core/step.py: __init__": "all that a step works with",
    "xit_ray/plan/__main__.py: plan": "the options of the command",
    "xit_ray/search/__main__.py: search": "the options of the command",
    "xit_ray/search/progress.py: __init__": "all that is shown of a search",
    "benchmarks/trainer.py: trainer": "the peer's settings",
}
"""Functions with more than six parameters, and why."""


def test_files_can_be_read_in_one_sitting() -> None:
    assert [str(file) for file in FILES if len(file.read_text("utf-8").splitlines()) > 350] == []


def test_nobody_asks_for_the_kind_of_a_task_outside_the_rooms_of_kinds() -> None:
    from xit_ray.tasks.kinds import BUILT_IN

    names = "|".join(kind.__name__ for kind in BUILT_IN.values())
    asked = re.compile(rf"isinstance\([^)]*\b({names})\b")
    outside = [file for file in FILES if not str(file.relative_to(ROOT)).startswith(ROOMS_OF_KINDS)]
    assert [str(file) for file in outside if asked.search(file.read_text("utf-8"))] == []


def test_functions_have_few_parameters() -> None:
    """Six, ``self`` not counted, where there is no reason for more."""
    many = set()
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                if len([name for name in names if name not in ("self", "cls")]) > 6:
                    many.add(f"{file.relative_to(ROOT)}: {node.name}")
    assert many == set(MANY_PARAMETERS)


def test_the_arrows_have_no_exceptions() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert contracts
    assert all("ignore_imports" not in contract for contract in contracts)
