"""``xit``: the commands of all packages under one name.

A command's module is imported when the command is called: torch and MLflow take seconds, and ``--help`` needs neither.
"""

import importlib
import importlib.metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from xit_ray.spec import commands

COMMANDS = {
    "search": (
        "xit_ray.search.__main__",
        "Search recipes, score them zero-shot in every language, and write matrix and report.",
    ),
    "plan": (
        "xit_ray.plan.__main__",
        "Show the stages a search needs, how many trials share each, and what that costs.",
    ),
    "init": ("xit_ray.plan.init", "Write a search space with comments, to be edited."),
    "schema": (
        "xit_ray.spec.__main__",
        "Print the JSON Schema of search spaces, for editors.",
    ),
    "report": (
        "xit_ray.report.__main__",
        "Make a run's report anew, finished or not, and print it; of several runs, a page with all of them.",
    ),
    "export": (
        "xit_ray.export.__main__",
        "Write the best model of a run as a folder that transformers or sentence-transformers loads.",
    ),
    "predict": ("xit_ray.export.__main__", "Label a file's rows, in any language, with a model that was exported."),
    "track": ("xit_ray.track.__main__", "Deliver what is in a run's journal and did not reach its trackers yet."),
    "models": ("xit_ray.plan.models", "What an encoder can do: longest input, memory, tokens per word by language."),
    "data": ("xit_ray.data.__main__", "Which tasks there are, and what their rows look like."),
    "doctor": ("xit_ray.search.doctor", "Say what this machine can do: GPU, bfloat16, memory, disk, Ray, MLflow, hub."),
    "stages": ("xit_ray.stages.__main__", "What a stage store holds; have a language model write training rows."),
    "submit": (
        "xit_ray.cluster.__main__",
        "Start a search on a cluster's head, or go on with one, and leave it there.",
    ),
    "status": (
        "xit_ray.cluster.__main__",
        "What runs do, on this machine or on a cluster's head, and which machines they wait for.",
    ),
    "logs": ("xit_ray.cluster.__main__", "What a run on a cluster's head has printed."),
    "stop": ("xit_ray.cluster.__main__", "Interrupt a run on a cluster's head; --resume goes on with it."),
    "fetch": ("xit_ray.cluster.__main__", "Bring a run's folder home: report, tables, journal."),
}
"""By name: the module that has it, and what it is for."""
EXAMPLES = """Examples:

xit search

xit plan search_spaces/transfer_matrix.yaml

xit search my_space.yaml --set search.trials=8

xit search --resume my_space
"""


class _Commands(TyperGroup):
    """Lists all commands, and imports the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


def command(name: str) -> Any:
    """One of the commands, from its own package."""
    app = importlib.import_module(COMMANDS[name][0]).app
    found = typer.main.get_command(app)
    # A package with one command is that command; one with several is a group, whose commands stand here beside the others
    # or keep the package's name.
    return found.commands.get(name, found) if isinstance(found, TyperGroup) else found


def _version(asked: bool) -> None:
    if asked:
        print(f"xit_ray {importlib.metadata.version('xit_ray')}")
        raise typer.Exit


app = typer.Typer(cls=_Commands, add_completion=False, rich_markup_mode=None, no_args_is_help=True, epilog=EXAMPLES)


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Search over cross-lingual intermediate-task training recipes."""


def main() -> None:
    """The console script."""
    commands.run(app)
