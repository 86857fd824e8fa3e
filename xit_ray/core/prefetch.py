"""Making the next batches while the present one is computed."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

From = TypeVar("From")
Made = TypeVar("Made")

AHEAD = 2


def ahead(items: Iterator[From], make: Callable[[From], Made]) -> Generator[tuple[From, Made]]:
    """Each item with what is made of it by a thread that works up to ``AHEAD`` items ahead.

    An exception of ``make`` is raised where its result would have come. Closing the iterator ends the thread.
    """
    ready: queue.Queue[tuple[From, Made] | BaseException | None] = queue.Queue(AHEAD)
    closed = threading.Event()

    def put(value: tuple[From, Made] | BaseException | None) -> bool:
        while not closed.is_set():
            try:
                ready.put(value, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put((item, make(item))):
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the result is awaited
            put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while (value := ready.get()) is not None:
            if isinstance(value, BaseException):
                raise value
            yield value
    finally:
        closed.set()
        thread.join()
