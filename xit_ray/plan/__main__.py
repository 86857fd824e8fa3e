"""``python -m xit_ray.plan SPACE.yaml``: what a search would train and what that costs, before anything is spent."""

from typing import Annotated

import typer
from rich.console import Console

from xit_ray.data.source import parse_source
from xit_ray.plan import show
from xit_ray.plan.build import build
from xit_ray.plan.forecast import Forecaster
from xit_ray.plan.missing import missing
from xit_ray.plan.outline import OutlineForecaster, OutlinePlanner, size
from xit_ray.plan.planner import Planner
from xit_ray.plan.prices import hourly_price
from xit_ray.spec import commands
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space
from xit_ray.spec.shipped import found
from xit_ray.spec.space import Space
from xit_ray.stages.store import Store

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def plan(
    space: Annotated[str, typer.Argument(help="Search-space file, or the name of a shipped one.")],
    data: Annotated[str | None, typer.Option(help="Folder, 'hub' or 'mirror:DIR' (also XIT_DATA).")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="PATH=VALUE, for example search.trials=8.")] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Time a few steps on this machine first.")] = False,
    prepare: Annotated[
        bool,
        typer.Option("--prepare", help="Fetch and tokenise everything the search needs, before machines are rented."),
    ] = False,
    outline: Annotated[
        bool,
        typer.Option("--outline", help="Read and fetch no rows: reckon with what each task's metadata says of them."),
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Runs at a time, for the schedule [resources.runs, or 1].")
    ] = None,
) -> None:
    """Show the stages a search needs, how many trials share each, and what that costs."""
    loaded = load_space(found(space), tuple(set_ or ()), data=data)
    console, store = commands.console(), Store(loaded.store_root)
    store.check_format()
    if outline and prepare:
        raise UserError("--outline fetches nothing, and --prepare everything; give one of them")
    planner = _planner(loaded, space, outline, prepare or calibrate, console)
    hourly_price(loaded.budget)
    for overlap in planner.guard.shown:
        console.print(overlap.in_words, style="yellow", highlight=False, markup=False, soft_wrap=True)
    if prepare:
        _prepare(planner, console)
    if not loaded.search.listed:
        console.print(
            f"{space}: {loaded.search.trials} trials, each proposed from those before; nothing to list.",
            highlight=False,
            soft_wrap=True,
        )
        return
    with commands.progress_bar(console.is_terminal) as bar:
        step = bar.add_task("tokenising", total=None)
        forecaster = (
            OutlineForecaster(planner)
            if isinstance(planner, OutlinePlanner)
            else Forecaster(planner, lambda done, rows: bar.update(step, completed=done, total=rows))
        )
        planned = build(forecaster, store, calibrate)
    show.stages(planned, console)
    show.few_steps(planned, console)
    show.totals(planned, console)
    show.gpu_memory(planned, console)
    show.not_counted(loaded, console)
    show.money(planned.forecast, console)
    show.duration(planned, workers or loaded.resources.runs or 1, console)


def _planner(space: Space, where: str, outline: bool, needs_rows: bool, console: Console) -> Planner:
    """The planner, when it has looked at the space: by its rows, or by what is known of them where they are not there.

    Args:
        space: the search space.
        where: its file, for messages.
        outline: whether not even to look for rows.
        needs_rows: whether what is known of rows will not do.
        console: what is not there is told on it.

    Raises:
        UserError: something in the space is wrong; or rows are not there, and are needed or unknown.
    """
    source = parse_source(space.data)
    if outline:
        show.outlined(True, console)
        return OutlinePlanner(space, source, where, reads=False)
    planner = Planner(space, source, where)
    with console.status("reading the rows, and looking for test rows among them"):
        absent = missing(planner)
        if not absent:
            planner.check()
            return planner
    show.missing(absent, console)
    if needs_rows or any(size(one.task, one.split) is None for one in absent):
        raise UserError(
            f"{where}: lacks rows of {len(absent)} splits (see above); give --data another folder, or fetch them with "
            "--data hub --prepare"
        )
    show.outlined(False, console)
    return OutlinePlanner(space, source, where, reads=True)


def _prepare(planner: Planner, console: Console) -> None:
    from xit_ray.plan.prepare import pieces, prepare

    total = 0
    with commands.progress_bar(console.is_terminal) as bar:
        step = bar.add_task("tokenising", total=len(pieces(planner)))
        for piece, tokens in prepare(planner):
            total += tokens
            bar.update(step, advance=1, description=piece.label)
    console.print(f"{total:,} tokens are ready on this machine.", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    commands.run(app)
