"""``python -m xit_ray.plan SPACE.yaml``: what a search would train, before anything is spent."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from xit_ray.data.source import parse_source
from xit_ray.plan.planner import Planner
from xit_ray.plan.trie import trie
from xit_ray.spec import doors
from xit_ray.spec.load import load_space
from xit_ray.spec.points import listed_points

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def plan(
    space: Annotated[str, typer.Argument(help="Search-space file.")],
    data: Annotated[str | None, typer.Option(help="Folder, 'hub' or 'mirror:DIR' (also XIT_DATA).")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="PATH=VALUE, for example search.trials=8.")] = None,
) -> None:
    """Show the stages a search needs, and how many trials share each."""
    loaded = load_space(space, tuple(set_ or ()), data=data)
    planner = Planner(loaded, parse_source(loaded.data), "plan", space)
    planner.check()
    console = doors.console()
    if loaded.search.algorithm == "tpe":
        console.print(f"{space}: {loaded.search.trials} trials, each proposed from those before; nothing to list.")
        return
    trials = {trial.key: trial for trial in map(planner.trial, listed_points(loaded))}
    nodes = trie(trials.values(), planner)
    table = Table(box=None, pad_edge=False)
    for column in ("stage", "steps", "learning rate", "trials"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for node in nodes.values():
        stage = node.training.stage
        label = "  " * node.depth + node.training.label
        table.add_row(Text(label), str(node.steps), f"{stage.learning_rate:g}", str(len(node.trials)))
    console.print(table)
    alone = sum(node.steps * len(node.trials) for node in nodes.values())
    steps = sum(node.steps for node in nodes.values())
    console.print(
        f"{len(trials)} trials need {len(nodes)} stages, {steps} steps; "
        f"with nothing shared it would be {sum(len(node.trials) for node in nodes.values())} stages, {alone} steps.",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    doors.door(app)
