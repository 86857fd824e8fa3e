"""The thread that writes down what happens in a search."""

import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any

from xit_ray.track.events import Event, StageProgress, StagePublished
from xit_ray.track.journal import Journal
from xit_ray.track.state import State

INTERVAL_SECONDS = 0.5


class EventRelay:
    """Takes events from the coordinator to the journal, the state, and the listeners (the display, and what wakes the
    deliveries to trackers), in that order.

    A journal that cannot be written (a full disk) interrupts the search: better stopped than unrecorded.

    Args:
        drain: returns the events since the last call.
        journal: keeps the events.
        state: is updated with each event.
        listeners: called with each event after it was written down.
    """

    def __init__(
        self,
        drain: Callable[[], list[Event]],
        journal: Journal,
        state: State,
        listeners: Sequence[Callable[[Event], None]],
    ) -> None:
        self.drain, self.journal, self.state, self.listeners = drain, journal, state, listeners
        self.scored = {key: stage.scored for key, stage in state.stages.items() if stage.published is None}
        """By stage in training: the last step that was scored."""
        self.done = threading.Event()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._loop, daemon=True)

    def __enter__(self) -> "EventRelay":
        self.thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.done.set()
        self.thread.join()
        if self.error is not None:
            raise self.error

    def _loop(self) -> None:
        try:
            while not self.done.wait(INTERVAL_SECONDS):
                self._once()
            self._once()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that leaves the block
            self.error = error
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def _once(self) -> None:
        events = [self._once_only(event) for event in self.drain()]
        # Progress between two evaluations is for the display alone.
        self.journal.append(e for e in events if not isinstance(e, StageProgress) or e.dev is not None)
        for event in events:
            self.state.apply(event)
            for listener in self.listeners:
                listener(event)

    def _once_only(self, event: Event) -> Event:
        """A stage that goes on from a snapshot scores again what it had scored since: told for the display, not written down
        once more."""
        if isinstance(event, StagePublished):
            self.scored.pop(event.key, None)
        if not isinstance(event, StageProgress) or event.dev is None:
            return event
        if event.step <= self.scored.get(event.key, 0):
            return event.model_copy(update={"dev": None})
        self.scored[event.key] = event.step
        return event
