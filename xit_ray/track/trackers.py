"""Trackers follow a search from outside: MLflow always does, and so do those that plugins add."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from xit_ray.spec.plugins import plugin, wrong
from xit_ray.spec.space import Space
from xit_ray.track.events import Event
from xit_ray.track.mlflow_tracker import MLflowTracker
from xit_ray.track.state import State


@runtime_checkable
class Tracker(Protocol):
    """Mirrors a search into some other system. An exception of any method ends the search: better stopped than unrecorded."""

    def start(self, params: dict[str, Any]) -> None:
        """The search begins, or is resumed.

        Args:
            params: what it is: ``question``, ``run`` and ``algorithm``.
        """

    def catch_up(self, events: Iterable[Event], state: State) -> None:
        """Called once after ``start``: mirror what an earlier, killed process wrote down but did not get to mirror.

        Args:
            events: the journal's, in order.
            state: what they add up to.
        """

    def apply(self, event: Event, state: State) -> None:
        """Mirror one event, which ``state`` has taken in already."""

    def finish(self, files: list[Path], status: str) -> None:
        """The search has ended.

        Args:
            files: report and tables.
            status: ``FINISHED``, ``FAILED`` or ``KILLED``.
        """


class Trackers:
    """Several trackers as one.

    Args:
        space: names the MLflow server and the plugins' trackers.
        folder: of the run.

    Raises:
        UserError: a server cannot be reached, or a plugin cannot be loaded.
    """

    def __init__(self, space: Space, folder: Path) -> None:
        assert space.mlflow is not None
        self.all: list[Tracker] = [MLflowTracker(space.mlflow, space.name, folder.name)]
        for name in space.trackers:
            make: Callable[[Space, Path], Tracker] = plugin("trackers", name)
            tracker = make(space, folder)
            if not isinstance(tracker, Tracker):
                raise wrong("trackers", name, tracker, "a class or function that gives a Tracker")
            self.all.append(tracker)

    def start(self, params: dict[str, Any]) -> None:
        """Tell every tracker."""
        for tracker in self.all:
            tracker.start(params)

    def catch_up(self, events: Iterable[Event], state: State) -> None:
        """Tell every tracker."""
        known = list(events)
        for tracker in self.all:
            tracker.catch_up(known, state)

    def apply(self, event: Event, state: State) -> None:
        """Tell every tracker."""
        for tracker in self.all:
            tracker.apply(event, state)

    def finish(self, files: list[Path], status: str) -> None:
        """Tell every tracker."""
        for tracker in self.all:
            tracker.finish(files, status)
