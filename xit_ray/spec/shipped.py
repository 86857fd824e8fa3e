"""The search spaces that come with the package, wherever it is installed."""

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = "search_spaces"
CHECKOUT = Path(__file__).parents[2] / FOLDER
"""Where they are in a checkout; an installed package has them among its data files."""


def shipped() -> dict[str, Path]:
    """The files by their names, without the suffix."""
    if CHECKOUT.is_dir():
        files = list(CHECKOUT.glob("*.yaml"))
    else:
        listed = importlib.metadata.files("xit_ray") or []
        files = [Path(str(one.locate())) for one in listed if one.parent.name == FOLDER and one.suffix == ".yaml"]
    return {file.stem: file.resolve() for file in sorted(files)}


def found(space: str | Path | Mapping[str, Any]) -> str | Path | Mapping[str, Any]:
    """The space itself; where it is no file here and has the name of one that comes with the package, that one."""
    if not isinstance(space, str | Path) or Path(space).exists():
        return space
    path = Path(space)
    named = path.suffix in ("", ".yaml") and path.parent.name in ("", FOLDER)
    return shipped().get(path.stem, space) if named else space
