"""Machines that a search asks an autoscaling cluster for and does not get: what the cloud says, and the way around it.

Ray writes what a cloud answers into the autoscaler's log on the head alone. Where a kind of machine is refused (there is no
spot capacity left), Ray asks for the same kind again, every five seconds.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import yaml
from ray.autoscaler.sdk import request_resources

from xit_ray.search.coordinator import Emit
from xit_ray.spec.errors import in_a_line
from xit_ray.spec.space import Resources
from xit_ray.track.events import MachinesRefused

_log = logging.getLogger(__name__)
LOG = Path("/tmp/ray/session_latest/logs/monitor.log")
TAIL_BYTES = 1 << 20
PATIENCE_SECONDS = 60.0
"""What is refused for less than this is not told."""
STALE_SECONDS = 90.0
"""A refusal that was not repeated for this long is over."""
LOOK_SECONDS = 10.0
OTHER, RESCUE = "xit_other", "xit_rescue"
"""Resources of the machines that are asked for where others are refused: as soon as that is told, and after
``resources.rescue_minutes``."""
CLUSTER = Path("~/ray_bootstrap_config.yaml")
"""Where ``ray up`` leaves the cluster's file on the head."""
_TIME = r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+\t"
_REFUSED = re.compile(_TIME + r".* Failed to launch (\d+) nodes of type (\S+): (?:Node Launch Exception )?(.*)$")
_GIVEN = re.compile(_TIME + r".* Update instance REQUESTED->ALLOCATED \(.*type=([^,]+),")


@dataclass(frozen=True)
class Refusal:
    """Machines of one kind that the cloud does not give."""

    kind: str
    """The node type of the cluster's file."""
    count: int
    """How many were asked for at last."""
    since: float
    last: float
    words: str
    """The cloud's own."""

    def in_words(self) -> str:
        """A line for people."""
        since = time.strftime("%H:%M", time.localtime(self.since))
        return f"{self.count} {self.kind}: asked for since {since} and not given; the cloud says: {self.words}"


def refusals(log: Path = LOG) -> list[Refusal]:
    """What the cloud refuses now, of what was asked for more than a minute ago; nothing where there is no autoscaler."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - TAIL_BYTES))
            lines = stream.read().decode(errors="replace").splitlines()
    except OSError:
        return []
    refused: dict[str, Refusal] = {}
    for line in lines:
        if (found := _REFUSED.match(line)) is not None:
            at, count, kind, words = _seconds(found[1]), int(found[2]), found[3], found[4]
            before = refused.get(kind)
            since = before.since if before is not None and at - before.last < STALE_SECONDS else at
            refused[kind] = Refusal(kind, count, since, at, words)
        elif (found := _GIVEN.match(line)) is not None:
            refused.pop(found[2], None)
    now = time.time()
    return [
        one for one in refused.values() if now - one.last < STALE_SECONDS and one.last - one.since >= PATIENCE_SECONDS
    ]


def _seconds(stamp: str) -> float:
    return time.mktime(time.strptime(stamp, "%Y-%m-%d %H:%M:%S"))


def node_types(cluster: Path = CLUSTER) -> list[dict[str, Any]]:
    """The kinds of machines that the cluster's file has; none where there is no such file."""
    try:
        return list(yaml.safe_load(cluster.expanduser().read_text())["available_node_types"].values())
    except (OSError, KeyError):
        return []


def offered(cluster: Path = CLUSTER) -> frozenset[str]:
    """Which of ``OTHER`` and ``RESCUE`` node types of the cluster's file have."""
    return frozenset({OTHER, RESCUE} & {name for kind in node_types(cluster) for name in kind.get("resources", {})})


class MachineWatch:
    """While the block runs, tells of machines that are refused, and asks for others in their place: those of the node type to
    which the cluster's file gives the resource ``xit_other``, a larger GPU for example, and after some minutes those with
    ``xit_rescue``, on-demand ones for example.

    Args:
        coordinator: of the search.
        emit: records an event.
        resources: of a run; say after how many minutes of refusal others are asked for, if at all.
        find: finds the refusals.
        others: what the cluster offers in place of what is refused.
    """

    def __init__(
        self,
        coordinator: Any,
        emit: Emit,
        resources: Resources,
        find: Callable[[], list[Refusal]] = refusals,
        others: frozenset[str] | None = None,
    ) -> None:
        self.coordinator, self.emit, self.resources, self.find = coordinator, emit, resources, find
        self.others = offered() if others is None else others
        self.told: frozenset[str] = frozenset()
        """Kinds of machines whose refusal was told."""
        self.asked = dict.fromkeys(sorted(self.others), 0)
        """How many of each others are asked for, those that have come included."""
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._loop, name="machines", daemon=True)

    def __enter__(self) -> "MachineWatch":
        self.thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.done.set()
        self.thread.join()
        if any(self.asked.values()):
            with suppress(Exception):  # the head is gone, and the request with it
                request_resources(bundles=[])

    def _loop(self) -> None:
        while not self.done.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the cluster did not answer; it is asked again
                _log.warning("machines: %s", in_a_line(error))

    def look(self) -> None:
        """Tell what is new, and ask for what helps."""
        now, found = time.time(), self.find()
        kinds = frozenset(one.kind for one in found)
        if kinds != self.told:
            self.emit(MachinesRefused(refusals=tuple(one.in_words() for one in found)))
            self.told = kinds
        waiting = self.resources.workers * ray.get(self.coordinator.groups_without_machine.remote())
        if waiting == 0:
            self._ask(
                dict.fromkeys(self.asked, 0)
            )  # those that are at work stay, and those that are idle are given back
            return
        wanted = dict(self.asked)
        for name in self.asked:
            after = self._minutes(name)
            due = sum(one.count for one in found if after is not None and now - one.since >= 60 * after)
            if due:
                wanted[name] = max(wanted[name], _present(name) + min(due, waiting))
        self._ask(wanted)

    def _minutes(self, name: str) -> float | None:
        """After how many minutes of refusal machines of a kind are asked for; None for never."""
        return self.resources.rescue_minutes if name == RESCUE else 0.0

    def _ask(self, wanted: dict[str, int]) -> None:
        """Ask for so many machines in all; they stay asked for until something else is."""
        if wanted != self.asked:
            request_resources(bundles=[{name: 1} for name, count in wanted.items() for _ in range(count)])
            self.asked = wanted


def _present(name: str) -> int:
    """Machines of the cluster that have come in place of others."""
    return sum(node["Alive"] and name in node["Resources"] for node in ray.nodes())
