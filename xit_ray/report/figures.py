"""The report's figures, by matplotlib: for the page in light and dark, and as SVG and PNG for papers and slides."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from xit_ray.report.colours import BLUE, ORANGE, STRONGEST, hue, strength
from xit_ray.report.summary import Summary
from xit_ray.report.words import points, signed

INK, GROUND = "#1c2128", "#ffffff"
DARK = {INK: "#e6e9ee", GROUND: "#14171c"}
"""What stands for both in the dark."""
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#999999", "#f0e442")
"""Of Okabe and Ito (2008), which people with any colour vision can tell apart; markers tell more than eight."""
MARKERS = "osD^vP*X"
PANELS = 12
"""Most panels of a figure."""


@dataclass(frozen=True)
class Drawn:
    """A figure as the bytes of files."""

    name: str
    words: str
    """What it shows."""
    svg: bytes
    dark_svg: bytes
    png: bytes


def _figures(summary: Summary) -> dict[str, tuple[str, Callable[[], Figure]]]:
    """By name: what a figure shows, in words, and what draws it."""
    all_figures: dict[str, tuple[str, bool, Callable[[], Figure]]] = {
        "matrix": (
            "Transfer matrix: gain over the baseline by intermediate and target; hollow where the interval crosses 0",
            any(cell.gain for cell in summary.cells.values()),
            lambda: _matrix(summary),
        ),
        "gains": (
            "Gains with their 95 % intervals, by target",
            any(cell.gain for cell in summary.cells.values()),
            lambda: _gains(summary),
        ),
        "cost": (
            "Zero-shot score against the cost of each recipe alone, and the front",
            any(row["zero_shot"] is not None for row in summary.trials),
            lambda: _cost(summary),
        ),
        "curves": (
            "English dev during the target stage; a cross ends a trial that was stopped early",
            any(len(curve.points) > 1 for curve in summary.curves),
            lambda: _curves(summary),
        ),
        "forecast": (
            "Device-seconds of every stage and evaluation, as forecast"
            f"{'' if all(row['calibrated'] for row in summary.forecasts) else ' at the mean speed of the search itself'}"
            " and as measured; what lies on the line was forecast right",
            bool(_timed(summary)),
            lambda: _forecast(summary),
        ),
        "predicted": (
            "Estimates made before training against measured gains",
            summary.preselection is not None and bool(_predictions(summary)),
            lambda: _predicted(summary),
        ),
    }
    return {name: (words, draw) for name, (words, has_data, draw) in all_figures.items() if has_data}


def matrix(summary: Summary) -> Figure | None:
    """The transfer matrix; None where no cell has a gain."""
    if not any(cell.gain for cell in summary.cells.values()):
        return None
    with _style():
        return _matrix(summary)


def draw(summary: Summary) -> list[Drawn]:
    """All figures of a report that have something to show."""
    return [_drawn(name, words, figure) for name, (words, figure) in _figures(summary).items()]


def _drawn(name: str, words: str, make: Callable[[], Figure]) -> Drawn:
    with _style():
        figure, svg, png = make(), io.BytesIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
        figure.set_layout_engine("none")  # everything has its place by now
        figure.savefig(png, format="png", dpi=200)
    text = svg.getvalue().decode()
    dark = re.sub("|".join(DARK), lambda colour: DARK[colour[0]], text)
    return Drawn(name, words, text.encode(), dark.encode(), png.getvalue())


@contextmanager
def _style() -> Iterator[None]:
    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "xit_ray",  # the same file for the same figure
        "font.size": 9,
        "figure.facecolor": GROUND,
        "axes.facecolor": GROUND,
        "savefig.facecolor": GROUND,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
    }
    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    with mpl.rc_context(settings | dict.fromkeys(inked, INK)):
        yield


def _panels(names: list[str], height: float = 2.6) -> tuple[Figure, dict[str, Axes]]:
    """A figure with a panel per name, three in a row."""
    names = names[:PANELS]
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.3 * columns + 0.4, height * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, name in zip(axes, names, strict=False):
        axis.set_title(name, loc="left", fontweight="bold")
    for axis in axes[len(names) :]:
        axis.set_visible(False)
    return figure, dict(zip(names, axes, strict=False))


def _marks(summary: Summary) -> dict[str, dict[str, Any]]:
    """Colour and marker of every row of the matrix."""
    return {
        row: {"color": SERIES[place % len(SERIES)], "marker": MARKERS[place // len(SERIES) % len(MARKERS)]}
        for place, row in enumerate(summary.rows)
    }


def _legend(figure: Figure, axes: dict[str, Axes]) -> None:
    known: dict[str, Any] = {}
    for axis in axes.values():
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            known.setdefault(label, handle)
    figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=min(4, max(1, len(known))))


def _matrix(summary: Summary) -> Figure:
    rows, targets = summary.rows, summary.targets
    size = 1.1 * len(targets) + 0.11 * max(map(len, rows)) + 0.4, 0.36 * len(rows) + 1.0
    figure = Figure(figsize=size, layout="constrained")
    axis = figure.subplots()
    for y, row in enumerate(rows):
        for x, target in enumerate(targets):
            cell = summary.cells.get((row, target))
            if cell is None or cell.trial is None:
                axis.text(x, y, "–", ha="center", va="center")
                continue
            gain = cell.gain
            if gain is None:
                axis.text(x, y, f"({points(cell.zero_shot)})", ha="center", va="center")
                continue
            colour, share = hue(gain.value), STRONGEST * strength(gain.value)
            face = colors.LinearSegmentedColormap.from_list("", [GROUND, colour])(share)
            sure = gain.low is not None and gain.high is not None and not gain.low <= 0 <= gain.high
            axis.add_patch(
                mpl.patches.Rectangle(
                    (x - 0.46, y - 0.42),
                    0.92,
                    0.84,
                    facecolor=face if sure else "none",
                    edgecolor=colour,
                    linewidth=1.2,
                )
            )
            best = summary.best.get(target) == cell
            axis.text(
                x, y, signed(gain.value), ha="center", va="center", fontweight="bold" if best else "normal", color=INK
            )
    axis.set_xlim(-0.5, len(targets) - 0.5)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xticks(range(len(targets)), targets, rotation=30, ha="left")
    axis.set_yticks(range(len(rows)), rows)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return figure


def _gains(summary: Summary) -> Figure:
    targets = [t for t in summary.targets if any(c.gain for (_, target), c in summary.cells.items() if target == t)]
    count = max(sum(c.gain is not None for (_, target), c in summary.cells.items() if target == t) for t in targets)
    figure, axes = _panels(targets, height=0.24 * count + 0.9)
    for target, axis in axes.items():
        cells = [cell for (_, name), cell in summary.cells.items() if name == target and cell.gain is not None]
        for y, cell in enumerate(cells):
            gain = cell.gain
            assert gain is not None
            colour = BLUE if gain.verdict == "helps" else ORANGE if gain.verdict == "harms" else "#888888"
            if gain.low is not None and gain.high is not None:
                axis.plot([100 * gain.low, 100 * gain.high], [y, y], color=colour, linewidth=1.6)
            axis.plot(100 * gain.value, y, "o", color=colour, markersize=4)
        axis.axvline(0, color=INK, linewidth=0.6)
        axis.set_yticks(range(len(cells)), [cell.row for cell in cells])
        axis.set_ylim(len(cells) - 0.5, -0.5)
        axis.set_xlabel("points over the baseline")
    return figure


def _cost(summary: Summary) -> Figure:
    done = [row for row in summary.trials if row["zero_shot"] is not None]
    figure, axes = _panels(list(dict.fromkeys(row["target"] for row in done)))
    marks = _marks(summary)
    for target, axis in axes.items():
        mine = [row for row in done if row["target"] == target]
        for row in mine:
            name = summary.row_of(row)
            axis.plot(
                row["device_seconds"], 100 * row["zero_shot"], linestyle="", markersize=5, label=name, **marks[name]
            )
        front = [row for row in summary.front if row["target"] == target and row["zero_shot"] is not None]
        axis.plot(
            [row["device_seconds"] for row in front],
            [100 * row["zero_shot"] for row in front],
            color=INK, linewidth=0.7, linestyle=":",
        )  # fmt: skip
        axis.set_xlabel("device-seconds, alone")
        axis.set_ylabel("zero-shot mean")
    _legend(figure, axes)
    return figure


def _curves(summary: Summary) -> Figure:
    curves = [curve for curve in summary.curves if curve.points]
    figure, axes = _panels(list(dict.fromkeys(curve.target for curve in curves)))
    marks = _marks(summary)
    for curve in curves:
        if curve.target not in axes:
            continue
        axis, mark = axes[curve.target], marks[curve.row]
        steps, values = zip(*curve.points, strict=True)
        axis.plot(steps, [100 * value for value in values], linewidth=1, label=curve.row, color=mark["color"])
        if curve.stopped:
            axis.plot(steps[-1], 100 * values[-1], "x", color=mark["color"], markersize=6)
    for axis in axes.values():
        axis.set_xlabel("step of the target stage")
        axis.set_ylabel("best English dev so far")
    _legend(figure, axes)
    return figure


def _timed(summary: Summary) -> list[dict[str, Any]]:
    """Forecasts that have a place on axes of logarithms."""
    return [row for row in summary.forecasts if min(row["forecast_seconds"], row["device_seconds"]) > 0]


def _forecast(summary: Summary) -> Figure:
    figure, axes = _panels(["forecast"], height=3.2)
    (axis,) = axes.values()
    axis.set_title("", loc="left")
    shown = _timed(summary)
    for number, role in enumerate(dict.fromkeys(row["role"] for row in shown)):
        pairs = [(row["forecast_seconds"], row["device_seconds"]) for row in shown if row["role"] == role]
        axis.plot(*zip(*pairs, strict=True), MARKERS[number], markersize=4, color=SERIES[number], label=role)
    ends = [value for row in shown for value in (row["forecast_seconds"], row["device_seconds"])]
    axis.plot([min(ends), max(ends)], [min(ends), max(ends)], color=INK, linewidth=0.6)
    axis.set(xscale="log", yscale="log", xlabel="forecast, device-seconds", ylabel="measured")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter(LogFormatter())
        side.set_minor_formatter(LogFormatter())
    _legend(figure, axes)
    return figure


def _predictions(summary: Summary) -> dict[str, list[tuple[str, float, float]]]:
    """By target: row, estimate, measured gain in points."""
    known: dict[str, list[tuple[str, float, float]]] = {}
    for ranked in summary.preselection.targets if summary.preselection else ():
        for estimate, cells in ranked.rows:
            for cell in cells:
                if cell.gain is not None and estimate.estimate is not None:
                    known.setdefault(cell.target, []).append((cell.row, estimate.estimate, 100 * cell.gain.value))
    return known


def _predicted(summary: Summary) -> Figure:
    by_target = _predictions(summary)
    figure, axes = _panels(list(by_target))
    marks = _marks(summary)
    for target, axis in axes.items():
        for row, estimate, gain in by_target[target]:
            axis.plot(estimate, gain, linestyle="", markersize=5, label=row, **marks[row])
        axis.axhline(0, color=INK, linewidth=0.6)
        axis.set_xlabel(f"estimate ({summary.preselection.by if summary.preselection else ''})")
        axis.set_ylabel("measured gain, points")
    _legend(figure, axes)
    return figure
