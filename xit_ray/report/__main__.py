"""``python -m xit_ray.report RUN``: make a run's report again, and print it."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from xit_ray.report.build import build
from xit_ray.report.console import show
from xit_ray.spec.doors import door
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space
from xit_ray.track.tables import TRIALS

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def report(run: Annotated[Path, typer.Argument(help="A run's folder, for example runs/quickstart.")]) -> None:
    """Write matrix.parquet and report.html anew, and print the result."""
    if not (run / TRIALS).is_file():
        raise UserError(f"{run}: is not the folder of a run that has ended (it has no {TRIALS})")
    space = load_space(run / "spec.yaml")
    build(run, space.store_root)
    # A file or pipe has no width of its own; wide tables should not be folded there.
    console = Console(width=None if sys.stdout.isatty() else 140)
    show(run.resolve(), space.store_root, console, space.mlflow or "")


if __name__ == "__main__":
    door(app)
