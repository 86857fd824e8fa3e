"""``python -m xit_ray.search [SPACE.yaml]``: run a search, or resume one."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from xit_ray.search.json_lines import JsonLines
from xit_ray.search.screen import CONSOLE_LOG, Screen, outliving_terminal
from xit_ray.spec import commands
from xit_ray.spec.errors import UserError, one_line
from xit_ray.spec.load import SPEC, load_space

if TYPE_CHECKING:
    from xit_ray.search.run import SearchResult

app = typer.Typer(add_completion=False, rich_markup_mode=None)

QUICKSTART = "search_spaces/quickstart.yaml"


def _named(folder: Path) -> str:
    """What to give ``--resume`` from here: the run's name, or its path where that is not in the default folder."""
    return folder.name if folder.parent == Path("runs").resolve() else shlex.quote(str(folder))


@app.command()
@outliving_terminal()
def search(
    space: Annotated[
        str | None, typer.Argument(help=f"Search-space file, or the name of a shipped one [{QUICKSTART}].")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Folder in XTREME's layout, 'hub', or 'mirror:DIR' (also XIT_DATA).")
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="PATH=VALUE, for example search.trials=8.")] = None,
    resume: Annotated[str | None, typer.Option(help="Name of a run to go on with.")] = None,
    output: Annotated[str | None, typer.Option(help="Folder of the runs [runs].")] = None,
    mlflow_uri: Annotated[str | None, typer.Option(help="MLflow server [SQLite in the output folder].")] = None,
    notify: Annotated[
        str | None, typer.Option(help="Send a line here at the end: ntfy://TOPIC, mailto://…, slack://… (apprise).")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="A line for each event, on a terminal too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Every event as a line of JSON, and nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Nothing but the result.")] = False,
) -> None:
    """Search recipes, score them zero-shot in every language, and write matrix and report."""
    console, checked = commands.console(plain), None
    console.quiet = json or quiet
    screen = Screen(console.file)
    console.file = screen  # type: ignore[assignment]  # it has what a console calls
    # Before the imports, which take seconds.
    console.print(f"reading {resume or space or QUICKSTART}", highlight=False, soft_wrap=True)
    from xit_ray.search import run
    from xit_ray.search.start import begin

    if notify is not None:
        from xit_ray.search.notify import check

        check(notify)
    if resume is not None:
        if space or set_ or data or mlflow_uri:
            raise UserError(
                "--resume goes on with the run's own spec.yaml; a file, --set, --data and --mlflow-uri are for new runs"
            )
        folder = run.old_folder(resume, output or "runs")
    else:
        overrides = tuple(set_ or ())
        folder, checked = begin(space or QUICKSTART, overrides, console, data=data, output=output, mlflow=mlflow_uri)
    try:
        finished = run.run(folder, console, checked, JsonLines() if json else None)
    except KeyboardInterrupt:
        console.print(_kept(folder), highlight=False, soft_wrap=True)
        raise
    except Exception as error:
        if notify is not None:
            _send(notify, f"{folder.name} has failed", one_line(error), console)
        raise
    console.quiet = json
    _tell(finished, folder, console)
    if notify is not None:
        answers = "; ".join(f"{answer.target}: {answer.short}" for answer in finished.summary.answers)
        _send(notify, f"{folder.name} has ended", answers or "no trial was scored", console)
    if screen.lost:
        with (folder / CONSOLE_LOG).open("a", encoding="utf-8") as log:
            _tell(finished, folder, Console(file=log, width=140))
    if any(trial.status == "failed" for trial in finished.state.trials.values()):
        raise typer.Exit(1)


def _send(address: str, what: str, text: str, console: Console) -> None:
    from xit_ray.search.notify import notify

    if not notify(address, f"xit_ray: {what}", text):
        console.print("[yellow]the message of --notify was not taken[/yellow]")


def _kept(folder: Path) -> str:
    """What an interrupted search has, and how it goes on."""
    from xit_ray.report.about import counts
    from xit_ray.track.journal import Journal
    from xit_ray.track.state import State

    state = State(Journal(folder).read())
    ended, total = counts(load_space(folder / SPEC), state)
    stages = sum(stage.published is not None for stage in state.stages.values())
    return (
        f"interrupted: {ended} of {total} trials and {stages} trained stages are kept, and snapshots of what was in "
        f"training; go on: xit search --resume {_named(folder)}"
    )


def _tell(finished: "SearchResult", folder: Path, console: Console) -> None:
    """What came of a search, and what may be done next."""
    from xit_ray.report.console import show
    from xit_ray.search.finalists import to_train_again
    from xit_ray.track.mlflow_view import where_to_look

    show(finished.summary, folder, console, where_to_look(finished.space, folder))
    if finished.forecast is not None:
        console.print(finished.forecast, highlight=False, soft_wrap=True)
    for problem in finished.behind:
        console.print(
            f"[yellow]Not everything that happened has arrived[/yellow] ({escape(problem)}); it is all in the run's folder: "
            f"try again with --resume {_named(folder)}",
            highlight=False,
            soft_wrap=True,
        )
    trials = finished.state.trials.values()
    final = ""
    if not any(trial.reseeded for trial in trials) and to_train_again(finished.space, trials):
        final = "; the best are trained again, with fresh seeds, when all others have ended"
    skipped = [trial for trial in trials if trial.status == "skipped"]
    if skipped:
        console.print(
            f"[yellow]{len(skipped)} trials were skipped for want of budget[/yellow]{final}; raise it in "
            f"{folder / 'spec.yaml'} and go on with --resume {_named(folder)}",
            soft_wrap=True,
        )
    failed = [trial for trial in trials if trial.status == "failed"]
    if failed:
        console.print(
            f"[red]{len(failed)} trials failed[/red]{final}; try them again with --resume {_named(folder)}",
            soft_wrap=True,
        )


if __name__ == "__main__":
    commands.run(app)
