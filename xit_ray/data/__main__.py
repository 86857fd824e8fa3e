"""``python -m xit_ray.data``: which tasks there are, what of their data is here, whether it is good, how it looks."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from xit_ray.data import check as checking
from xit_ray.data import leaks, rows
from xit_ray.data.kinds import data_kind
from xit_ray.data.source import Source, parse_source
from xit_ray.data.task_page import task_page
from xit_ray.spec import commands
from xit_ray.spec.errors import AbsentError, UserError, unknown
from xit_ray.spec.load import load_task
from xit_ray.tasks import own, registry
from xit_ray.tasks.base import SPLITS, Split, Task
from xit_ray.tasks.suites import SUITES

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
DataOption = Annotated[str | None, typer.Option(help="Folder, 'hub' or 'mirror:DIR' (also XIT_DATA).")]
TasksOption = Annotated[list[str] | None, typer.Option(help="YAML file that describes a task of your own.")]


@app.command(name="list")
def list_(
    data: DataOption = None,
    tasks: TasksOption = None,
    suite: Annotated[str | None, typer.Option(help="Only the tasks of a suite: xtreme or xtreme-r.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="A page of what the tasks say of themselves.")] = False,
) -> None:
    """List the tasks, their languages and licences, and the rows that are present in the data folder."""
    if markdown:
        print(task_page(_known(tasks, suite)), end="")
        return
    source = parse_source(data)
    table = Table(box=None, pad_edge=False)
    for column in ("task", "kind", "train", "dev", "test", "metric", "licence"):
        table.add_column(column, no_wrap=column == "task")
    for task in _known(tasks, suite):
        counts = [_count(task, split, source) for split in SPLITS]
        table.add_row(task.name, task.kind, *counts, task.metric, task.licence)
    console = commands.console()
    console.print(table)
    if source.kind != "folder":
        console.print("Rows of a folder are counted with --data DIR; the hub's are not downloaded for a list.")


def _known(described: list[str] | None, suite: str | None = None) -> list[Task]:
    """The tasks there are, a user's own first."""
    if suite is not None and suite not in SUITES:
        raise unknown("suite", suite, SUITES)
    ours = [load_task(file) for file in described or ()]
    own.register(ours)
    named = [registry.get(one.name) for one in ours]
    return named + [task for task in registry.tasks().values() if suite is None or task.name in SUITES[suite].languages]


def _count(task: Task, split: Split, source: Source) -> str:
    languages = task.split_languages(split)
    if not languages:
        return "–"
    here = task.builtin or task.root is not None
    if not here and source.kind in ("hub", "mirror") and not _on_hub(task):
        return "not on the hub"
    if not here and source.kind != "folder":
        return f"{len(languages)} language{'s' if len(languages) > 1 else ''}"
    counts = []
    for language in languages:
        try:
            counts.append(len(rows.load(task, split, language, source)))
        except AbsentError:
            continue  # which is what the count says
        except UserError:
            return f"[red]bad rows, see data show {task.name} {language} --split {split}[/red]"
    if not counts:
        return "missing"
    of = f", {len(counts)} of {len(languages)} languages" if len(languages) > 1 else ""
    return f"{sum(counts):,} rows{of}"


def _on_hub(task: Task) -> bool:
    parts = [registry.get(part) for part in task.parts]
    return task.hub is not None or (bool(parts) and all(map(_on_hub, parts)))


@app.command()
def check(
    folder: Annotated[str, typer.Argument(help="Data folder, or 'mirror:DIR'.")],
    tasks: TasksOption = None,
) -> None:
    """Look through every file of a folder: rows, labels, duplicates, repairs, and test rows that are trained on."""
    source, console = parse_source(folder), commands.console()
    if source.kind == "hub":
        raise UserError("check: found 'hub'; allowed: a folder, or mirror:DIR")
    known = [task for task in _known(tasks) if not task.builtin and not task.parts]
    table = Table(box=None, pad_edge=False)
    for column in ("task", "split", "language", "rows", "duplicates", "labels and repairs"):
        table.add_column(column, justify="right" if column in ("rows", "duplicates") else "left")
    bad = 0
    with commands.progress_bar(console.is_terminal) as bar:
        step = bar.add_task("reading", total=None)
        for about in checking.look(known, source):
            bar.update(step, advance=1, description=f"{about.task.name} {about.split} {about.language}")
            repairs = [f"{count:,} {what}" for what, count in about.notes.items()]
            repairs += [f"{about.disagreeing:,} duplicates with another label"] if about.disagreeing else []
            said = "; ".join(filter(None, (about.labels, *repairs)))
            bad += about.error is not None
            numbers = (f"{about.rows:,}", f"{about.duplicates:,}" if about.duplicates else "")
            cells = numbers if about.error is None else ("[red]bad[/red]", "")
            table.add_row(about.task.name, about.split, about.language, *cells, Text(about.error or said))
        bar.update(step, description="looking for test rows that are trained on")
        overlaps = [one for one in checking.overlaps(known, source) if one.share >= leaks.SHOWN]
    console.print(table)
    for one in overlaps:
        console.print(one.in_words, highlight=False, markup=False, soft_wrap=True)
    if bad:
        console.print(f"[red]{bad} splits have bad rows[/red]")
        raise typer.Exit(1)


@app.command()
def show(
    task: Annotated[str, typer.Argument(help="Name of a task.")],
    language: Annotated[str | None, typer.Argument(help="ISO 639-1 code [the split's first].")] = None,
    split: Annotated[str | None, typer.Option(help="train, dev or test [test, or train where there is none].")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many rows.")] = 5,
    data: DataOption = None,
    tasks: TasksOption = None,
) -> None:
    """Print some rows of a task, and what it says about itself."""
    if split is not None and split not in SPLITS:
        raise unknown("split", split, SPLITS)
    _known(tasks)
    source = parse_source(data)
    known = rows.resolved(registry.get(task), source)
    chosen: Split = split or ("test" if known.languages else "train")
    languages = known.split_languages(chosen)
    loaded = rows.load(known, chosen, language or (languages[0] if languages else "en"), source)
    console = commands.console()
    pinned = f"; hub {known.hub.repository}@{known.hub.revision}" if known.hub is not None else ""
    console.print(
        f"{known.name}: {known.kind}, {', '.join(known.metrics)}; {known.citation}; {known.licence}{pinned}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(f"{loaded.origin}: {len(loaded):,} rows", highlight=False, soft_wrap=True)
    for what, number in loaded.notes.items():
        console.print(f"  {number:,} {what}", highlight=False)
    shares = data_kind(known).describe(known, loaded.table)
    if shares:
        console.print(f"  labels: {shares}", highlight=False, markup=False, soft_wrap=True)
    for row in loaded.table.slice(0, count).to_pylist():
        row.pop("item", None)
        console.print("\t".join(str(value) for value in row.values()), highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    commands.run(app)
