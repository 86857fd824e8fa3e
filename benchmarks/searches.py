"""Searches that a benchmark runs, or reads the runs of."""

from pathlib import Path

from rich.console import Console

from xit_ray.report.build import MATRIX
from xit_ray.search import run
from xit_ray.spec.load import SPEC, load_space


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


def finished(space: Path, output: Path) -> Path:
    """Bring a search to its end in this process, on the Ray that it has joined; the folder of its run.

    Raises:
        RuntimeError: a trial failed.
    """
    folder, checked = run_of(space, output), None
    if (folder / MATRIX).is_file():
        return folder
    if not (folder / SPEC).is_file():
        loaded = run.absolute(load_space(space, output=str(output)))
        checked = run.check(loaded, str(space))
        run.new_folder(loaded)
    result = run.run(folder, Console(stderr=True), checked)
    if any(trial.status == "failed" for trial in result.state.trials.values()):
        raise RuntimeError(f"{folder}: a trial failed; see {folder / run.RAY_LOG}")
    return folder
