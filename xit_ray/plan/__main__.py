"""``python -m xit_ray.plan SPACE.yaml``: what a search would train and what that costs, before anything is spent."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from xit_ray.data.source import parse_source
from xit_ray.plan.forecast import Forecast, Forecaster
from xit_ray.plan.load import Load, Speed
from xit_ray.plan.planner import Planner, Trial
from xit_ray.plan.prices import hourly_price, load_prices
from xit_ray.plan.schedule import simulate
from xit_ray.plan.trie import Node, in_good_order, trie
from xit_ray.spec import doors
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space
from xit_ray.spec.points import expected_points
from xit_ray.spec.space import Space
from xit_ray.stages.store import Store
from xit_ray.tasks import own
from xit_ray.track.tables import TRIALS

SEEDS = (2, 3, 5, 8, 12)
"""Numbers of seeds per cell whose power is shown."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True)
class _Plan:
    """Everything that is shown."""

    trials: list[Trial]
    nodes: dict[str, Node]
    forecast: Forecast
    speed: Speed | None
    """Of this machine, where it was measured."""


@app.command()
def plan(
    space: Annotated[str, typer.Argument(help="Search-space file.")],
    data: Annotated[str | None, typer.Option(help="Folder, 'hub' or 'mirror:DIR' (also XIT_DATA).")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="PATH=VALUE, for example search.trials=8.")] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Time a few steps here first.")] = False,
    power: Annotated[
        Path | None, typer.Option(help="A finished run with several seeds: say what numbers of seeds could tell here.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Runs at a time, for the schedule [resources.runs, or 1].")
    ] = None,
) -> None:
    """Show the stages a search needs, how many trials share each, and what that costs in time and money."""
    loaded = load_space(space, tuple(set_ or ()), data=data)
    planner = Planner(loaded, parse_source(loaded.data), "plan", space)
    planner.check()
    hourly_price(loaded.budget)
    if power is not None and not (power / TRIALS).is_file():
        raise UserError(f"--power {power}: is not the folder of a run that has ended (it has no {TRIALS})")
    console = doors.console()
    for overlap in planner.guard.found:
        console.print(overlap.in_words, style="yellow", highlight=False, markup=False, soft_wrap=True)
    if loaded.search.algorithm == "tpe":
        console.print(f"{space}: {loaded.search.trials} trials, each proposed from those before; nothing to list.")
        return
    trials = {trial.key: trial for trial in map(planner.trial, expected_points(loaded))}
    nodes = trie(trials.values(), planner)
    in_order = in_good_order(list(trials.values()), nodes)
    model = in_order[0].recipe.model
    from xit_ray.core.device import best_device
    from xit_ray.plan import speed

    device = best_device(bool(loaded.resources.gpus), None if loaded.resources.gpus else loaded.resources.cpus)
    measured = speed.calibrate(model, device) if calibrate else speed.known(model, device)
    found = _Plan(in_order, nodes, Forecaster(planner).of(in_order), measured)
    _stages(found, console)
    _totals(found, console)
    if loaded.ranking is not None:
        console.print(
            f"Of each target's intermediates, the {loaded.ranking.keep:.0%} with the best estimates are "
            "trained; here all are counted, and the estimates are not.",
            highlight=False,
            soft_wrap=True,
        )
    if loaded.search.finalists is not None:
        again = loaded.search.finalists
        console.print(
            f"Not counted: the {again.top} best recipes of each target, and its baseline, once more with {again.seeds} fresh "
            "seeds.",
            highlight=False,
            soft_wrap=True,
        )
    _money(found.forecast, console)
    _time(found, workers or loaded.resources.runs or 1, console)
    if power is not None:
        _power(power, loaded, planner, found, console)


