"""Single flight: one holder a stage, a chain at a time, and a dead holder's stages are free again."""

import pytest

from xit_ray.search import foreman
from xit_ray.search.foreman import _Foreman


def test_one_holder_at_a_time() -> None:
    boss = _Foreman()
    assert boss.claim(["a", "b"], "one")
    assert not boss.claim(["a", "c"], "two")
    assert boss.claim(["a", "b"], "one")  # asking again keeps it
    boss.release("one", "a")
    assert boss.claim(["a"], "two")
    assert not boss.claim(["b"], "two")
    boss.release("one")
    assert boss.claim(["b"], "two")


def test_a_holder_that_does_not_renew_loses_its_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(foreman.time, "monotonic", lambda: now[0])
    boss = _Foreman()
    assert boss.claim(["a"], "one")
    now[0] = foreman.LEASE_SECONDS - 1
    boss.renew("one")
    now[0] += foreman.LEASE_SECONDS - 1
    assert not boss.claim(["a"], "two")
    now[0] += 2
    assert boss.claim(["a"], "two")


def test_events_are_handed_over_once() -> None:
    boss = _Foreman()
    boss.emit("x", value=1)
    assert [(event["kind"], event["value"]) for event in boss.drain()] == [("x", 1)]
    assert boss.drain() == []
