"""What every store must do, on a disk and over the S3 protocol."""

import json
from pathlib import Path

import pytest

from xit_ray.spec.errors import UserError
from xit_ray.stages.store import MARKER, Store
from xit_ray.testing.stores import StoreConformance, entry


class TestOnDisk(StoreConformance):
    @pytest.fixture
    def root(self, tmp_path: Path) -> str:
        return str(tmp_path / "store")


class TestOverS3(StoreConformance):
    @pytest.fixture
    def root(self, s3: str) -> str:
        return s3


def test_damage_is_noticed(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    store.publish("k", entry(tmp_path), {})
    marker = json.loads((tmp_path / "store/objects/k" / MARKER).read_text())
    (tmp_path / "store/objects/k" / marker["attempt"] / "notes.txt").write_text("changed")
    with pytest.raises(UserError, match=r"notes\.txt: is damaged"), store.open("k"):
        pass


def test_entries_of_another_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "store/objects/k").mkdir(parents=True)  # as stores were before they had a format
    with pytest.raises(UserError, match=r"its format is 1; allowed: 2"):
        Store(str(tmp_path / "store")).check()
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer/FORMAT").write_text("3")
    with pytest.raises(UserError, match=r"newer.*its format is 3; allowed: 2"):
        Store(str(tmp_path / "newer")).check()


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(UserError, match="not an address of a store"):
        Store("ftp://somewhere/else")
