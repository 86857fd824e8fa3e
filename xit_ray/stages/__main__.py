"""``python -m xit_ray.stages``: what a stage store holds."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from xit_ray.spec import doors
from xit_ray.spec.errors import UserError
from xit_ray.stages.store import Store

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


def _opened(address: str) -> Store:
    if "://" not in address and not (Path(address) / "objects").is_dir():
        raise UserError(f"{address}: is not a stage store (it has no folder 'objects')")
    return Store(address)


@app.command(name="list")
def list_(store: Annotated[str, typer.Argument(help="Folder, s3:// or gs:// address.")] = "runs/store") -> None:
    """List the published stages."""
    table = Table(box=None, pad_edge=False)
    for column in ("fingerprint", "stage", "starts from", "steps", "English dev", "seconds"):
        table.add_column(column)
    for key, about in _opened(store).entries():
        if about["kind"] == "stage":
            dev, seconds = f"{100 * about['dev']:.1f}", f"{about['cost']['seconds']:.1f}"
            table.add_row(key, about["label"], about["start"] or "the model", str(about["steps"]), dev, seconds)
    doors.console().print(table)


@app.command()
def verify(store: Annotated[str, typer.Argument(help="Folder, s3:// or gs:// address.")] = "runs/store") -> None:
    """Read every entry and compare it with its checksums."""
    opened = _opened(store)
    count = 0
    for key, _ in opened.entries():
        with opened.open(key):
            count += 1
    doors.console().print(f"{store}: {count} entries, all whole")


if __name__ == "__main__":
    doors.door(app)
