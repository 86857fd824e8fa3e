"""Beginning a search: its space is read, all that it needs is looked at, and its folder is made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from xit_ray.plan.planner import Planner
from xit_ray.search import run
from xit_ray.spec.load import GIVEN, load_space
from xit_ray.spec.shipped import found


def begin(
    space: str | Path | Mapping[str, Any],
    overrides: tuple[str, ...],
    console: Console,
    *,
    data: str | None = None,
    output: str | None = None,
    mlflow: str | None = None,
) -> tuple[Path, Planner]:
    """The folder of a new run, and a planner that has looked at everything in it.

    Args:
        space: a file, the name of one that comes with the package, or what would be in one.
        overrides: as ``--set`` has them.
        console: is told what takes a while.
        data: folder, ``hub`` or ``mirror:DIR``.
        output: folder of the runs.
        mlflow: address of an MLflow server.

    Raises:
        UserError: something is not allowed, unknown or missing.
    """
    where = str(space) if isinstance(space, str | Path) else GIVEN
    loaded = run.absolute(load_space(found(space), overrides, data=data, output=output, mlflow=mlflow))
    console.print(f"{where}: looking at its tasks, rows and model", highlight=False, soft_wrap=True)
    checked = run.check(loaded, where)
    folder = run.new_folder(loaded)
    if folder.name != loaded.name:
        console.print(f"the name {loaded.name} is taken: this run is {folder.name}", highlight=False)
    return folder, checked
