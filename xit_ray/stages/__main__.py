"""``python -m xit_ray.stages``: what a stage store holds; and training rows that a language model writes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from xit_ray.data.source import parse_source
from xit_ray.spec import commands
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_generation
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
    count = 0
    for key, _ in opened.entries():
        with opened.open(key):
            count += 1
    commands.console().print(f"{store}: {count} entries, all whole")


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
