"""The plan of a search on the console."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from xit_ray.plan import amounts
from xit_ray.plan.build import Plan
from xit_ray.plan.forecast import Forecast
from xit_ray.plan.missing import Missing
from xit_ray.plan.prices import load_prices
from xit_ray.plan.schedule import simulate
from xit_ray.plan.workload import Workload
from xit_ray.spec.commands import bytes_in_words
from xit_ray.spec.space import Space


def missing(absent: Sequence[Missing], console: Console) -> None:
    """Everything that is not there, in one table."""
    table = Table(title="Not there", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in ("task", "split", "languages", "looked for"):
        table.add_column(column, overflow="fold")
    # What is looked for is mostly the same for all splits of a task.
    for place in dict.fromkeys((one.task, one.reason) for one in absent):
        alike = [one for one in absent if (one.task, one.reason) == place]
        languages = dict.fromkeys(language for one in alike for language in one.languages)
        table.add_row(place[0], ", ".join(one.split for one in alike), ", ".join(languages), Text(place[1]))
    console.print(table)


def outlined(whole: bool, console: Console) -> None:
    """That what follows is not counted."""
    where = "Rows and tokens are" if whole else "For what is not there, rows and tokens are"
    console.print(
        f"{where} those of each task's metadata: about right, and no row was compared with another.",
        style="yellow",
        highlight=False,
        soft_wrap=True,
    )


def stages(plan: Plan, console: Console) -> None:
    """A row for each stage, those that start from another one below it."""
    table = Table(box=None, pad_edge=False)
    for column in ("stage", "steps", "learning rate", "tokens", "TFLOP", "trials", "in the store"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for key, node in plan.nodes.items():
        work, training = plan.forecast.pieces[key], node.training
        table.add_row(
            Text("  " * node.depth + training.label),
            str(training.steps),
            f"{training.stage.learning_rate:g}",
            f"{work.tokens:,}",
            _tera(work),
            str(len(node.trials)),
            "yes" if key in plan.stored else "no",
        )
    console.print(table)


def few_steps(plan: Plan, console: Console) -> None:
    """Stages that are too short to say anything."""
    told = amounts.few_steps((node.training.label, node.training.steps) for node in plan.nodes.values())
    if told is not None:
        console.print(told, style="yellow", highlight=False, markup=False, soft_wrap=True)


def totals(plan: Plan, console: Console) -> None:
    """The whole search, with what stages that are shared save, and what the store leaves to pay for."""
    nodes, forecast = plan.nodes.values(), plan.forecast
    steps = sum(node.training.steps for node in nodes)
    alone = sum(node.training.steps * len(node.trials) for node in nodes)
    shared, unshared = forecast.shared, forecast.alone
    stored = sum(key in plan.stored for key in plan.nodes)
    lines = [
        f"{len(plan.trials)} trials need {len(nodes)} stages, {steps} steps; with nothing shared it would be "
        f"{sum(len(node.trials) for node in nodes)} stages, {alone} steps.",
        f"With scoring: {shared.tokens:,} tokens, {_tera(shared)} TFLOP; with nothing shared {unshared.tokens:,} tokens, "
        f"{_tera(unshared)} TFLOP ({unshared.flops / shared.flops:.2f} times as much).",
        f"The store has {stored} of the {len(nodes)} stages; left to pay for: {plan.missing.tokens:,} tokens, "
        f"{_tera(plan.missing)} TFLOP. Checkpoints will take {bytes_in_words(plan.bytes_to_store)} of the store.",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def gpu_memory(plan: Plan, console: Console) -> None:
    """What each model takes of a GPU, where the search has some."""
    needs = {trial.recipe.model.label: trial.gpu_gb for trial in plan.trials if trial.gpu_gb}
    for model, gigabytes in needs.items():
        console.print(
            f"Training {model} takes about {gigabytes:,.0f} GB of each worker's GPU (reckoned from its sizes).",
            highlight=False,
            soft_wrap=True,
        )


def not_counted(space: Space, console: Console) -> None:
    """What the plan cannot count, or counts in full although some of it will be left out."""
    if space.preselection is not None:
        console.print(
            f"Of each target's intermediates, the {space.preselection.keep:.0%} with the best estimates are trained; here "
            "all are counted, and the estimates are not.",
            highlight=False,
            soft_wrap=True,
        )
    if space.search.finalists is not None:
        again = space.search.finalists
        console.print(
            f"Not counted: the {again.top} best recipes of each target, and its baseline, once more with {again.seeds} "
            "fresh seeds.",
            highlight=False,
            soft_wrap=True,
        )


def money(forecast: Forecast, console: Console) -> None:
    """GPU-hours and money on every instance type of the price list."""
    prices = load_prices()
    table = Table(box=None, pad_edge=False)
    for column in ("instance", "GPU", "GPU-hours", "US$", "US$ with nothing shared"):
        table.add_column(column, justify="left" if column in ("instance", "GPU") else "right")
    for name, instance in prices.instances.items():
        hours = prices.gpu_hours(name, forecast.shared)
        amount = f"{hours:,.1f}" if hours >= 1 else f"{hours:.4f}"
        costs = (prices.usd(name, work) for work in (forecast.shared, forecast.alone))
        table.add_row(
            name,
            f"{instance.gpus} x {instance.gpu}",
            amount,
            *(f"{usd:,.2f}" for usd in costs),
        )
    console.print(table)
    console.print(
        f"At {prices.use:.0%} of each GPU's peak, at least {prices.layer_ms:g} ms for each layer of a step, and prices of "
        f"{prices.dated} (xit_ray/plan/prices.yaml), without the seconds a run takes to start.",
        highlight=False,
        style="dim",
        soft_wrap=True,
    )


def duration(plan: Plan, workers: int, console: Console) -> None:
    """How long it takes on this machine, if that was measured."""
    if plan.throughput is None:
        console.print("How long it takes on this machine is known after --calibrate.", highlight=False)
        return
    speed, forecast = plan.throughput, plan.forecast
    seconds = {key: 0.0 if key in plan.stored else speed.seconds(work) for key, work in forecast.pieces.items()}
    simulated = simulate(forecast, seconds.__getitem__, workers, [trial.key for trial in plan.trials])
    console.print(
        f"On this machine, at {speed.training / 1e9:,.0f} GFLOP/s in training and {speed.scoring / 1e9:,.0f} in scoring: "
        f"{sum(seconds.values()):,.0f} device-seconds are left; on {workers} worker{'s' if workers > 1 else ''} "
        f"{simulated.seconds:,.0f} s, {simulated.busy:.0%} of the time at work.",
        highlight=False,
        soft_wrap=True,
    )


def _tera(work: Workload) -> str:
    return f"{work.flops / 1e12:,.1f}"
