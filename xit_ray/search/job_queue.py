"""The queue of jobs that trials submit, and which worker group runs each of them. Plain bookkeeping for the coordinator."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Report = dict[str, Any]
"""A report to Tune: English dev of the target stage at one evaluation."""


@dataclass(frozen=True)
class JobUpdate:
    """What a trial has not been told about its job yet."""

    reports: list[Report]
    ended: bool
    error: str | None
    """Why the job failed, if it did."""


@dataclass
class _Entry:
    job: dict[str, Any]
    size: int | None = None
    """GB of GPU that the job's machine must have."""
    group: str | None = None
    """The worker group that runs the job."""
    reports: list[Report] = field(default_factory=list)
    ended: bool = False
    error: str | None = None
    losses: int = 0
    """Machines that were lost with this job since its last report."""


MOST_LOSSES = 10
"""A job that loses so many machines one after the other, without a report between, is what loses them."""


class JobQueue:
    """Jobs in the order of submission, each known by its owner (a trial attempt), and every worker group with its job."""

    def __init__(self) -> None:
        self.entries: dict[str, _Entry] = {}
        self.groups: dict[str, str | None] = {}
        """Worker groups, each with the owner of the job it runs."""
        self.sizes: dict[str, int | None] = {}
        """GB of GPU that each worker group asked its machines for: it takes jobs of that size alone."""
        self.ready: set[str] = set()
        """Worker groups that have asked for a job."""
        self.groups_added = 0

    def submit(self, owner: str, job: dict[str, Any]) -> int:
        """Add a job, unless the owner has an unfinished one; returns how many reports there are already."""
        entry = self.entries.get(owner)
        if entry is None or entry.ended:
            entry = self.entries[owner] = _Entry(job, job.get("gpu_size"))
        return len(entry.reports)

    def cancel(self, owner: str) -> None:
        """Remove a trial's job; a worker group that runs it will stop at its next report."""
        self.entries.pop(owner, None)

    def wanted(self, owner: str) -> bool:
        """Whether a trial still waits for its job."""
        return owner in self.entries

    def running(self, owner: str) -> bool:
        """Whether a worker group runs a trial's job now."""
        entry = self.entries.get(owner)
        return entry is not None and entry.group is not None and not entry.ended

    def has_update(self, owner: str, seen: int) -> bool:
        """Whether ``update`` would say anything new."""
        update = self.update(owner, seen)
        return update is None or update.ended or bool(update.reports)

    def update(self, owner: str, seen: int) -> JobUpdate | None:
        """What came after the reports a trial has seen; None if its job was cancelled."""
        entry = self.entries.get(owner)
        return JobUpdate(entry.reports[seen:], entry.ended, entry.error) if entry is not None else None

    def report(self, owner: str, metrics: Report) -> None:
        """Add a report for a trial."""
        if owner in self.entries:
            self.entries[owner].reports.append(metrics)
            self.entries[owner].losses = 0

    def needs_group(self, slots: int) -> bool:
        """Whether there is work for one more worker group, and a slot for it."""
        return len(self.groups) < slots and bool(self._unserved())

    def add_group(self) -> tuple[str, int | None]:
        """Register a new worker group for the oldest job that no idle one will take; its name, and what it asks for."""
        self.groups_added += 1
        name, unserved = f"workers-{self.groups_added}", self._unserved()
        self.groups[name], self.sizes[name] = None, self.entries[unserved[0]].size if unserved else None
        return name, self.sizes[name]

    def claim(self, group: str) -> dict[str, Any] | None:
        """The oldest job that nobody runs. A worker group that Ray Train restarted within its run, because its machine was
        taken away, is given the job it had."""
        if group not in self.groups:
            return None
        self.ready.add(group)
        previous = self.entries.get(self.groups[group] or "")
        if previous is not None and previous.group == group and not previous.ended:
            return previous.job
        waiting = [owner for owner in self._waiting() if self.entries[owner].size == self.sizes[group]]
        if not waiting:
            return None
        self.groups[group] = waiting[0]
        entry = self.entries[waiting[0]]
        entry.group = group
        return entry.job

    def complete(self, group: str, error: str | None) -> str | None:
        """End the job of a worker group; returns its owner, if the owner still wants it."""
        owner = self.groups.get(group)
        if group in self.groups:
            self.groups[group] = None
        entry = self.entries.get(owner) if owner is not None else None
        if entry is None or entry.group != group:
            return None
        entry.ended, entry.error = True, error
        return owner

    def remove(self, group: str, error: str | None) -> str | None:
        """Forget a worker group; returns the owner of the job that ended with it.

        A group that could not start fails the oldest waiting job, because Tune limits how often a trial may fail.
        """
        if error is not None and group not in self.ready:
            self.claim(group)
        owner = self.complete(group, error)
        self.groups.pop(group, None)
        self.sizes.pop(group, None)
        return owner

    def return_job(self, group: str) -> str | None:
        """Let the job of a worker group, whose machine was lost, wait for another one; returns its owner where it is given
        up instead, because it has lost ``MOST_LOSSES`` machines without a report between."""
        owner = self.groups.get(group)
        entry = self.entries.get(owner or "")
        if entry is None or entry.group != group or entry.ended:
            return None
        entry.losses += 1
        if entry.losses >= MOST_LOSSES:
            return self.complete(group, f"lost {MOST_LOSSES} machines one after the other, without a report between")
        entry.group, self.groups[group] = None, None
        return None

    def reset(self) -> None:
        """Forget all worker groups; their jobs did not fail and wait for other groups."""
        for entry in self.entries.values():
            if not entry.ended:
                entry.group = None
        self.groups.clear()
        self.sizes.clear()

    def _unserved(self) -> list[str]:
        """Owners of waiting jobs, but for those that idle worker groups will take."""
        idle = Counter(self.sizes[group] for group, owner in self.groups.items() if owner is None)
        unserved = []
        for owner in self._waiting():
            size = self.entries[owner].size
            if idle[size]:
                idle[size] -= 1
            else:
                unserved.append(owner)
        return unserved

    def _waiting(self) -> list[str]:
        return [owner for owner, entry in self.entries.items() if entry.group is None and not entry.ended]
