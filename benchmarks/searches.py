"""Searches that a benchmark reads the runs of."""

from pathlib import Path

from xit_ray.report.build import MATRIX
from xit_ray.search.run import SPEC
from xit_ray.spec.load import load_space


def run_of(space: Path, output: Path) -> Path:
    """The folder in which a space is run."""
    return output / load_space(space).name


def left_of(space: Path, output: Path) -> list[str] | None:
    """What Python is called with to bring a search to its end, begun or not; None where it has ended."""
    folder = run_of(space, output)
    if (folder / MATRIX).is_file():
        return None
    begun = (folder / SPEC).is_file()
    return ["-m", "xit_ray.search", *(["--resume", str(folder)] if begun else [str(space), "--output", str(output)])]
