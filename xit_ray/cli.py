"""``xit``: the commands of all packages under one name."""

import typer

from xit_ray.cluster import __main__ as cluster
from xit_ray.data.__main__ import app as data_app
from xit_ray.plan.__main__ import plan
from xit_ray.report.__main__ import report
from xit_ray.search.__main__ import search
from xit_ray.spec import commands
from xit_ray.stages.__main__ import app as stages_app
from xit_ray.track.__main__ import track

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
app.command()(search)
app.command()(plan)
app.command()(report)
app.command()(track)
for command in (cluster.submit, cluster.status, cluster.logs, cluster.stop, cluster.fetch):
    app.command()(command)
app.add_typer(data_app, name="data", help="Which tasks there are, and what their rows look like.")
app.add_typer(stages_app, name="stages", help="What a stage store holds; have a language model write training rows.")


def main() -> None:
    """The console script."""
    commands.run(app)
