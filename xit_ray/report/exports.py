"""Every table as CSV, the matrix as LaTeX, every figure as SVG and PNG."""

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from xit_ray.report.figures import Drawn
from xit_ray.report.matrix import MatrixCell
from xit_ray.report.matrix_table import as_table, by_language_table
from xit_ray.report.summary import Summary
from xit_ray.report.words import points, signed

SPECIAL = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
           "^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "→": r"$\rightarrow$", ">": "$>$", "<": "$<$"}  # fmt: skip


def write(summary: Summary, figures: Iterable[Drawn], folder: Path) -> None:
    """Write all files of a report's folder."""
    folder.mkdir(exist_ok=True)
    cells = list(summary.cells.values())
    tables: dict[str, list[dict[str, Any]]] = {
        "matrix": as_table(cells, summary.best.values()).to_pylist(),
        "gains_by_language": by_language_table(cells).to_pylist(),
        "trials": summary.trials,
        "stages": summary.ledger,
        "forecast": summary.forecasts,
    }
    for name, rows in tables.items():
        _csv(rows, folder / f"{name}.csv")
    answers = [f"* {answer.text}" for answer in summary.answers]
    text = "\n".join(filter(None, [summary.question, "", summary.progress, *answers]))
    (folder / "answers.md").write_text(f"{text}\n", encoding="utf-8")
    (folder / "matrix.tex").write_text(latex(summary), encoding="utf-8")
    for figure in figures:
        (folder / f"{figure.name}.svg").write_bytes(figure.svg)
        (folder / f"{figure.name}.png").write_bytes(figure.png)


def _csv(rows: Iterable[Mapping[str, Any]], file: Path) -> None:
    rows = [{key: " ".join(map(str, v)) if isinstance(v, list) else v for key, v in row.items()} for row in rows]
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)


def latex(summary: Summary) -> str:
    """The transfer matrix as a LaTeX table, which needs the package booktabs."""
    columns = "l" + "r" * len(summary.targets)
    lines = [
        "% needs \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        " & ".join(["intermediate", *map(escaped, summary.targets)]) + r" \\",
        "\\midrule",
    ]
    for row in summary.rows:
        cells = [summary.cells.get((row, target)) for target in summary.targets]
        lines.append(" & ".join([escaped(row), *(_cell(cell, summary) for cell in cells)]) + r" \\")
    note = (
        "Points over the baseline's mean zero-shot score (in brackets), with 95\\,\\% intervals over training seeds and test "
        "items; * differs from it at a false-discovery rate of 5\\,\\%. Bold: best English dev of its column."
    )
    lines += ["\\bottomrule", "\\end{tabular}", f"% {note}"]
    return "\n".join(lines) + "\n"


def _cell(cell: MatrixCell | None, summary: Summary) -> str:
    if cell is None or cell.trial is None:
        return "--"
    gain = cell.gain
    if gain is None:
        text = f"({points(cell.zero_shot)})"
    else:
        sure = "^{*}" if gain.verdict in ("helps", "harms") else ""
        interval = f"_{{[{signed(gain.low)},\\,{signed(gain.high)}]}}" if gain.low is not None else ""
        text = f"${signed(gain.value)}{sure}{interval}$"
    return f"{{\\boldmath\\bfseries {text}}}" if summary.best.get(cell.target) == cell else text


def escaped(text: str) -> str:
    """A text as LaTeX sets it."""
    return re.sub("|".join(map(re.escape, SPECIAL)), lambda found: SPECIAL[found[0]], text)
