"""The end of a search on the console: the matrix, the languages, the best recipe, and where to look further."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from xit_ray.report.build import HTML
from xit_ray.report.suite import SuiteTable
from xit_ray.report.summary import LanguageTable, Summary, gain_text, replicates_text, summarise
from xit_ray.stages.store import Store


def show(folder: Path, store_root: str, console: Console, mlflow: str) -> None:
    """Print a run's result."""
    summary = summarise(folder, Store(store_root))
    console.print()
    console.print(_matrix(summary))
    console.print("Gain in points over the baseline's mean zero-shot score (in brackets), 95 % interval.", style="dim")
    fresh = [f"{cell.intermediate} → {cell.target}" for cell in summary.cells.values() if cell.fresh]
    if fresh:
        console.print(
            f"Trained again with fresh seeds, which alone count: {', '.join(fresh)}; a gain is over the baseline's "
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
    if summary.ranking is not None:
        regrets = ", ".join(
            f"{'–' if value is None else f'{100 * value:.1f}'} at {k}" for k, value in summary.ranking.regrets.items()
        )
        console.print(
            f"Ranked before training by {summary.ranking.by}, {summary.ranking.device_seconds:.0f} device-seconds: "
            f"{summary.ranking.left_out} cells left out; regret in points among those trained: {regrets}.",
            highlight=False,
        )
    if summary.suite is not None:
        console.print()
        console.print(_suite(summary.suite))
    console.print()
    for target, cell in summary.best.items():
        first = "no intermediate" if cell.is_baseline else escape(f"{cell.intermediate} first")
        model = escape(f", {cell.model}") if cell.is_baseline and cell.model else ""
        dev = 100 * (cell.dev_en or 0)
        console.print(
            f"[bold]Best recipe for {target}[/bold] (by English dev, {dev:.1f}): {first}{model}; "
            f"zero-shot {100 * (cell.zero_shot or 0):.1f}{replicates_text(cell)}. Trial {cell.trial}.",
            highlight=False,
        )
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


def _matrix(summary: Summary) -> Table:
    table = Table(title="Transfer matrix", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("intermediate")
    for target in summary.targets:
        table.add_column(target, justify="right")
    for intermediate in summary.intermediates:
        cells = [summary.cells.get((intermediate, target)) for target in summary.targets]
        style = ["bold" if cell is not None and summary.best.get(cell.target) == cell else "" for cell in cells]
        texts = [Text(gain_text(cell), style=how) for cell, how in zip(cells, style, strict=True)]
        table.add_row(Text(intermediate), *texts)
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
