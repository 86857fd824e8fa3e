"""``xit submit``, ``status``, ``logs``, ``stop`` and ``fetch``: a search on a cluster, from a laptop that may be closed."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xit_ray.cluster.mounts import moved
from xit_ray.search.screen import CONSOLE_LOG
from xit_ray.spec import commands
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import dump_space, load_space

if TYPE_CHECKING:
    from xit_ray.cluster.head import Head

HERE = "xit_ray.cluster.here"
Cluster = Annotated[Path, typer.Argument(help="The cluster's file, as for ray up.")]
Run = Annotated[str, typer.Argument(help="A run's name.")]

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


def _head(cluster: Path) -> "Head":
    # It imports Ray, which ``xit search`` may not have imported before its settings.
    from xit_ray.cluster.head import Head

    return Head(cluster)


@app.command()
def submit(
    cluster: Cluster,
    space: Annotated[str | None, typer.Argument(help="Search-space file.")] = None,
    data: Annotated[str | None, typer.Option(help="Folder in XTREME's layout, 'hub', or 'mirror:DIR'.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="PATH=VALUE, for example resources.gpus=1.")] = None,
    resume: Annotated[str | None, typer.Option(help="A run to go on with: its name, or STORE/runs/NAME.")] = None,
) -> None:
    """Start a search on a cluster's head, or go on with one, and leave it there."""
    console = commands.console()
    if (space is None) == (resume is None):
        raise UserError("give a search-space file, or --resume and a run, and not both")
    head = _head(cluster)
    if resume is not None:
        words = ["--resume", resume]
    else:
        loaded = moved(load_space(str(space), tuple(set_ or ()), data=data), head.mounts)
        words = [head.send(dump_space(loaded), f"{loaded.name}.yaml")]
    console.print("the head looks at tasks, rows and model", highlight=False)
    name = head.python(HERE, "start", "--", *words).splitlines()[-1].strip()
    console.print(
        f"{name} is at work on the head, and needs this machine no more: xit status {cluster}; xit logs {cluster} {name}; "
        f"xit fetch {cluster} {name}",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def status(
    cluster: Annotated[str | None, typer.Argument(help="The cluster's file; without one, of this machine.")] = None,
    run: Annotated[str | None, typer.Argument(help="A run's name [all], or STORE/runs/NAME.")] = None,
) -> None:
    """What runs do, on this machine or on a cluster's head, and which machines they wait for."""
    if cluster is not None and cluster.endswith((".yaml", ".yml")):
        print(_head(Path(cluster)).python(HERE, "status", *([run] if run else [])))
        return
    if run is not None:
        raise UserError(f"{cluster}: is not a cluster's file (*.yaml); name one run, or none for all")
    from xit_ray.report.status import show

    show(cluster, commands.console())


@app.command()
def logs(
    cluster: Cluster, run: Run, lines: Annotated[int, typer.Option(min=1, help="The last so many lines.")] = 40
) -> None:
    """What a run on a cluster's head has printed."""
    head = _head(cluster)
    head.python(HERE, "status", run)  # says so if there is no such run
    print(head.run(f"tail -n {lines} {shlex.quote(f'runs/{run}/{CONSOLE_LOG}')}"))


@app.command()
def stop(cluster: Cluster, run: Run) -> None:
    """Interrupt a run on a cluster's head; --resume goes on with it."""
    print(_head(cluster).python(HERE, "stop", run))


@app.command()
def fetch(
    cluster: Cluster, run: Run, output: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs")
) -> None:
    """Bring a run's folder home: report, tables, journal."""
    head = _head(cluster)
    head.python(HERE, "status", run)
    head.fetch(f"runs/{run}", output / run)
    commands.console().print(f"{output / run}: open its report.html", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    commands.run(app)
