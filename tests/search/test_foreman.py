"""Single flight: one holder a stage, a chain at a time, and a dead holder's stages are free again; and bells that wake."""

import asyncio

import pytest

from xit_ray.search import foreman
from xit_ray.search.foreman import _Foreman


def claim(boss: _Foreman, keys: list[str], holder: str) -> bool:
    return asyncio.run(boss.claim(keys, holder))


def with_keeper(name: str = "keeper") -> _Foreman:
    boss = _Foreman()
    boss.appoint(name)
    return boss


def test_one_holder_at_a_time() -> None:
    boss = _Foreman()
    assert claim(boss, ["a", "b"], "one")
    assert not claim(boss, ["a", "c"], "two")
    assert claim(boss, ["a", "b"], "one")  # asking again keeps it
    boss.release("one", "a")
    assert claim(boss, ["a"], "two")
    assert not claim(boss, ["b"], "two")
    boss.release("one")
    assert claim(boss, ["b"], "two")


def test_a_holder_that_does_not_renew_loses_its_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(foreman.time, "monotonic", lambda: now[0])
    boss = _Foreman()
    assert claim(boss, ["a"], "one")
    now[0] = foreman.LEASE_SECONDS - 1
    boss.renew("one")
    now[0] += foreman.LEASE_SECONDS - 1
    assert not claim(boss, ["a"], "two")
    now[0] += 2
    assert claim(boss, ["a"], "two")


def test_events_are_handed_over_once() -> None:
    boss = _Foreman()
    boss.emit("x", value=1)
    assert [(event["kind"], event["value"]) for event in boss.drain()] == [("x", 1)]
    assert boss.drain() == []


def test_who_waits_is_woken_by_what_it_waits_for() -> None:
    async def scene() -> None:
        boss = with_keeper()
        recruiting = asyncio.create_task(boss.recruit("keeper", places=1))
        await asyncio.sleep(0)
        boss.post("trial", {"work": 1})
        crew = await recruiting
        assert crew is not None
        assert await boss.take(crew, seconds=60) == {"work": 1}
        listening = asyncio.create_task(boss.news("trial", 0))
        await asyncio.sleep(0)
        boss.report("trial", {"dev": 0.5})
        news = await listening
        assert news is not None
        assert news.reports == [{"dev": 0.5}]
        listening = asyncio.create_task(boss.news("trial", 1))
        await asyncio.sleep(0)
        boss.drop("trial")
        assert await listening is None
        assert not boss.go_on("trial", "progress", trial="trial")
        boss.finish(crew)
        next_work = asyncio.create_task(boss.take(crew, seconds=60))
        await asyncio.sleep(0)
        boss.post("other", {"work": 2})
        assert await next_work == {"work": 2}
        await boss.claim(["a"], "one")
        claiming = asyncio.create_task(boss.claim(["a"], "two", wait=60))
        await asyncio.sleep(0)
        boss.release("one")
        assert not await claiming  # it looks into the store before it claims again
        assert await boss.claim(["a"], "two")

    asyncio.run(asyncio.wait_for(scene(), timeout=30))


def test_a_crew_without_work_is_let_go() -> None:
    async def scene() -> None:
        boss = with_keeper()
        boss.post("trial", {})
        crew = await boss.recruit("keeper", places=1)
        assert crew is not None
        assert await boss.take(crew, seconds=0.05) == {}
        boss.finish(crew)
        assert await boss.take(crew, seconds=0.05) is None

    asyncio.run(scene())


def test_a_keeper_that_was_lost_recruits_nobody() -> None:
    async def scene() -> None:
        boss = with_keeper("lost")
        recruiting = asyncio.create_task(boss.recruit("lost", places=1))
        await asyncio.sleep(0)
        boss.appoint("keeper")
        boss.post("trial", {})
        assert await recruiting is None
        assert await boss.recruit("keeper", places=1) is not None

    asyncio.run(asyncio.wait_for(scene(), timeout=30))
