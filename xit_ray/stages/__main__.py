"""``python -m xit_ray.stages``: what a stage store holds; and training rows that a language model writes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from xit_ray.data.source import parse_source
from xit_ray.spec import commands
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_generation
from xit_ray.stages import upkeep
from xit_ray.stages.store import Store

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


def _opened(address: str) -> Store:
    if "://" not in address and not (Path(address) / "objects").is_dir():
        raise UserError(f"{address}: is not a stage store (it has no folder 'objects')")
    store = Store(address)
    store.check_format()
    return store


@app.command(name="list")
def list_(store: Annotated[str, typer.Argument(help="Folder, s3:// or gs:// address.")] = "runs/store") -> None:
    """List the published stages."""
    table = Table(box=None, pad_edge=False)
    for column in ("fingerprint", "stage", "starts from", "steps", "English dev", "seconds"):
        table.add_column(column)
    for key, about in _opened(store).entries():
        if about["kind"] == "stage":
            dev = "–" if about["dev"] is None else f"{100 * about['dev']:.1f}"
            seconds = f"{about['cost']['seconds']:.1f}"
            table.add_row(key, about["label"], about["start"] or "the model", str(about["steps"]), dev, seconds)
    commands.console().print(table)


@app.command()
def verify(store: Annotated[str, typer.Argument(help="Folder, s3:// or gs:// address.")] = "runs/store") -> None:
    """Read every entry and compare it with its checksums."""
    opened = _opened(store)
    whole = dropped = 0
    for key, _ in opened.entries():
        if not opened.has_files(key):
            dropped += 1
            continue
        with opened.open(key):
            whole += 1
    records = f"; {dropped} records whose weights were dropped" if dropped else ""
    commands.console().print(f"{store}: {whole} entries, all whole{records}")


@app.command()
def du(store: Annotated[str, typer.Argument(help="Folder, s3:// or gs:// address.")] = "runs/store") -> None:
    """Say what the store takes, and what of it is of no use any more."""
    table = Table(box=None, pad_edge=False)
    table.add_column("what")
    table.add_column("files", justify="right")
    table.add_column("MB", justify="right")
    rows = upkeep.usage(_opened(store))
    for one in rows:
        table.add_row(one.what, f"{one.files:,}", f"{one.size / 1e6:,.1f}")
    table.add_row("all", f"{sum(one.files for one in rows):,}", f"{sum(one.size for one in rows) / 1e6:,.1f}")
    commands.console().print(table)


@app.command()
def gc(
    store: Annotated[str, typer.Argument(help="Folder, s3:// or gs:// address.")] = "runs/store",
    hours: Annotated[
        float, typer.Option(help="Leave what is younger: a search may be at work on it.")
    ] = upkeep.GRACE_HOURS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and delete nothing.")] = False,
) -> None:
    """Delete what nothing refers to: files of attempts that failed or came second, and old snapshots. Entries stay."""
    opened, console = _opened(store), commands.console()
    unused = upkeep.leftovers(opened, hours)
    for one in unused if dry_run else ():
        console.print(f"{one.path}  {one.why}  {one.size / 1e6:.1f} MB", highlight=False, markup=False, soft_wrap=True)
    if not dry_run:
        upkeep.delete(opened, unused)
    done = "would be deleted" if dry_run else "deleted"
    size = sum(one.size for one in unused) / 1e6
    console.print(f"{store}: {len(unused)} files {done}, {size:,.1f} MB", highlight=False, soft_wrap=True)


@app.command()
def copy(
    source: Annotated[str, typer.Argument(help="Folder, s3:// or gs:// address.")],
    target: Annotated[str, typer.Argument(help="Folder, s3:// or gs:// address; made where it is not there.")],
) -> None:
    """Copy the entries that another store lacks."""
    opened, other = _opened(source), Store(target)
    other.check()
    copied = [new for _, new in upkeep.copy(opened, other)]
    commands.console().print(
        f"{sum(copied)} entries copied, {len(copied) - sum(copied)} were there", highlight=False, soft_wrap=True
    )


@app.command()
def generate(
    file: Annotated[str, typer.Argument(help="YAML file that says what a language model is to write.")],
    data: Annotated[str | None, typer.Option(help="Folder, 'hub' or 'mirror:DIR' (also XIT_DATA).")] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Compute on a GPU.")] = False,
) -> None:
    """Have a language model write training rows for a task, and keep those that a trained classifier agrees with."""
    from xit_ray.core.device import best_device
    from xit_ray.stages.generate import generate as write_rows

    request, folder, console = load_generation(file), Path(file).absolute().parent, commands.console()
    with commands.progress_bar(console.is_terminal) as bar:
        step = bar.add_task("preparing", total=request.rows)

        def note(kept: int, written: int) -> None:
            bar.update(step, completed=kept, description=f"{written} texts written")

        try:
            counts = write_rows(request, parse_source(data), best_device(gpu), folder, note)
        except UserError as error:
            raise UserError(f"{file}: {error}") from None
    reasons = ", ".join(f"{count:,} {what}" for what, count in counts.most_common())
    console.print(f"{counts.total():,} texts: {reasons}", highlight=False, soft_wrap=True)
    console.print(
        f"{folder / request.name}.jsonl is used as {{task: {request.like}, variant: {request.name}}}, with "
        f"tasks: [{request.name}.yaml] in a space beside it",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    commands.run(app)
