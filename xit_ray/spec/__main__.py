"""``python -m xit_ray.spec``: the language of search spaces, for editors and for people."""

import json
from typing import Annotated

import typer

from xit_ray.spec import commands
from xit_ray.spec.schema import reference, space_schema

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="A page of all keys, in place of the schema.")] = False,
) -> None:
    """Print the JSON Schema of search spaces, for editors."""
    print(reference() if markdown else f"{json.dumps(space_schema(), indent=1, ensure_ascii=False)}\n", end="")


if __name__ == "__main__":
    commands.run(app)
