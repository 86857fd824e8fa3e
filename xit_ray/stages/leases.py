"""Which search works on an entry of the store: a small file beside the entries, so that two searches with one store do not
train the same stage at once. A lease is written again every few seconds; one that is not is nobody's. It is watched, not
read: clocks of machines differ.

Where two searches claim an entry within the same instant both may work on it. That costs time and nothing else: the entry
that is published first stays.
"""

import json
import time
import uuid
from typing import Any

from xit_ray.stages.store import Store

BEAT_SECONDS = 10.0
LEASE_SECONDS = 40.0
"""A lease that has not been written again for this long is nobody's."""


class Leases:
    """The leases that one process holds for its search.

    Args:
        store: of the entries.
        search: ID of the search. Within it the coordinator tells who works on what; here all its processes are one.
    """

    def __init__(self, store: Store, search: str) -> None:
        self.store, self.search = store, search
        self.held: set[str] = set()
        self.seen: dict[str, tuple[str, float]] = {}
        """By entry: what another search's lease says, and since when."""
        self.next_beat = 0.0

    def claim(self, keys: list[str]) -> bool:
        """Lease entries, unless another search that is alive holds one of them."""
        if not all(self._is_free(key) for key in keys):
            return False
        for key in keys:
            self._write(key)
        if not all(self._is_ours(key) for key in keys):
            return False  # another search claimed them at the same time, after us
        self.held.update(keys)
        self.next_beat = time.monotonic() + BEAT_SECONDS
        return True

    def renew(self) -> None:
        """Say that this process is alive, where it is time to; call it often."""
        if self.held and time.monotonic() >= self.next_beat:
            self.next_beat = time.monotonic() + BEAT_SECONDS
            for key in list(self.held):
                if self._is_ours(key):  # one that was late is another search's now
                    self._write(key)

    def release(self) -> None:
        """Give back all leases."""
        held, self.held = self.held, set()
        for key in held:
            if self._is_ours(key):
                self.store.delete_lease(key)

    def _is_ours(self, key: str) -> bool:
        return (self._read(key) or {}).get("search") == self.search

    def _is_free(self, key: str) -> bool:
        lease = self._read(key)
        if lease is None or lease.get("search") == self.search:
            return True
        beat, now = str(lease.get("beat")), time.monotonic()
        before, since = self.seen.get(key, ("", now))
        if beat != before:
            self.seen[key] = beat, now
            return False
        return now - since > LEASE_SECONDS

    def _read(self, key: str) -> dict[str, Any] | None:
        text = self.store.lease(key)
        try:
            lease = json.loads(text) if text is not None else None
        except ValueError:
            return None
        return lease if isinstance(lease, dict) else None

    def _write(self, key: str) -> None:
        self.store.write_lease(key, json.dumps({"search": self.search, "beat": uuid.uuid4().hex}).encode())
