"""Trackers follow the journal, each in a thread of its own: one that is slow, or away for an hour, costs a search nothing.

What a tracker has not taken yet is no list in memory: it is the rest of the journal, which is on disk anyway. A small file
says how many events have been delivered, so that a resumed search goes on where the killed one was.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from xit_ray.spec.errors import UserError, in_a_line
from xit_ray.track.events import Event
from xit_ray.track.journal import Journal, JournalReader
from xit_ray.track.state import State
from xit_ray.track.trackers import Tracker

FOLDER = "delivered"
"""In a run's folder: for each tracker, how many of the journal's events it has taken."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
"""Between two tries to deliver an event; each pause is twice the one before."""
PATIENCE_SECONDS = 30.0
"""At the end of a search, how long a tracker that takes nothing is waited for."""


class Follower(Protocol):
    """What follows a search's journal in a thread of its own."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def problem(self) -> str | None:
        """Why it is behind; None where it is not."""

    def wake(self) -> None:
        """The journal has grown."""


@contextmanager
def delivering(
    trackers: dict[str, Tracker], folder: Path, anew: bool = False, say: Callable[[str], None] = lambda line: None
) -> Iterator[list["Delivery"]]:
    """Deliver a run's events while the block runs, and what is left of them at its end.

    Args:
        trackers: by name.
        folder: of the run.
        anew: deliver every event again, whatever was delivered before.
        say: is told where the end takes a while.
    """
    deliveries = [Delivery(name, tracker, folder, anew) for name, tracker in trackers.items()]
    for delivery in deliveries:
        delivery.thread.start()
    try:
        yield deliveries
    finally:
        late = ", ".join(one.name for one in deliveries if one.problem is not None)
        if late:
            say(f"waiting up to {PATIENCE_SECONDS:.0f} s for {late}")
        for delivery in deliveries:
            delivery.close()


class Delivery:
    """Delivers a journal's events to one tracker: in order, none left out, and again only where a process was killed between
    the tracker's answer and the note of it.

    Args:
        name: of the tracker; names the file that says how far it is.
        tracker: takes the events. Whatever it raises, the event is delivered again after a pause.
        folder: of the run.
        anew: deliver every event again, whatever was delivered before.
    """

    def __init__(self, name: str, tracker: Tracker, folder: Path, anew: bool = False) -> None:
        self.name, self.tracker, self.journal = name, tracker, Journal(folder)
        self.reader = JournalReader(self.journal.file)
        self.note = folder / FOLDER / name
        self.delivered = 0 if anew else self._noted()
        """Events that the tracker has taken."""
        self.taken = 0
        """Events of the journal that have been looked at."""
        self.problem: str | None = None
        """What the tracker raised when it was last called; None when it took the event."""
        self.last_taken = time.monotonic()
        self.news, self.closing, self.abandoned = threading.Event(), threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"delivery to {name}", daemon=True)

    def wake(self) -> None:
        """The journal has grown."""
        self.news.set()

    def close(self) -> None:
        """Deliver what is left, and end; give up when the tracker has taken nothing for ``PATIENCE_SECONDS``."""
        self.last_taken = time.monotonic()
        self.closing.set()
        self.news.set()
        try:
            while self.thread.is_alive() and time.monotonic() - self.last_taken < PATIENCE_SECONDS:
                self.thread.join(0.1)
        finally:
            self.abandon()
        if self.thread.is_alive() and self.problem is None:
            self.problem = f"has not answered for {PATIENCE_SECONDS:.0f} s"

    def abandon(self) -> None:
        """Deliver nothing more."""
        self.abandoned.set()
        self.news.set()

    def _run(self) -> None:
        try:
            self._deliver()
        except Exception as error:  # noqa: BLE001 - a full disk, or a journal that was damaged: said like a tracker's own
            self.problem = in_a_line(error)

    def _deliver(self) -> None:
        state = State()
        for event in self._events():
            state.apply(event)
            self.taken += 1
            pause = FIRST_PAUSE_SECONDS
            while self.taken > self.delivered:
                if self.abandoned.is_set():
                    return
                try:
                    self.tracker.apply(event, state)
                except Exception as error:  # noqa: BLE001 - told at the end, and in the display meanwhile
                    self.problem = in_a_line(error)
                    if self.abandoned.wait(pause):
                        return
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                else:
                    self.problem, self.last_taken = None, time.monotonic()
                    self.delivered = self.taken
                    self._write_note()

    def _events(self) -> Iterator[Event]:
        """The journal's events, those that are still to come too, until the search has ended."""
        while not self.abandoned.is_set():
            self.news.clear()
            last = self.closing.is_set()
            yield from self.reader.new_events()
            if last:
                return
            self.news.wait()

    def _noted(self) -> int:
        """How many events were delivered before, of this very journal: one that was brought from elsewhere, or changed by
        hand, is delivered from its beginning."""
        try:
            count, digest = self.note.read_text().split()
            reader = JournalReader(self.journal.file)
            for number, _ in enumerate(reader.new_events(), start=1):
                if number == int(count):
                    return number if reader.digest.hexdigest() == digest else 0
        except (FileNotFoundError, ValueError, UserError):
            pass
        return 0

    def _write_note(self) -> None:
        self.note.parent.mkdir(exist_ok=True)
        aside = self.note.with_name(f"{self.note.name}.new")
        aside.write_text(f"{self.delivered} {self.reader.digest.hexdigest()}")
        aside.replace(self.note)
