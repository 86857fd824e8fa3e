"""Trackers follow a search from outside: MLflow always does, and so do those that plugins add."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from xit_ray.spec.errors import UserError
from xit_ray.spec.plugins import plugin, wrong
from xit_ray.spec.space import Space
from xit_ray.track.events import Event
from xit_ray.track.mlflow_tracker import MLflowTracker
from xit_ray.track.state import State


@runtime_checkable
class Tracker(Protocol):
    """Mirrors a search into some other system.

    It is called in a thread of its own and may take its time. An exception never stops the search: the same event comes
    again after a pause, until it is taken. An event also comes again where the process was killed before it could note
    that it was taken, so taking it twice should do no harm.
    """

    def apply(self, event: Event, state: State) -> None:
        """Mirror one event; events come in order, from ``SearchStarted`` to ``SearchEnded``.

        Args:
            event: what happened.
            state: what all events up to this one, included, add up to.
        """


def trackers_of(space: Space, folder: Path) -> dict[str, Tracker]:
    """A space's trackers, by names that may be file names.

    Args:
        space: names the MLflow server and the plugins' trackers.
        folder: of the run.

    Raises:
        UserError: a plugin cannot be loaded.
    """
    assert space.mlflow is not None
    # An address may hold a password, so its name is a digest of it.
    server = hashlib.sha256(space.mlflow.encode()).hexdigest()[:8]
    trackers: dict[str, Tracker] = {f"mlflow-{server}": MLflowTracker(space, folder)}
    for name in space.trackers:
        make: Callable[[Space, Path], Tracker] = plugin("trackers", name)
        try:
            tracker = make(space, folder)
        except Exception as error:
            raise UserError(f"plugin xit_ray.trackers {name!r}: {type(error).__name__}: {error}") from error
        if not isinstance(tracker, Tracker):
            raise wrong("trackers", name, tracker, "a class or function that gives a Tracker")
        trackers[name] = tracker
    return trackers
