"""What every store must do, on a disk and over the S3 protocol."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from xit_ray.spec.errors import UserError
from xit_ray.stages.store import MARKER, Store


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


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store") if request.param == "disk" else request.getfixturevalue("s3"))


def entry(tmp_path: Path, text: str = "weights") -> Path:
    folder = tmp_path / f"entry-{text}"
    folder.mkdir(exist_ok=True)
    (folder / "weights.safetensors").write_text(text * 1000)
    (folder / "notes.txt").write_text(text)
    return folder


def key(request: pytest.FixtureRequest) -> str:
    return "".join(c for c in request.node.name if c.isalnum())


def test_an_entry_comes_back_as_it_was(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    name = key(request)
    assert store.describe(name) is None
    with pytest.raises(KeyError), store.open(name):
        pass
    store.publish(name, entry(tmp_path), {"dev": 0.5})
    assert store.describe(name) == {"dev": 0.5}
    with store.open(name) as folder:
        assert (folder / "weights.safetensors").read_text() == "weights" * 1000
    assert (name, {"dev": 0.5}) in list(store.entries())


def test_the_first_publication_stands(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    name = key(request)
    store.publish(name, entry(tmp_path, "one"), {"n": 1})
    store.publish(name, entry(tmp_path, "two"), {"n": 2})
    assert store.describe(name) == {"n": 1}
    with store.open(name) as folder:
        assert (folder / "notes.txt").read_text() == "one"


def test_a_torn_entry_is_never_seen(
    store: Store, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = key(request)

    def cut(*_: object) -> None:
        raise OSError("power cut before the marker")

    with monkeypatch.context() as patched:
        patched.setattr(store, "_write", cut)
        with pytest.raises(OSError, match="power cut"):
            store.publish(name, entry(tmp_path), {})
    assert store.describe(name) is None
    assert name not in [found for found, _ in store.entries()]
    store.publish(name, entry(tmp_path, "again"), {"n": 1})
    with store.open(name) as folder:
        assert (folder / "notes.txt").read_text() == "again"


def test_writers_at_the_same_time_do_not_mix(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    name = key(request)
    folders = [entry(tmp_path, f"w{i}") for i in range(4)]
    threads = [
        threading.Thread(target=Store(store.root).publish, args=(name, folder, {"n": i}))
        for i, folder in enumerate(folders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    about = store.describe(name)
    assert about is not None
    with store.open(name) as folder:
        text = f"w{about['n']}"
        assert ((folder / "notes.txt").read_text(), (folder / "weights.safetensors").read_text()) == (text, text * 1000)


def test_damage_is_noticed(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    store.publish("k", entry(tmp_path), {})
    marker = json.loads((tmp_path / "store/objects/k" / MARKER).read_text())
    (tmp_path / "store/objects/k" / marker["attempt"] / "notes.txt").write_text("changed")
    with pytest.raises(UserError, match=r"notes\.txt: is damaged"), store.open("k"):
        pass


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(UserError, match="not an address of a store"):
        Store("ftp://somewhere/else")
