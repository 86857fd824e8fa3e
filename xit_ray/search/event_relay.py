"""The thread that writes down what happens in a search."""

import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any

from xit_ray.track.events import Event, StageProgress
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
        events = self.drain()
        # Progress between two evaluations is for the display alone.
        self.journal.append(e for e in events if not isinstance(e, StageProgress) or e.dev is not None)
        for event in events:
            self.state.apply(event)
            for listener in self.listeners:
                listener(event)
