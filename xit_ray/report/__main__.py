"""``python -m xit_ray.report RUN``: make a run's report again, and print it."""

from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from xit_ray.report.build import build
from xit_ray.report.console import show
from xit_ray.spec import doors
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space
from xit_ray.tasks import own
from xit_ray.track.tables import TRIALS

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def report(run: Annotated[Path, typer.Argument(help="A run's folder, for example runs/quickstart.")]) -> None:
    """Write matrix.parquet and report.html anew, and print the result."""
    if not (run / TRIALS).is_file():
        raise UserError(f"{run}: is not the folder of a run that has ended (it has no {TRIALS})")
    space = load_space(run / "spec.yaml")
    own.register(space.tasks)
    try:
        summary, _ = build(run, space.store_root)
    except pa.ArrowInvalid as error:
        raise UserError(f"{run}: a table of it is damaged: {error}") from None
    console = doors.console()
    show(summary, run.resolve(), console, space.mlflow or "")


if __name__ == "__main__":
    doors.door(app)