def _stages(found: _Plan, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("stage", "steps", "learning rate", "tokens", "TFLOP", "trials"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for node in found.nodes.values():
        load, stage = found.forecast.pieces[node.training.key], node.training.stage
        cells = (str(node.steps), f"{stage.learning_rate:g}", f"{load.tokens:,}", _tera(load), str(len(node.trials)))
        table.add_row(Text("  " * node.depth + node.training.label), *cells)
    console.print(table)


def _totals(found: _Plan, console: Console) -> None:
    alone = sum(node.steps * len(node.trials) for node in found.nodes.values())
    steps = sum(node.steps for node in found.nodes.values())
    shared, unshared = found.forecast.shared, found.forecast.alone
    console.print(
        f"{len(found.trials)} trials need {len(found.nodes)} stages, {steps} steps; "
        f"with nothing shared it would be {sum(len(node.trials) for node in found.nodes.values())} stages, {alone} steps.",
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        f"With scoring: {shared.tokens:,} tokens, {_tera(shared)} TFLOP; with nothing shared {unshared.tokens:,} tokens, "
        f"{_tera(unshared)} TFLOP ({unshared.flops / shared.flops:.2f} times as much).",
        highlight=False,
        soft_wrap=True,
    )


def _tera(load: Load) -> str:
    return f"{load.flops / 1e12:,.1f}"


def _money(forecast: Forecast, console: Console) -> None:
    prices = load_prices()
    table = Table(box=None, pad_edge=False)
    for column in ("instance", "GPU", "GPU-hours", "US$", "US$ with nothing shared"):
        table.add_column(column, justify="left" if column in ("instance", "GPU") else "right")
    for name, instance in prices.instances.items():
        hours = prices.gpu_hours(name, forecast.shared)
        costs = (prices.usd(name, load) for load in (forecast.shared, forecast.alone))
        table.add_row(name, f"{instance.gpus} x {instance.gpu}", f"{hours:,.4f}", *(f"{usd:,.2f}" for usd in costs))
    console.print(table)
    console.print(
        f"At {prices.use:.0%} of each GPU's peak and the prices of {prices.dated} (xit_ray/plan/prices.yaml), without the "
        "seconds a run takes to start.",
        highlight=False,
        style="dim",
        soft_wrap=True,
    )


def _time(found: _Plan, workers: int, console: Console) -> None:
    if found.speed is None:
        console.print("How long it takes here is known after --calibrate.", highlight=False)
        return
    speed, forecast = found.speed, found.forecast
    seconds = {key: speed.seconds(load) for key, load in forecast.pieces.items()}
    done = simulate(forecast, seconds.__getitem__, workers, [trial.key for trial in found.trials])
    console.print(
        f"On this machine, at {speed.training / 1e9:,.0f} GFLOP/s in training and {speed.scoring / 1e9:,.0f} in scoring: "
        f"{sum(seconds.values()):,.0f} device-seconds; on {workers} worker{'s' if workers > 1 else ''} "
        f"{done.seconds:,.0f} s, {done.busy:.0%} of the time at work.",
        highlight=False,
        soft_wrap=True,
    )


def _power(run: Path, space: Space, planner: Planner, found: _Plan, console: Console) -> None:
    """What numbers of seeds could tell of this space's targets, by the variances of a run, and what they cost."""
    from xit_ray.report.matrix import matrix
    from xit_ray.report.power import power

    before = load_space(run / "spec.yaml")
    own.register(before.tasks)
    targets = {trial.target for trial in found.trials}
    cells = [cell for cell in matrix(run, Store(before.store_root), before.margin / 100)[0] if cell.target in targets]
    told = power(cells, SEEDS)
    if not told:
        raise UserError(
            f"--power {run}: it has no cells of {', '.join(sorted(targets))} with several seeds; give another run"
        )
    table = Table(box=None, pad_edge=False)
    for column in (
        "target",
        "seeds per cell",
        "interval, points",
        "gain found 4 times in 5",
        "device-hours of the search",
    ):
        table.add_column(column, justify="left" if column == "target" else "right")
    for one in told:
        replicates = space.replicates.model_copy(update={"seeds": one.seeds})
        points = expected_points(space.model_copy(update={"replicates": replicates}))
        load = Forecaster(planner).of({trial.key: trial for trial in map(planner.trial, points)}.values())
        hours = "–" if found.speed is None else f"{sum(map(found.speed.seconds, load.pieces.values())) / 3600:,.2f}"
        table.add_row(one.target, str(one.seeds), f"± {100 * one.half_width:.1f}", f"{100 * one.gain:.1f}", hours)
    console.print(table)
    console.print(
        f"By the variances over seeds and items in {run}; before correction for the number of cells.",
        highlight=False,
        style="dim",
        soft_wrap=True,
    )


if __name__ == "__main__":
    doors.door(app)
