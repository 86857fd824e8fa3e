"""What no interval can tell is said in words."""

from typing import Any

from xit_ray.report.warnings import warnings

TRIALS = [{"trial": "a", "intermediate": "none", "target": "mini_nli", "tests": ["mini_nli"], "status": "done"}]


def score(constant: bool, language: str = "de") -> dict[str, Any]:
    return {"trial": "a", "task": "mini_nli", "language": language, "metric": "accuracy", "constant": constant}


def stage(**about: Any) -> dict[str, Any]:
    return {"label": "mini_nli", "role": "target", "steps": 500, "dev_rows": 500, **about}


def test_nothing_to_warn_of() -> None:
    assert warnings(TRIALS, [stage()], [score(False)]) == []


def test_each_is_named_with_its_figures() -> None:
    assert warnings(TRIALS, [stage(steps=4, dev_rows=6)], [score(True), score(True, "sw")]) == [
        "mini_nli: 1 of 1 trials give one answer to every row: none (in 2 languages). They have not learnt the task.",
        "mini_nli (4): steps of training are few; raise epochs.",
        "English dev of mini_nli has 6 rows: one row more that is right is 16.7 points.",
    ]
