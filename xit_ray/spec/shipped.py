"""The search spaces that come with the package, wherever it is installed."""

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xit_ray.spec.errors import unknown

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
    # Some stand beside a space: the description of a task, or of what a language model is to write.
    return {file.stem: file.resolve() for file in sorted(files) if "\nrecipe:" in file.read_text(encoding="utf-8")}


def found(space: str | Path | Mapping[str, Any]) -> str | Path | Mapping[str, Any]:
    """The space itself; where it is no file here and has the name of one that comes with the package, that one.

    Raises:
        UserError: it is a bare name, and none of theirs.
    """
    if not isinstance(space, str | Path) or Path(space).is_file():
        return space
    path, known = Path(space), shipped()
    named = str(path) in (path.stem, f"{path.stem}.yaml", f"{FOLDER}/{path.name}")
    if named and path.stem in known:
        return known[path.stem]
    if path.parent == Path() and path.suffix == "" and not path.exists():
        raise unknown("search space", str(space), known)
    return space
