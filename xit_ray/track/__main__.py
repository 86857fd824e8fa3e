"""``python -m xit_ray.track RUN``: make a run's records in MLflow, and in other trackers, from its journal."""

from pathlib import Path
from typing import Annotated

import typer

from xit_ray.spec import commands
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import SPEC, load_space
from xit_ray.tasks import own
from xit_ray.track.delivery import delivering
from xit_ray.track.journal import FILE, Journal
from xit_ray.track.trackers import trackers_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def track(
    run: Annotated[Path, typer.Argument(help="A run's folder, for example runs/quickstart, or its name in runs.")],
    mlflow_uri: Annotated[str | None, typer.Option(help="Another MLflow server than the run's own.")] = None,
) -> None:
    """Deliver everything in a run's journal; what a tracker has already is not made twice."""
    folder = run if run.is_dir() else Path("runs") / run
    if not (folder / FILE).is_file():
        raise UserError(f"{run}: is not the folder of a run (it has no {FILE})")
    space = load_space(folder / SPEC, mlflow=mlflow_uri)
    own.register(space.tasks)
    console, count = commands.console(), sum(1 for _ in Journal(folder).read())
    with delivering(trackers_of(space, folder.resolve()), folder, anew=True) as deliveries:
        pass
    for delivery in deliveries:
        if delivery.problem is not None:
            raise UserError(f"{delivery.name}: took {delivery.taken} of {count} events: {delivery.problem}")
        console.print(f"{delivery.name}: took {count} events", highlight=False)


if __name__ == "__main__":
    commands.run(app)
