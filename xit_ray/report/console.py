"""The end of a search on the console: the matrix, the languages, the best recipe, and where to look further."""

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
from xit_ray.report.words import cell_text, points, seeds_text, settle_text
from xit_ray.spec.commands import bytes_in_words


def show(summary: Summary, folder: Path, console: Console, mlflow: str) -> None:
    """Print a run's result: tables first, the answers last.

    Args:
        summary: what the report says.
        folder: of the run.
        console: where to print.
        mlflow: how to look at the run's records.
    """
    console.print()
    _line(console, *overlap_lines(summary), style="yellow")
    for table in summary.tables:
        console.print(_languages(table))
        _line(
            console,
            f"{table.task}: above the majority class (for retrieval: chance) in {table.above} of {table.languages} "
            "languages other than English, beyond their intervals.",
        )
        console.print()
    _line(console, *_about_preselection(summary))
    if summary.suite is not None:
        console.print(_suite(summary.suite))
        console.print()
    console.print(_matrix(summary))
    _line(console, *_about_gains(summary), *_about_seeds(summary), style="dim")
    roles = [row["role"] for row in summary.ledger if row["published"]]
    stages = f"{roles.count('intermediate')} intermediate, {roles.count('target')} target"
    spent = f"{summary.spent_seconds:.0f} s of training, {summary.snapshot_seconds:.1f} s of it for snapshots"
    written = bytes_in_words(summary.checkpoint_bytes)
    _line(console, f"Stages trained: {stages}; {spent}; {written} of checkpoints written.", style="dim")
    console.print()
    for warning in summary.warnings:
        console.print(f"[yellow]Warning:[/yellow] {escape(warning)}", highlight=False, soft_wrap=True)
    _line(console, summary.progress, style="bold")
    for answer in summary.answers:
        name, _, rest = answer.text.partition(": ")
        console.print(f"[bold]{escape(name)}[/bold]: {escape(rest)}", highlight=False, soft_wrap=True)
        _line(console, *_about_choice(summary.best[answer.target], summary), style="dim")
    console.print(Text(f"Report:  {folder / HTML}"), soft_wrap=True)
    console.print(Text(f"MLflow:  {mlflow}"), soft_wrap=True)


def _line(console: Console, *lines: str, style: str = "") -> None:
    for line in filter(None, lines):
        console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)


def _about_preselection(summary: Summary) -> list[str]:
    found = summary.preselection
    if found is None:
        return []
    regrets = (f"{'–' if value is None else f'{100 * value:.1f}'} at {k}" for k, value in found.regrets.items())
    return [
        f"Estimated before training by {found.by}, {found.device_seconds:.0f} device-seconds: {found.left_out} cells left "
        f"out; regret in points among those trained: {', '.join(regrets)}."
    ]


def _about_seeds(summary: Summary) -> list[str]:
    again = [f"{cell.row} → {cell.target}" for cell in summary.cells.values() if cell.reseeded]
    if not again:
        return []
    return [
        f"Trained again with fresh seeds, which alone count: {', '.join(again)}; a gain is over the baseline's fresh seeds "
        "where both have them, else over the baseline as it was before."
    ]


def _about_choice(cell: MatrixCell, summary: Summary) -> list[str]:
    """What a target's choice rests on, and what would settle it."""
    trials = f"trial {cell.trial}" if len(cell.replicates) == 1 else f"trials {', '.join(cell.replicates)}"
    lines = [f"  English dev {points(cell.dev_en)}, {seeds_text(cell)}: {trials}."]
    settled = settle_text(cell, summary.margin, summary.device_hours[cell.cell])
    if settled:
        lines.append(f"  Its gain is not known yet: {settled}.")
    oracle = summary.oracles.get(cell.target)
    if oracle is not None:
        lines.append(
            f"  Oracle: {points(oracle.value)} for recipes chosen by the other languages' labels on one half of the items "
            f"and scored on the other (it chooses nothing here); English dev's choice: {points(oracle.by_english_dev)}."
        )
    return lines


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
