"""What every store must do, on a disk and over the S3 protocol."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from xit_ray.spec.errors import UserError
from xit_ray.stages.store import MARKER, Store
from xit_ray.testing.stores import StoreConformance, entry


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Address of a bucket on a local server that speaks S3."""
    import boto3

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    endpoint = f"http://127.0.0.1:{port}"
    before = dict(os.environ)
    os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    for _ in range(100):
        try:
            urllib.request.urlopen(endpoint, timeout=1)
            break
        except OSError:
            time.sleep(0.2)
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="stages")
    yield f"s3://stages/xit?endpoint_override=127.0.0.1:{port}&scheme=http"
    server.kill()
    server.wait()
    os.environ.clear()
    os.environ.update(before)


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
