"""``python -m xit_ray.data``: which tasks there are, which of their data is here, and what the rows look like."""

from typing import Annotated

import typer
from rich.table import Table

from xit_ray.data import rows
from xit_ray.data.source import Source, parse_source
from xit_ray.spec import doors
from xit_ray.spec.errors import AbsentError, UserError, unknown
from xit_ray.tasks import registry
from xit_ray.tasks.base import SPLITS, Split, Task

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
DataOption = Annotated[str | None, typer.Option(help="Folder, 'hub' or 'mirror:DIR' (also XIT_DATA).")]


@app.command(name="list")
def list_(data: DataOption = None) -> None:
    """List the tasks, and the rows that are present in the data folder."""
    source = parse_source(data)
    table = Table(box=None, pad_edge=False)
    for column in ("task", "kind", "train", "dev", "test", "licence"):
        table.add_column(column, no_wrap=column == "task")
    for task in registry.tasks().values():
        counts = [_count(task, split, source) for split in SPLITS]
        table.add_row(task.name, task.kind, *counts, task.licence)
    console = doors.console()
    console.print(table)
    if source.kind != "folder":
        console.print("Rows of a folder are counted with --data DIR; the hub's are not downloaded for a list.")


def _count(task: Task, split: Split, source: Source) -> str:
    languages = task.languages if split == "test" else task.train_languages
    if not languages:
        return "–"
    if not task.builtin and source.kind in ("hub", "mirror") and not _on_hub(task):
        return "not on the hub"
    if not task.builtin and source.kind != "folder":
        return f"{len(languages)} language{'s' if len(languages) > 1 else ''}"
    found = []
    for language in languages:
        try:
            found.append(len(rows.load(task, split, language, source)))
        except AbsentError:
            continue  # which is what the count says
        except UserError:
            return f"[red]bad rows, see data show {task.name} {language} --split {split}[/red]"
    if not found:
        return "missing"
    of = f", {len(found)} of {len(languages)} languages" if len(languages) > 1 else ""
    return f"{sum(found):,} rows{of}"


def _on_hub(task: Task) -> bool:
    return task.hub is not None or (bool(task.parts) and all(_on_hub(registry.get(part)) for part in task.parts))


@app.command()
def show(
    task: Annotated[str, typer.Argument(help="Name of a task.")],
    language: Annotated[str | None, typer.Argument(help="ISO 639-1 code [the split's first].")] = None,
    split: Annotated[str | None, typer.Option(help="train, dev or test [test, or train where there is none].")] = None,
    count: Annotated[int, typer.Option(help="How many rows.")] = 5,
    data: DataOption = None,
) -> None:
    """Print some rows of a task."""
    if split is not None and split not in SPLITS:
        raise unknown("split", split, SPLITS)
    known = registry.get(task)
    chosen: Split = split or ("test" if known.languages else "train")
    languages = known.languages if chosen == "test" else known.train_languages
    found = rows.load(known, chosen, language or (languages[0] if languages else "en"), parse_source(data))
    console = doors.console()
    console.print(f"{found.origin}: {len(found):,} rows", highlight=False, soft_wrap=True)
    for what, count in found.notes.items():
        console.print(f"  {count:,} {what}", highlight=False)
    for row in found.table.slice(0, count).to_pylist():
        console.print("\t".join(str(value) for value in row.values()), highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    doors.door(app)
