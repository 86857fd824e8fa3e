"""A search's events on standard output, for programs."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xit_ray.track.events import Event
    from xit_ray.track.state import State


class JsonLines:
    """Prints each event as a line of JSON (a ``track.trackers.Tracker``), where this process printed when it began: while Ray
    runs, its standard output goes to a file."""

    def __init__(self) -> None:
        self.stream = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)

    def apply(self, event: "Event", state: "State") -> None:
        """Print one event."""
        self.stream.write(event.model_dump_json() + "\n")
