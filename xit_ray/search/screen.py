"""A search outlives the terminal it was started in: a closed window or a lost connection takes the screen, not the search."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

CONSOLE_LOG = "console.log"
"""In a run's folder: what a search printed at its end, where its screen was gone."""


class Screen:
    """A text stream that is silent once what is behind it is gone.

    Args:
        stream: of a terminal, a pipe, or a file.
    """

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self.lost = False

    def write(self, text: str) -> int:
        """Write text, as long as somebody can see it."""
        if not self.lost:
            try:
                self.stream.write(text)
            except (OSError, ValueError):  # a terminal that was closed, a pipe that nobody reads
                self.lost = True
        return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        if not self.lost:
            try:
                self.stream.flush()
            except (OSError, ValueError):
                self.lost = True

    def close(self) -> None:
        """Close the stream; what a lost one still holds goes nowhere."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def outliving_terminal() -> Iterator[None]:
    """While the block runs, a terminal that goes away does not end this process, nor those it starts."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGHUP"):
        yield
        return
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
