"""What runs are doing, read from their journals, whoever works on them."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from xit_ray.report.about import counts
from xit_ray.spec.errors import UserError, one_line
from xit_ray.spec.load import SPEC, load_space
from xit_ray.track.events import SearchEnded, SearchStarted
from xit_ray.track.journal import Journal
from xit_ray.track.mirror import fetch, is_mirror
from xit_ray.track.ownership import OWNER, is_owned
from xit_ray.track.state import ENDED, State

SILENT_SECONDS = 600.0
"""A run whose owner is not known, and whose journal has been silent for this long, may be lost."""


@contextmanager
def folders(run: str | None, output: Path = Path("runs")) -> Iterator[list[Path]]:
    """The folder of a run, or of all runs, while the block runs.

    Args:
        run: a name, a path, or the address of a mirror in a store; None for all runs on this machine.
        output: folder of the runs.

    Raises:
        UserError: there is no such run.
    """
    if run is not None and ("://" in run or is_mirror(Path(run))):
        with TemporaryDirectory(prefix="xit-status-") as aside:
            yield [fetch(run if "://" in run else str(Path(run).resolve()), Path(aside))]
        return
    present = sorted(file.parent for file in output.glob(f"*/{SPEC}"))
    if run is None:
        yield present
        return
    folder = next((one for one in (output / run, Path(run)) if (one / SPEC).is_file()), None)
    if folder is None:
        have = ", ".join(one.name for one in present)
        raise UserError(f"{run}: there is no such run (allowed: {have or 'none, there are no runs'})")
    yield [folder]


def show(run: str | None, console: Console) -> None:
    """Print what a run does, or all runs on this machine.

    Raises:
        UserError: as ``folders``.
    """
    with folders(run) as found:
        console.print(_table(found) if found else f"no runs in {Path('runs').resolve()}; name a run's folder")


def _table(runs: Iterable[Path]) -> Table:
    """A row for each run: whether it is at work, its trials, the best of each target, and when it was last heard of."""
    table = Table(box=None, pad_edge=False)
    for column in ("run", "is", "trials", "best English dev", "last event"):
        table.add_column(column, no_wrap=column != "best English dev")
    for folder in runs:
        try:
            table.add_row(*_row(folder))
        except (UserError, OSError) as error:
            table.add_row(folder.name, "cannot be read", "–", one_line(error), "–")
    return table


def _row(folder: Path) -> tuple[str, ...]:
    events = list(Journal(folder).read())
    state, space = State(events), load_space(folder / SPEC)
    last = next((event for event in reversed(events) if isinstance(event, SearchEnded | SearchStarted)), None)
    ended = last.status if isinstance(last, SearchEnded) else None
    is_what = ended or _unfinished(folder, time.time() - events[-1].time if events else None)
    # What was in the middle when a search ended, or was lost, is not so any more.
    over = not is_what.startswith("at work")
    by_status = Counter(
        trial.status if not over or trial.status in ENDED else "to go on" for trial in state.trials.values()
    )
    _, total = counts(space, state)
    return (
        folder.name,
        is_what,
        f"{', '.join(f'{count} {status}' for status, count in by_status.items()) or 'none yet'} of {total}",
        "\n".join(best_in_words(state)) or "–",
        f"{time.time() - events[-1].time:.0f} s ago" if events else "–",
    )


def _unfinished(folder: Path, silent: float | None) -> str:
    """What a run is whose journal has no end."""
    if (folder / OWNER).is_file():
        return "at work" if is_owned(folder) else "lost: resume it"
    # A mirror, which says nothing of its owner: a search at work is seldom silent for so long.
    return "at work" if silent is not None and silent < SILENT_SECONDS else "lost or busy: silent for long"


def best_in_words(state: State) -> list[str]:
    """The best trial of each target so far."""
    return [
        f"{target} {100 * (trial.dev or 0.0):.1f} ({trial.cell.intermediate})" for target, trial in state.best().items()
    ]
