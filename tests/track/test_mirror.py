"""The mirror of a run has what the run's folder has, in one piece again, and one owner at a time."""

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from xit_ray.search.interrupt import terminable
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import SPEC
from xit_ray.track import mirror
from xit_ray.track.mirror import Mirror, exists, fetch, is_mirror, mirror_of


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(mirror, "PIECE_BYTES", 64)
    monkeypatch.setattr(mirror, "INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr(mirror, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(mirror, "LEASE_SECONDS", 1.5)
    monkeypatch.setattr(mirror, "SETTLE_SECONDS", 0.3)
    return str(tmp_path / "store") if request.param == "disk" else f"{request.getfixturevalue('s3')}/{tmp_path.name}"


def a_run(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / SPEC).write_text("name: tiny")
    (folder / "events.jsonl").write_text("".join(f"event {number}\n" for number in range(30)))
    (folder / "ray.log").write_text("not wanted elsewhere")
    (folder / "ray").mkdir()
    return folder


@contextlib.contextmanager
def working(store: str, folder: Path) -> Iterator[Mirror]:
    one = Mirror(store, folder)
    one.claim()
    try:
        yield one
    finally:
        one.close()


def test_a_run_comes_back_as_it_was_however_it_grew(store: str, tmp_path: Path) -> None:
    folder, address = a_run(tmp_path / "here/tiny"), mirror_of(store, "tiny")
    assert not exists(address)
    with working(store, folder):
        for number in range(3):  # the last piece grows, and new ones begin
            time.sleep(0.2)
            with (folder / "events.jsonl").open("a") as journal:
                journal.write(f"later {number} {'x' * 50 * number}\n")
        (folder / "report.html").write_text("first")
        time.sleep(0.2)
        (folder / "report.html").write_text("last")
    assert exists(address)
    there = fetch(address, tmp_path / "there")
    assert there == tmp_path / "there/tiny"
    for name in (SPEC, "events.jsonl", "report.html"):
        assert (there / name).read_bytes() == (folder / name).read_bytes()
    assert {file.name for file in there.iterdir()} == {SPEC, "events.jsonl", "report.html"}
    assert not is_mirror(there)
    (there / SPEC).write_text("changed here")
    assert fetch(address, tmp_path / "there") == there
    assert (there / SPEC).read_text() == "changed here"


def test_a_run_that_has_gone_on_elsewhere_goes_on_from_there(store: str, tmp_path: Path) -> None:
    here, elsewhere = a_run(tmp_path / "here/tiny"), tmp_path / "elsewhere/tiny"
    with working(store, here):
        pass
    fetch(mirror_of(store, "tiny"), elsewhere.parent)
    with (elsewhere / "events.jsonl").open("a") as journal:
        journal.writelines(f"elsewhere {number}\n" for number in range(20))
    with working(store, elsewhere):
        pass
    with working(store, here):  # the machine that was lost is back, and resumes by the run's name
        assert (here / "events.jsonl").read_bytes() == (elsewhere / "events.jsonl").read_bytes()
    # One that went on by itself meanwhile is refused, and the mirror stays as it is.
    apart = a_run(tmp_path / "apart/tiny")
    (apart / "events.jsonl").write_text("another run\n" * 100)
    with pytest.raises(UserError, match="different searches, or went apart"):
        Mirror(store, apart).claim()
    again = fetch(mirror_of(store, "tiny"), tmp_path / "again")
    assert (again / "events.jsonl").read_bytes() == (elsewhere / "events.jsonl").read_bytes()


def test_a_line_that_was_cut_short_in_the_mirror_is_none(store: str, tmp_path: Path) -> None:
    folder = a_run(tmp_path / "here/tiny")
    whole = (folder / "events.jsonl").read_text()
    with (folder / "events.jsonl").open("a") as journal:
        journal.write(
            "half a line, as a killed process leaves it, that is longer than a piece of the mirror is in this test"
        )
    with working(store, folder):
        pass
    (folder / "events.jsonl").write_text(whole)  # mended
    with working(store, folder), (folder / "events.jsonl").open("a") as journal:
        journal.write("next\n")
    again = fetch(mirror_of(store, "tiny"), tmp_path / "again")
    assert (again / "events.jsonl").read_text() == whole + "next\n"


def test_a_run_has_one_owner_until_it_ends_or_dies(store: str, tmp_path: Path) -> None:
    first, second = a_run(tmp_path / "first/tiny"), a_run(tmp_path / "second/tiny")
    with working(store, first) as owner:
        with pytest.raises(UserError, match=r"runs/tiny: process \d+ on .+ works on this run"):
            Mirror(store, second).claim()
        # It dies: nothing is given back, and nothing is written any more.
        owner.closing.set()
        owner.thread.join()
        owner._beat()
    began = time.monotonic()
    with working(store, second):
        assert time.monotonic() - began >= 1.5
    began = time.monotonic()
    with working(store, first):  # the second one has ended in good order
        assert time.monotonic() - began < 1.5


def test_an_owner_of_this_machine_that_is_no_more_is_not_waited_for(store: str, tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    one = Mirror(store, a_run(tmp_path / "one/tiny"))
    about = {"process": gone.pid, "host": mirror._host(), "token": "its", "beat": 5}
    one._write("owner.json", json.dumps(about).encode())
    said: list[str] = []
    began = time.monotonic()
    one.claim(said.append)
    assert time.monotonic() - began < 1.5
    one.close()
    assert said == []
    # Whether one of another machine still is can only be seen by waiting.
    other = Mirror(store, a_run(tmp_path / "other/tiny"))
    one._write("owner.json", json.dumps({**about, "host": "elsewhere"}).encode())
    other.claim(said.append)
    other.close()
    assert len(said) == 1
    assert said[0].startswith(f"process {gone.pid} on elsewhere worked on this run; waiting ")


def test_of_two_that_claim_at_once_one_is_refused(store: str, tmp_path: Path) -> None:
    mirrors = [Mirror(store, a_run(tmp_path / f"{number}/tiny")) for number in range(2)]
    refused: list[UserError] = []

    def claim(one: Mirror) -> None:
        try:
            one.claim()
        except UserError as error:
            refused.append(error)

    threads = [threading.Thread(target=claim, args=(one,)) for one in mirrors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in mirrors:
        if one.thread.is_alive():
            one.close()
    assert len(refused) == 1


def _take_over(mirror: Mirror, stopped: threading.Event) -> None:
    """Write the lease as another process does that took the run's owner for dead, and goes on to."""
    while not stopped.wait(0.15):
        mirror._beat()


def test_an_owner_that_slept_too_long_stops(store: str, tmp_path: Path) -> None:
    first, second = a_run(tmp_path / "first/tiny"), a_run(tmp_path / "second/tiny")
    other, stopped = Mirror(store, second), threading.Event()
    # In a thread of its own: the interrupt, which is the first owner's, must not cut a lease short that is being written.
    beating = threading.Thread(target=_take_over, args=(other, stopped))
    with terminable(), working(store, first) as slept:
        beating.start()
        with pytest.raises(KeyboardInterrupt):
            time.sleep(20)
    stopped.set()
    beating.join()
    assert slept.lost.is_set()
    assert "has taken this run over" in (slept.problem or "")
    owner = other._owner()
    assert owner is not None
    assert owner["token"] == other.token


def test_an_address_without_a_run_is_refused(store: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run"):
        fetch(mirror_of(store, "absent"), tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        fetch("ftp://somewhere/else", tmp_path)
