"""Work on machines before there are any: who runs what when, if pieces take as long as forecast."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

from xit_ray.plan.forecast import Forecast


@dataclass(frozen=True)
class Schedule:
    """A simulated search."""

    seconds: float
    """From the first piece to the last."""
    busy: float
    """Share of the workers' time that is spent on pieces."""


def simulate(forecast: Forecast, seconds: Callable[[str], float], workers: int, order: list[str]) -> Schedule:
    """Trials in their order on some workers: a trial waits for a stage that another one trains, and a worker that has
    nothing to do takes the next trial that need not wait.

    Args:
        forecast: the pieces.
        seconds: how long a piece takes.
        workers: runs at a time.
        order: the trials' keys.
    """
    left = {key: list(forecast.needed[key]) for key in order}
    done: set[str] = set()
    running: dict[str, str] = {}  # piece to trial
    waiting = list(order)
    clock, worked = 0.0, 0.0
    ends: list[tuple[float, str]] = []
    while waiting or ends:
        for key in list(waiting):
            while left[key] and left[key][0] in done:
                left[key].pop(0)
            if not left[key]:
                waiting.remove(key)
            elif left[key][0] not in running and len(running) < workers:
                piece = left[key][0]
                running[piece] = key
                waiting.remove(key)
                worked += seconds(piece)
                heapq.heappush(ends, (clock + seconds(piece), piece))
        if ends:
            clock, piece = heapq.heappop(ends)
            done.add(piece)
            # A worker stays with its trial: what comes next is the first to be looked at.
            waiting.insert(0, running.pop(piece))
    return Schedule(clock, worked / (clock * workers) if clock else 1.0)
