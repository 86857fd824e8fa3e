"""The answer says what English dev chose, and what that is worth; it promises nothing that the figures do not hold."""

from tests.report.making import MARGIN, gain, matrix_cell
from xit_ray.report.matrix import MatrixCell
from xit_ray.report.sentences import answers
from xit_ray.report.statistics import Estimate


def cell(name: str, dev: float, value: float | None = None, error: float = 0.005, df: float | None = 8.0) -> MatrixCell:
    made = gain(value, error, df) if value is not None else None
    return matrix_cell(name, "xnli", name, dev, score=Estimate(0.6, 0.0, 0.0, None), gain=made, seeds=3)


def sentence(chosen: MatrixCell, *others: MatrixCell) -> str:
    done = [chosen, *others]
    (answer,) = answers({"xnli": chosen}, done, MARGIN, {one.cell: 0.5 for one in done})
    return answer.text


def test_what_helps() -> None:
    said = sentence(cell("mnli", 0.9, 0.027), cell("none", 0.8))
    assert said == "xnli: mnli helps, +2.7 [+1.5, +3.9] points; zero-shot 60.0, 30.0 device-minutes a seed."


def test_a_choice_that_cannot_be_told_from_none_is_not_announced_as_better() -> None:
    said = sentence(cell("mnli", 0.9, -0.002, 0.03), cell("none", 0.8))
    start = "xnli: mnli, which English dev chooses, is not distinguishable from no intermediate: -0.2 [-7.1, +6.7]"
    assert said.startswith(start)


def test_a_baseline_that_ties_is_not_the_best() -> None:
    said = sentence(cell("none", 1.0), cell("mnli", 1.0, 0.027), cell("squad", 0.9, 0.001, 0.02))
    assert said.startswith(
        "xnli: English dev cannot tell none and mnli apart (100.0 each), whose gains are: mnli +2.7 [+1.5, +3.9] helps"
    )


def test_what_the_test_rows_would_choose_is_said_and_not_chosen() -> None:
    said = sentence(cell("none", 0.9), cell("mnli", 0.8, 0.027))
    assert said.startswith("xnli: English dev chooses no intermediate; zero-shot 60.0")
    assert said.endswith("By the test rows, which choose nothing, mnli (+2.7 [+1.5, +3.9]) would help.")


def test_none_distinguishable() -> None:
    said = sentence(cell("none", 0.9), cell("mnli", 0.8, 0.001, 0.02))
    assert said.startswith("xnli: English dev chooses no intermediate, and none is distinguishable from it; zero-shot")


def test_one_seed_is_too_little() -> None:
    said = sentence(cell("mnli", 0.9, 0.027, df=None), cell("none", 0.8))
    assert said.startswith("xnli: English dev chooses mnli, +2.7 points with one seed, too little to judge; zero-shot")


def test_harm_is_called_so() -> None:
    said = sentence(cell("mnli", 0.9, -0.03), cell("none", 0.8))
    assert said.startswith("xnli: English dev chooses mnli, which harms, -3.0 [-4.2, -1.8] points; zero-shot")


def test_one_seed_is_too_little_for_the_baseline_too() -> None:
    baseline = matrix_cell("none", "xnli", "none", 0.9, score=Estimate(0.6, 0.0, 0.0, None), seeds=1)
    said = sentence(baseline, cell("mnli", 0.8, 0.01, df=None))
    assert said.startswith(
        "xnli: English dev chooses no intermediate, with one seed, too little to judge; zero-shot 60.0"
    )
