"""Numbers that cannot be had are refused: rows, looks at English dev, finalists."""

from pathlib import Path
from typing import Any

import pytest

from tests.plan.planning import planner
from xit_ray.spec.errors import UserError

ROWS = 3000  # of mini_nli and mini_paraphrase
TARGET = {"mixture": {"task": "mini_nli", "examples": 64}, "batch_size": 8}  # 8 steps


def test_there_are_as_many_rows_as_these_tests_say(tiny_encoder: Path) -> None:
    counts = planner(tiny_encoder, ["mini_nli"])
    assert [counts.row_count(task, "en", None) for task in ("mini_nli", "mini_paraphrase")] == [ROWS, ROWS]
    assert [counts.row_count("mini_nli", "en", most) for most in (10, ROWS + 1)] == [10, ROWS]


@pytest.mark.parametrize(
    "stages",
    [
        [{"mixture": {"task": "mini_nli", "examples": ROWS}}],
        [{**TARGET, "evaluations": 8}],
        [{**TARGET, "epochs": 0.25, "evaluations": 4}],  # two steps; four looks may be asked of any stage
        [{**TARGET, "epochs": 2, "evaluations": 16}],
    ],
)
def test_what_can_be_had_is_planned(tiny_encoder: Path, stages: list[Any]) -> None:
    planner(tiny_encoder, stages).check()


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        (
            [{"mixture": {"task": "mini_nli", "examples": ROWS + 1}}],
            rf"s\.yaml: recipe\.stages\[0\]\.mixture: examples: found {ROWS + 1}; mini_nli has {ROWS} training rows in 'en'",
        ),
        ([{**TARGET, "evaluations": 9}], r"recipe\.stages\[0\]\.evaluations: found 9; the stage has 8 steps"),
        (
            ["mini_paraphrase", {**TARGET, "epochs": 0.5, "evaluations": 5}],
            r"recipe\.stages\[1\]\.evaluations: found 5; the stage has 4 steps",
        ),
        (
            [{"mixture": {"grid": [None, {"task": "mini_nli", "examples": 9999}]}}, TARGET],
            "found 9999; mini_nli has 3000",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(tiny_encoder: Path, stages: list[Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        planner(tiny_encoder, stages).check()


def test_more_finalists_than_recipes_are_refused(tiny_encoder: Path) -> None:
    """Fresh seeds make no further recipe."""
    rates = {**TARGET, "learning_rate": {"grid": [1e-4, 2e-4, 3e-4, 4e-4]}, "seed": {"grid": [0, 1]}}
    for top, said in ((4, None), (5, r"search\.finalists\.top: found 5; the space has 4 recipes of mini_nli")):
        space = planner(tiny_encoder, [rates], search={"finalists": {"top": top, "seeds": 2}})
        if said is None:
            space.check()
        else:
            with pytest.raises(UserError, match=said):
                space.check()
