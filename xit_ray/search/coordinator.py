"""The coordinator: one small actor that leases stages and jobs, one owner each, and passes on what happens.

Its methods run one at a time on one event loop. Those that may have to wait are coroutines that wake when what they wait
for happens, so nothing polls.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import ray

from xit_ray.search.budget import BudgetTracker
from xit_ray.search.job_queue import JobQueue, JobUpdate, Report
from xit_ray.track.events import Event

LEASE_SECONDS = 20.0
"""An owner that has not renewed its leases for this long is taken for dead, and its stages are free again."""
WAIT_SECONDS = 5.0
"""The longest a call waits before it answers."""


class _Coordinator:
    """Single flight by leases. A trial claims a whole chain of missing stages, because nobody else can hold a later
    stage of a chain whose first stage is missing."""

    def __init__(self, budget: BudgetTracker | None = None) -> None:
        self.leases: dict[str, tuple[str, float]] = {}
        """By stage: the owner, and when its lease expires."""
        self.events: list[Event] = []
        self.budget = budget
        self.queue = JobQueue()
        self.pool = ""
        """ID of the process that runs the worker groups."""
        self.dismissed = False
        """Whether the search needs no more worker groups."""
        self.nodes: dict[str, set[str]] = {}
        """By worker group: IDs of the machines its workers are on."""
        self.signals: dict[str, asyncio.Event] = {}

    async def claim_stages(self, keys: list[str], owner: str, wait: float = 0.0) -> bool:
        """Lease the stages to the owner, unless another owner that is alive holds the first one.

        Args:
            keys: fingerprints of the stages, in order.
            owner: ID of the trial attempt.
            wait: seconds to wait for the first stage to be released; the answer is then False, and the caller looks into
                the store before it asks again.
        """
        holder, expires = self.leases.get(keys[0], (owner, 0.0))
        # While a worker group works for it an owner is alive, even if its driver is just being restarted.
        if holder != owner and (expires > time.monotonic() or self.queue.running(holder)):
            if wait:
                await self._wait_for(keys[0], wait)
            return False
        for key in keys:
            self.leases[key] = owner, time.monotonic() + LEASE_SECONDS
        return True

    def renew(self, owner: str) -> None:
        """Extend the owner's leases."""
        for key, (holder, _) in self.leases.items():
            if holder == owner:
                self.leases[key] = owner, time.monotonic() + LEASE_SECONDS

    def release(self, owner: str, key: str | None = None) -> None:
        """Release one of the owner's stages, or all of them."""
        for held in [k for k, (holder, _) in self.leases.items() if holder == owner and key in (None, k)]:
            del self.leases[held]
            self._signal(held)

    def submit(self, owner: str, job: dict[str, Any]) -> int:
        """Submit a trial's job; a trial that was restarted finds the job it submitted before.

        Returns:
            how many reports there are already.
        """
        reports = self.queue.submit(owner, job)
        self._signal("jobs")
        self._signal("slots")
        return reports

    async def update(self, owner: str, seen: int) -> JobUpdate | None:
        """What happened to a trial's job after the reports it has seen; waits a while if there is nothing new."""
        if not self.queue.has_update(owner, seen):
            await self._wait_for(f"update of {owner}", WAIT_SECONDS)
        return self.queue.update(owner, seen)

    def cancel(self, owner: str) -> None:
        """The trial is over: whoever works for it is to stop."""
        self.queue.cancel(owner)
        self._signal(f"update of {owner}")

    async def next_group(self, pool: str, slots: int) -> tuple[str, int | None] | None:
        """The name of a new worker group, and the GB of GPU it is to ask for, if there is work for one and a slot is free;
        waits for that a while."""
        if not self.queue.needs_group(slots):
            await self._wait_for("slots", WAIT_SECONDS)
        # A pool that was lost while it waited here would never start the group.
        return self.queue.add_group() if pool == self.pool and self.queue.needs_group(slots) else None

    async def claim_job(self, group: str, seconds: float) -> dict[str, Any] | None:
        """The next job for a worker group that has none; None if there was none for so many seconds."""
        until = time.monotonic() + seconds
        while (job := self.queue.claim(group)) is None and time.monotonic() < until:
            await self._wait_for("jobs", until - time.monotonic())
        return job

    def report(self, owner: str, metrics: Report) -> None:
        """English dev of a trial's target stage, for its scheduler."""
        self.queue.report(owner, metrics)
        self._signal(f"update of {owner}")

    def proceed(self, owner: str, event: Event) -> bool:
        """Record what a worker group does next, unless its trial is over; returns whether it is to go on."""
        wanted = self.queue.wanted(owner)
        if wanted:
            self.emit(event)
        return wanted

    def complete(self, group: str) -> None:
        """The worker group has done its job, or stopped because nobody wants it any more."""
        self._job_ended(self.queue.complete(group, None))

    def locate(self, group: str, node: str) -> None:
        """A worker of the group is on a machine."""
        self.nodes.setdefault(group, set()).add(node)

    def nodes_of(self, group: str) -> set[str]:
        """IDs of the machines that the group's workers are on; empty where none of them got so far."""
        return self.nodes.get(group, set())

    def groups_without_machine(self) -> int:
        """How many worker groups wait for one."""
        return sum(group not in self.nodes for group in self.queue.groups)

    def hand_back(self, group: str) -> None:
        """The worker group's machine will be taken: the next group goes on with its job."""
        self.remove_group(group, None, machine_lost=True)

    def remove_group(self, group: str, error: str | None, machine_lost: bool = False) -> None:
        """The worker group is gone. Its job has failed if there was an error, unless its machine was lost: then the next
        worker group goes on with it."""
        self.nodes.pop(group, None)
        if machine_lost:
            self._job_ended(self.queue.return_job(group))
            self._signal("jobs")
        self._job_ended(self.queue.remove(group, None if machine_lost else error))

    def register_pool(self, pool: str) -> None:
        """A process runs the worker groups from now on. If there was another one it was lost, and its groups with it."""
        if pool != self.pool:
            self.queue.reset()
        self.pool, self.dismissed = pool, False
        self._signal("slots")

    def dismiss_pool(self) -> None:
        """There will be no more worker groups."""
        self.dismissed = True
        self._signal("slots")

    def is_dismissed(self) -> bool:
        """Whether there will be no more worker groups."""
        return self.dismissed

    def emit(self, event: Event) -> None:
        """Record an event; the search process collects them."""
        self.events.append(event)
        if self.budget is not None:
            self.budget.note(event)

    def admit(self, trial: str, steps: int) -> str | None:
        """Whether the budget lets a trial start: None, or the reason why not."""
        return self.budget.admit(trial, steps) if self.budget is not None else None

    def drain(self) -> list[Event]:
        """The events since the last call."""
        events, self.events = self.events, []
        return events

    def _job_ended(self, owner: str | None) -> None:
        """Tell the trial whose job ended; its slot may be wanted."""
        if owner is not None:
            self._signal(f"update of {owner}")
        self._signal("slots")

    async def _wait_for(self, name: str, seconds: float) -> None:
        """Wait for a signal, or for so many seconds."""
        signal = self.signals.setdefault(name, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(signal.wait(), seconds)

    def _signal(self, name: str) -> None:
        signal = self.signals.pop(name, None)
        if signal is not None:
            signal.set()


Coordinator = ray.remote(num_cpus=0)(_Coordinator)

Emit = Callable[[Event], None]
"""Records an event of the search; it has arrived when the call returns."""


def emitter(coordinator: Any) -> Emit:
    """A function that sends events to a coordinator."""

    def emit(event: Event) -> None:
        ray.get(coordinator.emit.remote(event))

    return emit


def start(run: str, budget: BudgetTracker | None = None, **options: Any) -> Any:
    """Start the coordinator of a run; one cluster may serve several searches."""
    return Coordinator.options(name=_name(run), max_concurrency=10_000, **options).remote(budget)


def connect(run: str) -> Any:
    """The coordinator of a run, from any process of the search."""
    return ray.get_actor(_name(run))


def _name(run: str) -> str:
    return f"coordinator of {run}"
