"""Single flight: one owner per stage, a chain at a time, a dead owner's stages are free again; and who waits is woken."""

import asyncio

import pytest

from xit_ray.search import coordinator
from xit_ray.search.coordinator import _Coordinator
from xit_ray.track.events import TrialWaiting

WAITING = TrialWaiting(trial="trial", label="mnli")


def claim(actor: _Coordinator, keys: list[str], holder: str) -> bool:
    return asyncio.run(actor.claim_stages(keys, holder))


def with_pool(name: str = "snapshots") -> _Coordinator:
    actor = _Coordinator()
    actor.register_pool(name)
    return actor


def test_one_holder_at_a_time() -> None:
    actor = _Coordinator()
    assert claim(actor, ["a", "b"], "one")
    assert not claim(actor, ["a", "c"], "two")
    assert claim(actor, ["a", "b"], "one")  # asking again keeps it
    actor.release("one", "a")
    assert claim(actor, ["a"], "two")
    assert not claim(actor, ["b"], "two")
    actor.release("one")
    assert claim(actor, ["b"], "two")


def test_a_holder_that_does_not_renew_loses_its_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(coordinator.time, "monotonic", lambda: now[0])
    actor = _Coordinator()
    assert claim(actor, ["a"], "one")
    now[0] = coordinator.LEASE_SECONDS - 1
    actor.renew("one")
    now[0] += coordinator.LEASE_SECONDS - 1
    assert not claim(actor, ["a"], "two")
    now[0] += 2
    assert claim(actor, ["a"], "two")


def test_events_are_handed_over_once() -> None:
    actor = _Coordinator()
    actor.emit(WAITING)
    assert actor.drain() == [WAITING]
    assert actor.drain() == []


def test_who_waits_is_woken_by_what_it_waits_for() -> None:
    async def scene() -> None:
        actor = with_pool()
        recruiting = asyncio.create_task(actor.next_group("snapshots", slots=1))
        await asyncio.sleep(0)
        actor.submit("trial", {"work": 1})
        added = await recruiting
        assert added is not None
        group, _ = added
        assert await actor.claim_job(group, seconds=60) == {"work": 1}
        listening = asyncio.create_task(actor.update("trial", 0))
        await asyncio.sleep(0)
        actor.report("trial", {"dev": 0.5})
        news = await listening
        assert news is not None
        assert news.reports == [{"dev": 0.5}]
        listening = asyncio.create_task(actor.update("trial", 1))
        await asyncio.sleep(0)
        actor.cancel("trial")
        assert await listening is None
        assert not actor.proceed("trial", WAITING)
        actor.complete(group)
        next_work = asyncio.create_task(actor.claim_job(group, seconds=60))
        await asyncio.sleep(0)
        actor.submit("other", {"work": 2})
        assert await next_work == {"work": 2}
        await actor.claim_stages(["a"], "one")
        claiming = asyncio.create_task(actor.claim_stages(["a"], "two", wait=60))
        await asyncio.sleep(0)
        actor.release("one")
        assert not await claiming  # it looks into the store before it claims again
        assert await actor.claim_stages(["a"], "two")

    asyncio.run(asyncio.wait_for(scene(), timeout=30))


def test_a_group_without_work_is_let_go() -> None:
    async def scene() -> None:
        actor = with_pool()
        actor.submit("trial", {})
        added = await actor.next_group("snapshots", slots=1)
        assert added is not None
        group, _ = added
        assert await actor.claim_job(group, seconds=0.05) == {}
        actor.complete(group)
        assert await actor.claim_job(group, seconds=0.05) is None

    asyncio.run(scene())


def test_a_pool_that_was_lost_recruits_nobody() -> None:
    async def scene() -> None:
        actor = with_pool("lost")
        recruiting = asyncio.create_task(actor.next_group("lost", slots=1))
        await asyncio.sleep(0)
        actor.register_pool("snapshots")
        actor.submit("trial", {})
        assert await recruiting is None
        assert await actor.next_group("snapshots", slots=1) is not None

    asyncio.run(asyncio.wait_for(scene(), timeout=30))
