"""The end of a search on the console: the matrix, the languages, the best recipe, and where to look further."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from xit_ray.data.overlap import percent
from xit_ray.report.build import HTML
from xit_ray.report.matrix import MatrixCell
from xit_ray.report.suite import SuiteTable
from xit_ray.report.summary import LanguageTable, Summary
from xit_ray.report.words import cell_text, gain_text, points, seeds_text, settle_text
from xit_ray.spec.cell import BASELINE


def show(summary: Summary, folder: Path, console: Console, mlflow: str) -> None:
    """Print a run's result."""
    console.print()
    for line in overlap_lines(summary):
        console.print(line, style="yellow", highlight=False, markup=False, soft_wrap=True)
    console.print(_matrix(summary))
    for line in _about_gains(summary):
        console.print(line, style="dim", highlight=False, soft_wrap=True)
    again = [f"{cell.row} → {cell.target}" for cell in summary.cells.values() if cell.reseeded]
    if again:
        console.print(
            f"Trained again with fresh seeds, which alone count: {', '.join(again)}; a gain is over the baseline's "
            "fresh seeds where both have them, else over the baseline as it was before.",
            style="dim",
            highlight=False,
            markup=False,
        )
    for table in summary.tables:
        console.print()
        console.print(_languages(table))
        console.print(
            f"{table.task}: above the majority class (for retrieval: chance) in {table.above} of {table.languages} "
            "languages other than English.",
            highlight=False,
        )
    if summary.preselection is not None:
        regrets = ", ".join(
            f"{'–' if value is None else f'{100 * value:.1f}'} at {k}"
            for k, value in summary.preselection.regrets.items()
        )
        console.print(
            f"Estimated before training by {summary.preselection.by}, {summary.preselection.device_seconds:.0f} "
            f"device-seconds: {summary.preselection.left_out} cells left out; regret in points among those trained: "
            f"{regrets}.",
            highlight=False,
        )
    if summary.suite is not None:
        console.print()
        console.print(_suite(summary.suite))
    console.print()
    for target, cell in summary.best.items():
        for line in _best(target, cell, summary):
            console.print(line, highlight=False, soft_wrap=True)
    for warning in summary.warnings:
        console.print(f"[yellow]Warning:[/yellow] {escape(warning)}", highlight=False, soft_wrap=True)
    trained = [row for row in summary.ledger if row["published"]]
    roles = [row["role"] for row in trained]
    console.print(
        f"Stages trained: {roles.count('intermediate')} intermediate, {roles.count('target')} target; "
        f"{summary.spent_seconds:.0f} s of training.",
        highlight=False,
    )
    console.print(Text(f"Report:  {folder / HTML}"), soft_wrap=True)
    command = (
        f"mlflow ui --backend-store-uri {shlex.quote(mlflow)}"
        if "://" in mlflow and not mlflow.startswith("http")
        else mlflow
    )
    console.print(Text(f"MLflow:  {command}"), soft_wrap=True)


def overlap_lines(summary: Summary) -> list[str]:
    """What of the test sets is among rows that train or choose; nothing where that is next to nothing."""
    if not summary.overlaps:
        return []
    allowed = summary.allowed_overlap
    head = (
        [f"This space allows an overlap of {percent(allowed)} of a test set with what is trained on."]
        if allowed
        else []
    )
    return head + [one.in_words for one in summary.overlaps]


def _about_gains(summary: Summary) -> list[str]:
    """What the figures of the matrix are."""
    gains = [cell.gain for cell in summary.cells.values() if cell.gain is not None]
    known = [gain for gain in gains if gain.verdict != "one seed"]
    lines = ["Gain in points over the baseline's mean zero-shot score (in brackets)."]
    if known:
        lines[0] += " Intervals are of 95 %, over training seeds and test items."
        lines.append(
            f"Verdicts are corrected for the {len(known)} comparisons of the matrix (Benjamini-Hochberg, 5 %)."
        )
    if len(known) < len(gains):
        lines.append(
            "One seed: nothing tells how far a gain would move with another seed, so it has no interval and no verdict; "
            "give the space 'replicates: 3'."
        )
    return lines


def _best(target: str, cell: MatrixCell, summary: Summary) -> list[str]:
    """The chosen recipe of a target, what it gains, and how much the choice is worth."""
    first = "no intermediate" if cell.cell.is_baseline else escape(f"{cell.row} first")
    model = escape(f", {cell.cell.model}") if cell.cell.is_baseline and cell.row != BASELINE else ""
    gain = f", gain {gain_text(cell.gain, summary.margin)}" if cell.gain is not None else ""
    lines = [
        f"[bold]Best recipe for {target}[/bold] (by English dev, {points(cell.dev_en)}): {first}{model}; zero-shot "
        f"{points(cell.zero_shot)}{escape(gain)}, {seeds_text(cell)}. {_trials(cell)}."
    ]
    settled = settle_text(cell, summary.margin, summary.device_hours[cell.cell])
    if settled:
        lines.append(f"  Its gain is not known yet: {settled}.")
    oracle = summary.oracles.get(target)
    if oracle is not None:
        lines.append(
            f"  Oracle, by the other languages' labels, which choose nothing here: {points(oracle.value)}; English dev's "
            f"choice on the same rows: {points(oracle.by_english_dev)}."
        )
    return lines


def _trials(cell: MatrixCell) -> str:
    return f"Trial {cell.trial}" if len(cell.replicates) == 1 else f"Trials {', '.join(cell.replicates)}"


def _matrix(summary: Summary) -> Table:
    table = Table(title="Transfer matrix", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("intermediate")
    for target in summary.targets:
        table.add_column(target, justify="right")
    for row in summary.rows:
        cells = [summary.cells.get((row, target)) for target in summary.targets]
        style = ["bold" if cell is not None and summary.best.get(cell.target) == cell else "" for cell in cells]
        texts = [Text(cell_text(cell, summary.margin), style=how) for cell, how in zip(cells, style, strict=True)]
        table.add_row(Text(row), *texts)
    return table


def _suite(data: SuiteTable) -> Table:
    title = f"{data.name}: tasks, groups and overall"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("intermediate")
    for name in data.columns:
        table.add_column(name, justify="right", overflow="fold")
    for name, values in data.rows.items():
        table.add_row(Text(name), *("–" if value is None else f"{100 * value:.1f}" for value in values))
    return table


def _languages(data: LanguageTable) -> Table:
    table = Table(title=data.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("language")
    for name in (*data.columns, "majority", "items"):
        table.add_column(Text(name), justify="right", overflow="fold")
    for row in data.rows:
        cells = [
            Text("–") if value is None else Text(f"{100 * value:.1f}", style="" if value > row.majority else "red")
            for value in row.values
        ]
        table.add_row(row.language, *cells, f"{100 * row.majority:.1f}", str(row.n))
    return table
