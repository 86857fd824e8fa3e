"""The answer to a search's question, one sentence per target: what English dev chose, what it gains, and what it costs.

English dev chooses; the gain in other languages, measured afterwards, says what the choice is worth. Where English dev cannot
tell recipes apart, or the gain cannot be told from none, the sentence says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xit_ray.report.matrix import MatrixCell
from xit_ray.report.words import cost_text, gain_text, points
from xit_ray.spec.cell import Cell


@dataclass(frozen=True)
class Answer:
    """What a search says about one target."""

    target: str
    text: str
    """A sentence, which begins with the target's name."""
    short: str
    """The same in a few words, without the name."""


def answers(
    best: Mapping[str, MatrixCell], done: Sequence[MatrixCell], margin: float, device_hours: Mapping[Cell, float]
) -> list[Answer]:
    """One per target that has a finished trial.

    Args:
        best: by target, the cell with the best English dev.
        done: cells that have a finished trial.
        margin: largest difference that does not matter, as a share.
        device_hours: of one seed of a cell's recipe, alone.
    """
    return [
        _answer(target, cell, [other for other in done if other.target == target], margin, device_hours[cell.cell])
        for target, cell in best.items()
    ]


def tied_with(cell: MatrixCell, done: Sequence[MatrixCell]) -> list[MatrixCell]:
    """The other cells of the target that English dev cannot tell from the chosen one."""
    return [
        other
        for other in done
        if other is not cell
        and (other.target, other.reseeded, other.dev_en) == (cell.target, cell.reseeded, cell.dev_en)
    ]


def _answer(target: str, cell: MatrixCell, column: Sequence[MatrixCell], margin: float, hours: float) -> Answer:
    tied = tied_with(cell, column)
    if tied:
        text, short = _of_ties([cell, *tied], margin)
    elif cell.cell.is_baseline:
        text, short = _of_baseline(cell, column)
    else:
        text, short = _of_intermediate(cell, margin)
    cost = f"{cost_text(hours)} a seed" if cell.seeds > 1 else cost_text(hours)
    sentences = (
        f"{target}: {text}; {f'{cell.row} has ' if tied else ''}zero-shot {points(cell.zero_shot)}, {cost}.",
        _also([cell, *tied], column, margin),
    )
    return Answer(target, " ".join(filter(None, sentences)), f"{short} · {cost}")


def _of_ties(together: Sequence[MatrixCell], margin: float) -> tuple[str, str]:
    gains = "; ".join(f"{one.row} {gain_text(one.gain, margin)}" for one in together if one.gain)
    text = f"English dev cannot tell {_listed([one.row for one in together])} apart ({points(together[0].dev_en)} each)"
    short = f"English dev cannot tell {len(together)} apart"
    return (f"{text}, whose gains are: {gains}", f"{short}: {gains}") if gains else (text, short)


def _of_baseline(cell: MatrixCell, column: Sequence[MatrixCell]) -> tuple[str, str]:
    verdicts = {one.gain.verdict for one in column if one.gain is not None} - {"one seed"}
    text = "English dev chooses no intermediate"
    if verdicts and not verdicts & {"helps", "harms"}:
        text += ", and none is distinguishable from it"
    elif not verdicts and cell.seeds == 1 and len(column) > 1:
        text += ", with one seed, too little to judge"
    return text, f"no intermediate, {points(cell.zero_shot)}"


def _of_intermediate(cell: MatrixCell, margin: float) -> tuple[str, str]:
    gain = gain_text(cell.gain, margin)
    if cell.gain is None:
        return f"English dev chooses {cell.row}, whose gain could not be measured", cell.row
    if cell.gain.verdict == "helps":
        figures = gain.removesuffix(" helps")
        return f"{cell.row} helps, {figures} points", f"{cell.row} helps: {figures}"
    if cell.gain.verdict == "harms":
        figures = gain.removesuffix(" harms")
        return f"English dev chooses {cell.row}, which harms, {figures} points", f"{cell.row} harms: {figures}"
    if cell.gain.verdict == "one seed":
        figures = gain.removesuffix(" one seed")
        return (
            f"English dev chooses {cell.row}, {figures} points with one seed, too little to judge",
            f"{cell.row}: {gain}",
        )
    text = f"{cell.row}, which English dev chooses, is not distinguishable from no intermediate: {gain}"
    return text, f"not distinguishable: {cell.row} {gain}"


def _also(chosen: Sequence[MatrixCell], column: Sequence[MatrixCell], margin: float) -> str:
    """Cells that English dev did not choose and that help."""
    others = [one for one in column if one not in chosen and one.gain is not None and one.gain.verdict == "helps"]
    if not others:
        return ""
    best = sorted(others, key=lambda one: -(one.gain.value if one.gain else 0.0))[:2]
    gains = [f"{one.row} ({gain_text(one.gain, margin).removesuffix(' helps')})" for one in best]
    more = f" and {len(others) - len(best)} more" if len(others) > len(best) else ""
    return f"By the test rows, which choose nothing, {_listed(gains)}{more} would help."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
