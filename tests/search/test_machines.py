"""What a cloud refuses is read from the autoscaler's log, told once, and answered with other machines."""

import time
from pathlib import Path
from typing import Any

import pytest
import ray

from tests.search.searching import ROOT, join_ray
from xit_ray.search import coordinator, machines
from xit_ray.search.machines import MachineWatch, Refusal, offered, refusals
from xit_ray.spec.space import Resources

REFUSED = (
    "{at},307\tINFO node_provider.py:491 -- Failed to launch {count} nodes of type {kind}: Node Launch Exception "
    "(InsufficientInstanceCapacity): We currently do not have sufficient capacity."
)
GIVEN = (
    "{at},102\tINFO instance_manager.py:263 -- Update instance REQUESTED->ALLOCATED (id=3f, type={kind}, "
    "cloud_instance_id=i-1, ray_id=): allocated"
)


def log(folder: Path, *lines: tuple[str, float, str]) -> Path:
    """An autoscaler's log of lines of a form, so many seconds ago, about a kind of machine."""
    stamp = "%Y-%m-%d %H:%M:%S"
    text = [
        form.format(at=time.strftime(stamp, time.localtime(time.time() - ago)), kind=kind, count=2)
        for form, ago, kind in lines
    ]
    (folder / "monitor.log").write_text("\n".join(["2026-01-01 something else", *text]) + "\n")
    return folder / "monitor.log"


def test_what_is_refused_for_more_than_a_minute_is_told_in_the_clouds_words(tmp_path: Path) -> None:
    lines = [(REFUSED, ago, "worker") for ago in (200.0, 150.0, 100.0, 50.0, 5.0)]
    (one,) = refusals(log(tmp_path, *lines, (REFUSED, 5.0, "other")))
    assert (one.kind, one.count, round(one.last - one.since)) == ("worker", 2, 195)
    since = time.strftime("%H:%M", time.localtime(one.since))
    assert one.in_words() == (
        f"2 worker: asked for since {since} and not given; the cloud says: (InsufficientInstanceCapacity): We currently do "
        "not have sufficient capacity."
    )


@pytest.mark.parametrize(
    "lines",
    [
        [(REFUSED, 100.0, "worker"), (REFUSED, 5.0, "worker"), (GIVEN, 2.0, "worker")],
        [(REFUSED, 400.0, "worker"), (REFUSED, 330.0, "worker"), (REFUSED, 260.0, "worker")],
        [(REFUSED, 300.0, "worker"), (REFUSED, 10.0, "worker")],
    ],
    ids=["given since", "long ago", "anew"],
)
def test_what_is_over_is_not_told(tmp_path: Path, lines: list[tuple[str, float, str]]) -> None:
    assert refusals(log(tmp_path, *lines)) == []


def test_where_there_is_no_autoscaler_nothing_is_refused(tmp_path: Path) -> None:
    assert refusals(tmp_path / "absent.log") == []


def test_others_are_asked_for_in_place_of_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    join_ray()
    actor = coordinator.start("watched")
    try:
        ray.get(actor.register_pool.remote("pool"))
        for number in range(3):
            ray.get(actor.submit.remote(f"trial {number}", {}))
        groups = [ray.get(actor.next_group.remote("pool", 3))[0] for _ in range(3)]
        ray.get(actor.locate.remote(groups[2], "a machine"))
        asked: list[Any] = []
        monkeypatch.setattr(machines, "request_resources", lambda bundles: asked.append(bundles))
        now = time.time()
        found = [Refusal("worker", 8, now - 70, now, "no capacity")]
        both = offered(ROOT / "clusters/aws.yaml")
        emit, resources = coordinator.emitter(actor), Resources(rescue_minutes=2.0)
        watch = MachineWatch(actor, emit, resources, lambda: found, both)
        with watch:
            watch.look()
            watch.look()
            # Two groups have no machine, however many the cloud was asked for; they are asked for once.
            assert asked == [[{"xit_other": 1}] * 2]
            found[0] = Refusal("worker", 8, now - 130, now, "no capacity, in other words")
            watch.look()
            # After two minutes others are asked for besides.
            both_kinds = [{"xit_other": 1}] * 2 + [{"xit_rescue": 1}] * 2
            assert asked[1:] == [both_kinds]
            watch.look()
            ray.get(actor.locate.remote(groups[0], "another machine"))
            watch.look()
            assert len(asked) == 2
            ray.get(actor.locate.remote(groups[1], "a third machine"))
            found.clear()
            watch.look()
            assert asked[2:] == [[]]
        events = ray.get(actor.drain.remote())
        assert [len(event.refusals) for event in events] == [1, 0]
        assert "no capacity" in events[0].refusals[0]
    finally:
        ray.kill(actor)
