"""``python -m xit_ray.track RUN``: make a run's records in MLflow, and in other trackers, from its journal."""

from pathlib import Path
from typing import Annotated

import typer

from xit_ray.spec import commands
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import SPEC, load_space
from xit_ray.tasks import own
from xit_ray.track.delivery import delivering
from xit_ray.track.journal import Journal, run_folder
from xit_ray.track.ownership import owned
from xit_ray.track.trackers import trackers_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def track(
    run: Annotated[Path, typer.Argument(help="A run's folder, for example runs/quickstart, or its name in runs.")],
    mlflow_uri: Annotated[str | None, typer.Option(help="Another MLflow server than the run's own.")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="All of it again, for a tracker that has lost it.")] = False,
) -> None:
    """Deliver what is in a run's journal and did not reach its trackers yet."""
    folder = run_folder(run)
    space = load_space(folder / SPEC, mlflow=mlflow_uri)
    own.register(space.tasks)
    console = commands.console()
    with owned(folder):
        count, trackers = sum(1 for _ in Journal(folder).read()), trackers_of(space, folder)
        with delivering(trackers, folder, anew, console.print) as deliveries:
            before = {delivery.name: delivery.delivered for delivery in deliveries}
    for delivery in deliveries:
        new = delivery.delivered - before[delivery.name]
        console.print(
            f"{delivery.name}: has {delivery.delivered} of {count} events, {new} of them new", highlight=False
        )
    for delivery in deliveries:
        if delivery.delivered < count:
            raise UserError(f"{delivery.name}: {delivery.problem}")


if __name__ == "__main__":
    commands.run(app)
