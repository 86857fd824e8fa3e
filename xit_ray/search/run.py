"""A search from its file to its report: check it, make the run's folder, run it, and write the report."""

import functools
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console

from xit_ray.core import models
from xit_ray.data.source import parse_source
from xit_ray.plan.accuracy import Accuracy, accuracy
from xit_ray.plan.forecast import Forecaster
from xit_ray.plan.planner import Planner
from xit_ray.plan.prices import hourly_price
from xit_ray.plan.workload import Throughput
from xit_ray.report.build import build
from xit_ray.report.summary import Summary
from xit_ray.search.interrupt import interruptible, terminable
from xit_ray.search.provenance import provenance
from xit_ray.search.screen import Screen
from xit_ray.spec.domains import cover
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import SPEC, dump_space, load_space
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.space import Space, as_recipe
from xit_ray.stages.store import Store
from xit_ray.track import tables
from xit_ray.track.delivery import Follower, delivering
from xit_ray.track.events import Event, OverlapsFound, SearchEnded, SearchStarted
from xit_ray.track.journal import Journal
from xit_ray.track.mirror import Mirror, exists, fetch, is_mirror, mirror_of, mirrored
from xit_ray.track.mlflow_client import connect
from xit_ray.track.ownership import owned
from xit_ray.track.state import State
from xit_ray.track.trackers import Tracker, trackers_of

RAY_LOG = "ray.log"


@dataclass(frozen=True)
class SearchResult:
    """What a search left."""

    folder: Path
    state: State
    space: Space
    summary: Summary
    forecast: str | None
    """How good the plan's forecast was, in words."""
    behind: tuple[str, ...]
    """Trackers, and the mirror, that have not taken everything that happened, and why."""


def check(space: Space, where: str) -> Planner:
    """Look at everything a new search will need, before its folder is made and Ray is started.

    Returns:
        a planner that has seen all of it.

    Raises:
        UserError: a task, language, row or model is unknown, missing or bad, or there is no such MLflow server.
    """
    if space.mlflow and not space.mlflow.startswith("sqlite:"):  # a database file is made when the search is
        connect(space.mlflow)
    hourly_price(space.budget)
    planner = Planner(space, parse_source(space.data), where)
    planner.check()
    _check_machine(space, where)
    for model in planner.models:
        models.require(model)
    Store(space.store_root).check()
    return planner


def _check_machine(space: Space, where: str) -> None:
    """Refuse what does not fit on this machine, where it is all there is; a cluster's machines may be still to come."""
    from xit_ray.search import runtime

    if runtime.joins_cluster():
        return
    from xit_ray.search.compat import machine

    try:
        runtime.fitting(space.resources, *machine())
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def new_folder(space: Space) -> Path:
    """Make the run's folder, ``OUTPUT/NAME``, or ``OUTPUT/NAME-2`` and so on where that is taken, here or in the store."""
    base = Path(space.output).resolve()
    number = 1
    while True:
        folder = base / (space.name if number == 1 else f"{space.name}-{number}")
        number += 1
        if exists(mirror_of(space.store_root, folder.name)):
            continue
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        (folder / SPEC).write_text(dump_space(space), encoding="utf-8")
        return folder


def old_folder(name: str, output: str) -> Path:
    """The folder of a run to be resumed: its name under the output folder, its path, or the address of its mirror in a
    store, from which it is brought to this machine.

    Raises:
        UserError: there is no such run.
    """
    if "://" in name or is_mirror(Path(name)):
        return _fetched(name, Path(output).resolve())
    for folder in (Path(output) / name, Path(name)):
        if (folder / SPEC).is_file():
            return folder.resolve()
    have = sorted(file.parent.name for file in Path(output).glob(f"*/{SPEC}"))
    raise UserError(
        f"--resume {name}: found no run in {output}/ (allowed: {', '.join(have) or 'none, there are no runs'}, or the "
        "address of a run in a store, STORE/runs/NAME)"
    )


