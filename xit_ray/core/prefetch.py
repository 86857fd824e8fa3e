"""Making the next batches while the present one is computed."""

import functools
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import torch
from threadpoolctl import ThreadpoolController

From = TypeVar("From")
Made = TypeVar("Made")

AHEAD = 2


@functools.cache
def _thread_pools() -> ThreadpoolController:
    """The thread pools of this process. Looking for them takes milliseconds, and scoring a small set not much more."""
    return ThreadpoolController()


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
        # A thread that computes in parallel starts a team of threads of its own, and where teams have more threads than there
        # are cores, OpenMP's wait asleep: the training thread's too, which costs it a fifth of its speed on two cores.
        torch.get_num_threads()  # torch sets the number of a new thread at the first call, and would set it again
        try:
            with _thread_pools().limit(limits=1, user_api="openmp"):
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
