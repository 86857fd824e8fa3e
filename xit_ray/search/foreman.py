"""The foreman: one small actor that hands out stages and work, one holder each, and passes on what happens.

Its methods run one at a time on one event loop. Those that may have to wait are coroutines that a bell wakes, so that
what one process frees or posts another one has at once, and nobody asks in a loop.
"""

import asyncio
import contextlib
import time
from typing import Any, Protocol

import ray

from xit_ray.search.board import Board, News
from xit_ray.search.purse import Purse

LEASE_SECONDS = 20.0
"""A holder that has not renewed for this long is taken for dead, and its stages are free again."""
PATIENCE_SECONDS = 5.0
"""The longest a call waits for its bell."""


class _Foreman:
    """Single flight by leases. A trial claims a whole chain of missing stages, because nobody else can hold a later
    stage of a chain whose first is missing."""

    def __init__(self, purse: Purse | None = None) -> None:
        self.holders: dict[str, tuple[str, float]] = {}
        self.events: list[dict[str, Any]] = []
        self.purse = purse
        self.board = Board()
        self.keeper = ""
        self.bells: dict[str, asyncio.Event] = {}

    async def claim(self, keys: list[str], holder: str, wait: float = 0.0) -> bool:
        """Give the keys to the holder, unless another one that is alive holds the first.

        Args:
            wait: seconds to wait for the first key to be freed; the answer is then no, and the caller asks again.
        """
        owner, expires = self.holders.get(keys[0], (holder, 0.0))
        # While a crew works for it a holder is alive, even if its driver is just being started again.
        if owner != holder and (expires > time.monotonic() or self.board.at_work(owner)):
            if wait:
                await self._bell(keys[0], wait)
            return False
        for key in keys:
            self.holders[key] = holder, time.monotonic() + LEASE_SECONDS
        return True

    def renew(self, holder: str) -> None:
        """Keep the holder's leases."""
        for key, (owner, _) in self.holders.items():
            if owner == holder:
                self.holders[key] = holder, time.monotonic() + LEASE_SECONDS

    def release(self, holder: str, key: str | None = None) -> None:
        """Free one of the holder's keys, or all of them."""
        for held in [k for k, (owner, _) in self.holders.items() if owner == holder and key in (None, k)]:
            del self.holders[held]
            self._ring(held)

    def post(self, holder: str, job: dict[str, Any]) -> int:
        """Ask for a trial's work; a trial that was started again finds what it asked for before.

        Returns:
            how many reports there are already.
        """
        reports = self.board.post(holder, job)
        self._ring("work")
        self._ring("places")
        return reports

    async def news(self, holder: str, seen: int) -> News | None:
        """What there is to tell of a trial's work after the reports it has seen; waits for it a while."""
        if not self.board.has_news(holder, seen):
            await self._bell(f"news of {holder}", PATIENCE_SECONDS)
        return self.board.news(holder, seen)

    def drop(self, holder: str) -> None:
        """The trial is over: whoever works for it is to leave off."""
        self.board.drop(holder)
        self._ring(f"news of {holder}")

    async def recruit(self, keeper: str, places: int) -> str | None:
        """The name of a new crew, if there is more work than crews for it and a place is free; waits for it a while."""
        if not self.board.short(places):
            await self._bell("places", PATIENCE_SECONDS)
        # A keeper that was lost while it waited here would never man the crew.
        return self.board.recruit() if keeper == self.keeper and self.board.short(places) else None

    async def take(self, crew: str, seconds: float) -> dict[str, Any] | None:
        """The next work, for a crew that has none; None if there was none for so long."""
        until = time.monotonic() + seconds
        while (job := self.board.take(crew)) is None and time.monotonic() < until:
            await self._bell("work", until - time.monotonic())
        return job

    def report(self, holder: str, metrics: dict[str, Any]) -> None:
        """English dev of a trial's target stage, for its scheduler."""
        self.board.report(holder, metrics)
        self._ring(f"news of {holder}")

    def go_on(self, holder: str, kind: str, **content: Any) -> bool:
        """Record what a crew does next, or how far it is, unless its trial is over; whether it is to go on."""
        wanted = self.board.wanted(holder)
        if wanted:
            self.emit(kind, **content)
        return wanted

    def finish(self, crew: str) -> None:
        """The crew has done its work, or left it off."""
        self._after(self.board.finish(crew, None))

    def leave(self, crew: str, error: str | None) -> None:
        """The crew is no more; its work has failed if there was an error."""
        self._after(self.board.leave(crew, error))

    def appoint(self, keeper: str) -> None:
        """A process keeps the crews from now on. If there was another one it was lost, and its crews with it."""
        if keeper != self.keeper:
            self.board.disband()
        self.keeper = keeper
        self._ring("places")

    def emit(self, kind: str, **content: Any) -> None:
        """Record an event; the search's own process reads them."""
        event = {"time": time.time(), "kind": kind, **content}
        self.events.append(event)
        if self.purse is not None:
            self.purse.note(kind, event)

    def allow(self, trial: str, steps: int) -> str | None:
        """Whether the budget lets a trial start: None, or why not."""
        return self.purse.allow(trial, steps) if self.purse is not None else None

    def drain(self) -> list[dict[str, Any]]:
        """The events since the last call."""
        events, self.events = self.events, []
        return events

    def _after(self, holder: str | None) -> None:
        """Tell the trial whose work ended, and look whether its place is wanted."""
        if holder is not None:
            self._ring(f"news of {holder}")
        self._ring("places")

    async def _bell(self, name: str, seconds: float) -> None:
        """Wait until a bell rings, or for so long."""
        bell = self.bells.setdefault(name, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(bell.wait(), seconds)

    def _ring(self, name: str) -> None:
        bell = self.bells.pop(name, None)
        if bell is not None:
            bell.set()


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
    return Foreman.options(name=f"foreman of {run}", max_concurrency=10_000, **options).remote(purse)


def find(run: str) -> Any:
    """The foreman of a run, from any process of the search."""
    return ray.get_actor(f"foreman of {run}")