def _fetched(address: str, output: Path) -> Path:
    """A run from its mirror, with the paths of its other machine made this one's."""
    address = address if "://" in address else str(Path(address).resolve())
    new = not (output / address.partition("?")[0].rstrip("/").rpartition("/")[2]).exists()
    folder = fetch(address, output)
    if not new:
        return folder
    space = load_space(folder / SPEC)
    values = {"output": str(output)}
    if space.mlflow == f"sqlite:///{space.output}/mlflow.db":
        values["mlflow"] = f"sqlite:///{output}/mlflow.db"
    (folder / SPEC).write_text(dump_space(space.model_copy(update=values)), encoding="utf-8")
    return folder


def absolute(space: Space) -> Space:
    """The space with its local paths made absolute, so that a resume may be called from anywhere."""
    values: dict[str, Any] = {"output": str(Path(space.output).resolve())}
    if "://" not in space.store_root:
        values["store"] = str(Path(space.store_root).expanduser().resolve())
    source = parse_source(space.data)
    values["data"] = None if source.kind == "none" else str(source)
    values["mlflow"] = space.mlflow or f"sqlite:///{values['output']}/mlflow.db"
    return space.model_copy(update=values)


def run(
    folder: Path,
    console: Console,
    checked: Planner | None = None,
    listener: Tracker | None = None,
    own_process: bool = True,
) -> SearchResult:
    """Do what is left of the search whose specification lies in the folder.

    Args:
        folder: of the run.
        console: where its progress is shown.
        checked: of a search that begins, what ``check`` gave; a resumed one is looked at again.
        listener: follows the search beside the space's own trackers.
        own_process: whether this process is for the search alone. Then all that Ray prints goes to the run's folder; in a
            notebook the process's output is left alone, and Ray is told to be silent.

    Raises:
        UserError: something the search needs is missing, or another process works on this run.
        KeyboardInterrupt: it was interrupted; what was finished is kept.
    """
    space = load_space(folder / SPEC)
    with terminable(), owned(folder):
        Journal(folder).mend()
        with mirrored(space, folder, functools.partial(_say, console)) as mirrors:
            trackers = trackers_of(space, folder) | ({"listener": listener} if listener is not None else {})
            result = _run(space, folder, checked, _Audience(console, own_process, mirrors, trackers))
        behind = tuple(f"{mirror.address}: {mirror.problem}" for mirror in mirrors if mirror.problem is not None)
    return replace(result, behind=result.behind + behind)


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


@dataclass(frozen=True)
class _Audience:
    """Who follows a search."""

    console: Console
    own_process: bool
    """Whether this process's output is the search's to turn away."""
    mirrors: list[Mirror]
    trackers: dict[str, Tracker]


def _run(space: Space, folder: Path, checked: Planner | None, audience: _Audience) -> SearchResult:
    console, mirrors = audience.console, audience.mirrors
    console.print(f"[bold]{space.name}[/bold]  {space.question}", highlight=False)
    planner = checked or Planner(space, parse_source(space.data), space.name)
    if checked is None:
        planner.check()
    journal = Journal(folder)
    state = State(journal.read())
    _same_recipes(planner, state, folder)

    def note(event: Event) -> None:
        journal.append([event])
        state.apply(event)
        for delivery in deliveries:
            delivery.wake()

    with delivering(audience.trackers, folder, say=functools.partial(_say, console)) as deliveries:
        try:
            search = state.search or uuid.uuid4().hex
            note(SearchStarted(run=folder.name, search=search, provenance=provenance(), dtype=planner.dtype))
            overlaps = tuple(planner.guard.shown)
            if overlaps != state.overlaps:
                note(OverlapsFound(overlaps=overlaps))
            with interruptible():
                followers: list[Follower] = [*mirrors, *deliveries]
                _search(planner, folder, journal, state, followers, audience)
            tables.write(state, folder)
            forecast = _forecast(space, planner, state)
            if forecast is not None:
                pq.write_table(forecast.as_table(), folder / tables.FORECAST)
            summary, _ = build(folder, space.store_root)
        except BaseException as error:
            if any(mirror.lost.is_set() for mirror in mirrors):
                # What happens from now on is the other process's to say.
                for delivery in deliveries:
                    delivery.abandon()
                raise UserError(f"{folder}: {mirrors[0].problem}") from None
            note(SearchEnded(status="interrupted" if isinstance(error, KeyboardInterrupt) else "failed"))
            tables.write(state, folder)
            raise
        failed = any(trial.status == "failed" for trial in state.trials.values())
        note(SearchEnded(status="failed" if failed else "finished"))
    behind = tuple(f"{one.name}: {one.problem}" for one in deliveries if one.problem is not None)
    told = forecast.in_words() if forecast is not None else None
    return SearchResult(folder, state, space, summary, told, behind)


