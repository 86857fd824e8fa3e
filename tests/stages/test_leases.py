"""Two searches with one store: who works on an entry, on a disk and over the S3 protocol."""

import time
from pathlib import Path

import pytest

from xit_ray.stages import leases, upkeep
from xit_ray.stages.leases import Leases
from xit_ray.stages.store import Store


@pytest.fixture(params=["disk", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "store") if request.param == "disk" else f"{request.getfixturevalue('s3')}/{tmp_path.name}"


def test_one_search_at_a_time_has_an_entry(root: str) -> None:
    mine, theirs = (Leases(Store(root), name) for name in ("mine", "theirs"))
    assert mine.claim(["first", "second"])
    assert not theirs.claim(["second"])
    assert theirs.claim(["third"])
    assert not mine.claim(["second", "third"]), "all or none"
    mine.release()
    assert theirs.claim(["second"])


def test_processes_of_one_search_do_not_shut_each_other_out(root: str) -> None:
    """Which of them works on it the coordinator says; a driver that was restarted is a new process."""
    assert Leases(Store(root), "mine").claim(["first"])
    assert Leases(Store(root), "mine").claim(["first"])


def test_a_lease_that_nobody_renews_is_free_after_a_while(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.6)
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.1)
    dead, alive, waiting = (Leases(Store(root), name) for name in ("dead", "alive", "waiting"))
    assert dead.claim(["dead"])
    assert alive.claim(["alive"])
    began = time.monotonic()
    while not waiting.claim(["dead"]):
        alive.renew()
        assert not waiting.claim(["alive"])
        time.sleep(0.05)
        assert time.monotonic() < began + 10
    assert time.monotonic() > began + 0.6
    assert not waiting.claim(["alive"])


def test_what_dead_searches_left_goes_with_the_rest(root: str) -> None:
    store = Store(root)
    assert Leases(store, "dead").claim(["first"])
    time.sleep(1.1)  # S3 counts in whole seconds
    unused = upkeep.leftovers(store, grace_hours=0.0)
    assert [one.why for one in unused] == ["leases of searches that are gone"]
    upkeep.delete(store, unused)
    assert Leases(store, "alive").claim(["first"])
