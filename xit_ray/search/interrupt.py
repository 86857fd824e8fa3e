"""Ctrl-C and a polite kill: both end a search in the same orderly way, and neither gets lost."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

PATIENCE_SECONDS = 15.0
"""An orderly end takes a few seconds; an interrupt that has not ended the block by then is raised again."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def terminable() -> Iterator[None]:
    """While the block runs, SIGTERM raises KeyboardInterrupt in the main thread, and SIGINT does too where this process was
    started to ignore it (in the background): whatever the search is at, its runs are not left as if they went on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """While the block runs, SIGINT and SIGTERM raise KeyboardInterrupt in the main thread until the block ends.

    Python drops an exception that is raised inside a destructor or a callback of a C library, with a note on standard
    error, and goes on; an interrupt that met that fate is repeated.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked, ended = threading.Event(), threading.Event()
    main = threading.main_thread().ident or 0

    def interrupt(_: int, __: FrameType | None) -> None:
        asked.set()
        raise KeyboardInterrupt

    def repeat() -> None:
        asked.wait()
        while not ended.wait(PATIENCE_SECONDS):
            signal.pthread_kill(main, signal.SIGINT)

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    threading.Thread(target=repeat, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        asked.set()  # lets the thread go
        for number, handler in before.items():
            signal.signal(number, handler)
