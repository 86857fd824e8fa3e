"""How the report puts things: gains, verdicts, numbers of seeds. Points are hundredths of a share."""

from xit_ray.report.matrix import Gain, MatrixCell
from xit_ray.report.power import seeds_to_settle


def points(value: float | None) -> str:
    """A share in points."""
    return "–" if value is None else f"{100 * value:.1f}"


def signed(value: float | None) -> str:
    """A difference in points."""
    return "–" if value is None else f"{100 * value:+.1f}"


def interval_text(low: float | None, high: float | None) -> str:
    """An interval of differences in points; empty where there is none."""
    return "" if low is None or high is None else f"[{signed(low)}, {signed(high)}]"


def verdict_text(gain: Gain, margin: float) -> str:
    """A verdict in words, with the difference that does not matter."""
    if gain.verdict == "no larger difference":
        return f"no difference larger than {100 * margin:g}"
    return gain.verdict


def gain_text(gain: Gain | None, margin: float) -> str:
    """A gain in points with its interval and verdict, or what keeps it from having any."""
    if gain is None:
        return "–"
    return " ".join(filter(None, (signed(gain.value), interval_text(gain.low, gain.high), verdict_text(gain, margin))))


def cell_text(cell: MatrixCell | None, margin: float) -> str:
    """A cell of the matrix: its gain, or the baseline's own score in brackets."""
    if cell is None or cell.trial is None:
        return "–"
    if cell.gain is None:
        return f"({points(cell.zero_shot)})" if cell.cell.is_baseline else points(cell.zero_shot)
    return gain_text(cell.gain, margin)


def score_text(cell: MatrixCell) -> str:
    """A cell's own score with its interval."""
    interval = cell.score.interval if cell.score else None
    return points(cell.zero_shot) + (f" [{points(interval[0])}, {points(interval[1])}]" if interval else "")


def seeds_text(cell: MatrixCell) -> str:
    """How many seeds a cell stands for."""
    many = cell.seeds
    fresh = "fresh " if cell.reseeded else ""
    return f"mean of {many} {fresh}seeds" if many > 1 else f"one {fresh}seed"


def cost_text(device_hours: float) -> str:
    """A cost in the unit that suits it."""
    for unit, hours in (("device-hours", 1.0), ("device-minutes", 1 / 60)):
        if device_hours >= hours:
            return f"{device_hours / hours:.1f} {unit}"
    return f"{3600 * device_hours:.0f} device-seconds"


def settle_text(cell: MatrixCell, margin: float, device_hours: float) -> str | None:
    """What would settle a cell without a verdict.

    Args:
        cell: the cell.
        margin: largest difference that does not matter, as a share.
        device_hours: of one seed of the cell's recipe and of its baseline.
    """
    if cell.gain is None or cell.gain.verdict != "not known":
        return None
    more = seeds_to_settle(cell, margin)
    if more is None:
        return "seeds alone would not settle it: the test items leave more open"
    hours = more * device_hours
    return f"{more} more seed{'s' if more > 1 else ''}, some {cost_text(hours)}, would settle it"
