"""The thread that writes down what happens."""

import signal
import threading
from typing import Any

from xit_ray.track.journal import Event, Journal
from xit_ray.track.state import State

PUMP_SECONDS = 0.5


class Pump:
    """Takes events from the foreman to the journal, the state, MLflow and the display, in that order.

    A sink that fails (a full disk, a lost MLflow server) interrupts the search: it is better stopped than unrecorded.

    Args:
        drain: returns the events since the last call.
        sinks: called with each event that has been written down.
    """

    def __init__(self, drain: Any, journal: Journal, state: State, sinks: list[Any]) -> None:
        self.drain, self.journal, self.state, self.sinks = drain, journal, state, sinks
        self.done = threading.Event()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._loop, daemon=True)

    def __enter__(self) -> "Pump":
        self.thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.done.set()
        self.thread.join()
        if self.error is not None:
            raise self.error

    def _loop(self) -> None:
        try:
            while not self.done.wait(PUMP_SECONDS):
                self._once()
            self._once()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that leaves the block
            self.error = error
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def _once(self) -> None:
        events: list[Event] = self.drain()
        # Progress between two scores is for the eye alone.
        self.journal.append(event for event in events if event["kind"] != "progress" or event["dev"] is not None)
        for event in events:
            self.state.apply(event)
            for sink in self.sinks:
                sink(event)
