"""What a store takes, what may go, and what a copy has: on a disk and over the S3 protocol."""

import os
import time
from pathlib import Path

import pytest

from tests.running import run
from xit_ray.stages import upkeep
from xit_ray.stages.store import Store
from xit_ray.testing.stores import entry


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store with two entries, an attempt that failed, one that came second, and a snapshot."""
    root = str(tmp_path / "store") if request.param == "disk" else f"{request.getfixturevalue('s3')}/{tmp_path.name}"
    made = Store(root)
    made.publish("stage", entry(tmp_path), {"kind": "stage", "label": "a"})
    made.publish("scored", entry(tmp_path), {"kind": "scores"})
    for path in (f"{made.base}/failed/attempt/weights", f"{made.base}/stage/second/weights"):
        made.files.create_dir(path.rpartition("/")[0])
        with made.files.open_output_stream(path) as stream:
            stream.write(b"w" * 1000)
    (tmp_path / "snapshot").write_bytes(b"s" * 500)
    made.save_snapshot("unfinished", tmp_path / "snapshot")
    return made


def test_usage_adds_up_and_tells_what_is_of_no_use(store: Store) -> None:
    rows = {one.what: (one.files, one.size) for one in upkeep.usage(store)}
    assert rows["of attempts that failed"] == (1, 1000)
    assert rows["of attempts that came second"] == (1, 1000)
    assert rows["snapshots of unfinished stages"] == (1, 500)
    assert rows["trained stages"][0] > 1
    assert rows["scores"][0] > 1


def test_what_is_young_stays_and_what_is_old_goes_but_no_entry(store: Store) -> None:
    assert upkeep.leftovers(store) == []
    time.sleep(1.1)  # S3 counts in whole seconds
    unused = upkeep.leftovers(store, grace_hours=0.0)
    assert len(unused) == 3
    upkeep.delete(store, unused)
    assert upkeep.leftovers(store, grace_hours=0.0) == []
    assert {key for key, _ in store.entries()} == {"stage", "scored"}
    with store.open("stage") as folder:
        assert list(folder.iterdir())


def test_a_copy_has_every_entry_once(store: Store, tmp_path: Path) -> None:
    target = Store(str(tmp_path / "target"))
    assert sorted(upkeep.copy(store, target)) == [("scored", True), ("stage", True)]
    assert sorted(upkeep.copy(store, target)) == [("scored", False), ("stage", False)]
    for key in ("stage", "scored"):
        with store.open(key) as mine, target.open(key) as copied:
            assert {f.name: f.read_bytes() for f in mine.iterdir()} == {
                f.name: f.read_bytes() for f in copied.iterdir()
            }
    assert target.describe("stage") == {"kind": "stage", "label": "a"}


def test_an_entry_whose_files_were_dropped_is_no_leftover_and_its_record_is_copied(
    store: Store, tmp_path: Path
) -> None:
    store.drop_files("scored")
    rows = {one.what for one in upkeep.usage(store)}
    assert "of checkpoints that were dropped" not in rows
    target = Store(str(tmp_path / "target"))
    assert sorted(upkeep.copy(store, target)) == [("scored", True), ("stage", True)]
    assert target.describe("scored") == store.describe("scored")
    assert not target.has_files("scored")
    assert sorted(upkeep.copy(store, target)) == [("scored", False), ("stage", False)]
    verified = run("xit_ray.stages", "verify", store.root)
    assert verified.stdout == f"{store.root}: 1 entries, all whole; 1 records whose weights were dropped\n"


def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    made = Store(str(tmp_path / "store"))
    made.publish("stage", entry(tmp_path), {"kind": "stage", "label": "a"})
    old = Path(made.base) / "failed/attempt/weights"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"w" * 2_000_000)
    os.utime(old, (1e9, 1e9))
    assert "of attempts that failed  " in run("xit_ray.stages", "du", made.root).stdout
    asked = run("xit_ray.stages", "gc", made.root, "--dry-run")
    assert asked.stdout.splitlines()[-1] == f"{made.root}: 1 files would be deleted, 2.0 MB"
    assert old.is_file()
    assert "1 files deleted, 2.0 MB" in run("xit_ray.stages", "gc", made.root).stdout
    assert not old.parent.parent.exists()
    copied = run("xit_ray.stages", "copy", made.root, str(tmp_path / "other"))
    assert copied.stdout == "1 entries copied, 0 were there\n"
    missing = run("xit_ray.stages", "copy", str(tmp_path / "nowhere"), str(tmp_path / "other"))
    assert missing.returncode == 2
