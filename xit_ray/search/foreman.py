"""The foreman: one small actor that hands out stages, one holder each, and passes on what happens."""

import threading
import time
from typing import Any, Protocol

import ray

from xit_ray.search.purse import Purse

LEASE_SECONDS = 20.0
"""A holder that has not renewed for this long is taken for dead, and its stages are free again."""


class _Foreman:
    """Single flight by leases. A trial claims a whole chain of missing stages, because nobody else can hold a later
    stage of a chain whose first is missing. Calls come on several threads; one is answered at a time."""

    def __init__(self, purse: Purse | None = None) -> None:
        self.lock = threading.Lock()
        self.holders: dict[str, tuple[str, float]] = {}
        self.events: list[dict[str, Any]] = []
        self.purse = purse

    def claim(self, keys: list[str], holder: str) -> bool:
        """Give the keys to the holder, unless another one that is alive holds the first."""
        with self.lock:
            owner, expires = self.holders.get(keys[0], (holder, 0.0))
            if owner != holder and expires > time.monotonic():
                return False
            for key in keys:
                self.holders[key] = holder, time.monotonic() + LEASE_SECONDS
            return True

    def renew(self, holder: str) -> None:
        """Keep the holder's leases."""
        with self.lock:
            for key, (owner, _) in self.holders.items():
                if owner == holder:
                    self.holders[key] = holder, time.monotonic() + LEASE_SECONDS

    def release(self, holder: str, key: str | None = None) -> None:
        """Free one of the holder's keys, or all of them."""
        with self.lock:
            for held in [k for k, (owner, _) in self.holders.items() if owner == holder and key in (None, k)]:
                del self.holders[held]

    def emit(self, kind: str, **content: Any) -> None:
        """Record an event; the search's own process reads them."""
        with self.lock:
            event = {"time": time.time(), "kind": kind, **content}
            self.events.append(event)
            if self.purse is not None:
                self.purse.note(kind, event)

    def allow(self, trial: str, steps: int) -> str | None:
        """Whether the budget lets a trial start: None, or why not."""
        with self.lock:
            return self.purse.allow(trial, steps) if self.purse is not None else None

    def drain(self) -> list[dict[str, Any]]:
        """The events since the last call."""
        with self.lock:
            events, self.events = self.events, []
            return events


Foreman = ray.remote(num_cpus=0)(_Foreman)


class Teller(Protocol):
    """Says what happens in a trial."""

    def __call__(self, kind: str, **content: Any) -> None:
        """Emit an event; it has arrived when this returns."""
        ...


def teller(boss: Any, trial: str) -> Teller:
    """A function that emits events of a trial."""

    def tell(kind: str, **content: Any) -> None:
        ray.get(boss.emit.remote(kind, trial=trial, **content))

    return tell


def hire(run: str, purse: Purse | None = None, **options: Any) -> Any:
    """Start the foreman of a run; one cluster may serve several searches."""
    return Foreman.options(name=f"foreman of {run}", max_concurrency=64, **options).remote(purse)


def find(run: str) -> Any:
    """The foreman of a run, from any process of the search."""
    return ray.get_actor(f"foreman of {run}")