def _same_recipes(planner: Planner, state: State, folder: Path) -> None:
    """Refuse to go on with a run whose trials would be called otherwise now, or scored otherwise than those that are done."""
    for trial in state.trials.values():
        planned = planner.trial(trial.recipe)
        if planned.key != trial.key:
            raise UserError(
                f"{folder}: was begun by a version of xit_ray that writes recipes otherwise; start it anew: its stages are "
                "not taken by this version"
            )
        if trial.evaluation not in (None, planned.evaluation.key):
            raise UserError(
                f"{folder}: trial {trial.key} was scored on other rows or languages, or by another version of xit_ray; start "
                "the search anew: trained stages are taken from the store, and only scored again"
            )


def _forecast(space: Space, planner: Planner, state: State) -> Accuracy | None:
    """The plan's forecast against what was measured. Proposed trials are not known beforehand; a stage that was stopped
    early, or gone on with after a crash, is cheaper or dearer than the plan knows and is left out."""
    if not space.search.listed:
        return None
    forecast = Forecaster(planner).of(map(planner.trial, listed_recipes(space)))
    measured = {
        key: trial.score_cost for trial in state.trials.values() if (key := trial.evaluation) and trial.score_cost
    }
    for key, stage in state.stages.items():
        if stage.published is not None and len(stage.started) == 1:
            measured[key] = stage.cost
    return accuracy(forecast, measured, _measured_throughput(space))


def _measured_throughput(space: Space) -> Throughput | None:
    """What ``plan --calibrate`` measured of this machine, if the runs were here."""
    if space.resources.gpus:
        return None
    from xit_ray.core.device import device_for
    from xit_ray.plan import throughput

    model = as_recipe(next(iter(cover(space.recipe)))).model
    return throughput.known(model, device_for(space.resources))


def _search(
    planner: Planner, folder: Path, journal: Journal, state: State, followers: list[Follower], audience: _Audience
) -> None:
    console, terminal = audience.console, audience.console.is_terminal  # asked before the screen is turned away
    with _quiet(folder / RAY_LOG) if audience.own_process else nullcontext() as screen:
        from xit_ray.search import tuning  # Ray is imported with its output already turned away

        shown, talks = screen(console, terminal) if screen is not None else console, audience.own_process
        tuning.fit(tuning.SearchRun(planner.space, planner, folder, journal, state, followers, shown, talks))


@contextmanager
def _quiet(file: Path) -> Iterator[Any]:
    """Send everything this process and Ray's print to a file; yields a function that gives a console its screen back."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    screen = Screen(os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1))
    log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        yield functools.partial(_on_screen, screen)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, saved in enumerate(kept, start=1):
            os.dup2(saved, number)
            os.close(saved)
        os.close(log)
        screen.close()


def _on_screen(screen: Any, console: Console, terminal: bool) -> Console:
    return Console(file=screen, force_terminal=terminal, width=console.width, quiet=console.quiet)
