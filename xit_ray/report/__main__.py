"""``python -m xit_ray.report RUN``: make a run's report again, and print it; or what more seeds could tell."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from xit_ray.report.build import build
from xit_ray.report.console import show
from xit_ray.report.page import render
from xit_ray.report.readable import readable
from xit_ray.spec import commands
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space
from xit_ray.spec.space import Space
from xit_ray.track.journal import run_folder
from xit_ray.track.mlflow_view import where_to_look

SEEDS = (2, 3, 5, 8, 12)
"""Numbers of seeds per cell whose power is shown."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Runs' folders, for example runs/quickstart, or names in runs.")],
    power: Annotated[
        str | None,
        typer.Option(help="A search space: say what numbers of seeds could tell there, by this run's variances."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="For --power: folder, 'hub' or 'mirror:DIR' (also XIT_DATA).")
    ] = None,
) -> None:
    """Make a run's report anew, finished or not, and print it; of several runs, a page with all of them."""
    console = commands.console()
    folders = [run_folder(run) for run in runs]
    if power is not None:
        with readable(folders[0]) as (space, _):
            _power(folders[0], space, load_space(power, data=data), power, console)
        return
    reports = []
    for folder in folders:
        with readable(folder) as (space, _):
            reports.append(build(folder, space.store_root))
            show(reports[-1][0], folder, console, where_to_look(space, folder))
    if len(folders) > 1:
        page = folders[0].parent / f"{'+'.join(folder.name for folder in folders)}.html"
        page.write_text(render(reports), encoding="utf-8")
        console.print(f"Side by side:  {page}", highlight=False, soft_wrap=True)


def _power(run: Path, before: Space, asked: Space, where: str, console: Console) -> None:
    """What numbers of seeds could tell of a space's targets, by the variances of a run, and what they cost."""
    from xit_ray.data.source import parse_source
    from xit_ray.plan.forecast import Forecaster
    from xit_ray.plan.planner import Planner
    from xit_ray.report.matrix import matrix
    from xit_ray.report.power import power, search_hours

    if not asked.search.listed:
        raise UserError(f"{where}: search.algorithm: found {asked.search.algorithm!r}; --power needs grid or random")
    planner = Planner(asked, parse_source(asked.data), where)
    planner.check()
    targets = planner.tests()
    cells = [cell for cell in matrix(run, before.store_root, before.margin / 100)[0] if cell.target in targets]
    rows = power(cells, SEEDS)
    if not rows:
        raise UserError(f"{run}: has no cells of {', '.join(sorted(targets))} with several seeds; give another run")
    table = Table(box=None, pad_edge=False)
    for column in (
        "target",
        "seeds per cell",
        "interval, points",
        "gain found 4 times in 5",
        "device-hours of the search",
    ):
        table.add_column(column, justify="left" if column == "target" else "right")
    hours = search_hours(asked, planner, Forecaster(planner), SEEDS)
    for row in rows:
        cost = "–" if hours is None else f"{hours[row.seeds]:,.2f}"
        table.add_row(row.target, str(row.seeds), f"± {100 * row.half_width:.1f}", f"{100 * row.gain:.1f}", cost)
    console.print(table)
    console.print(
        f"By the variances over seeds and items in {run}; before correction for the number of cells.",
        highlight=False,
        style="dim",
        soft_wrap=True,
    )


if __name__ == "__main__":
    commands.run(app)
