"""What every store must do, whatever file system it is on: entries are there whole or not at all."""

import threading
import uuid
from pathlib import Path

import pytest

from xit_ray.stages.store import FORMAT, Store


def entry(folder: Path, text: str = "weights") -> Path:
    """A folder with files to publish."""
    made = folder / f"entry-{text}"
    made.mkdir(exist_ok=True)
    (made / "weights.safetensors").write_text(text * 1000)
    (made / "notes.txt").write_text(text)
    return made


class StoreConformance:
    """Derive a test class from this one and give it a fixture ``root``: the address of a store that tests may write to."""

    @pytest.fixture
    def store(self, root: str) -> Store:
        """The store under test."""
        return Store(root)

    @pytest.fixture
    def name(self) -> str:
        """A key that no other test uses."""
        return uuid.uuid4().hex

    def test_an_entry_comes_back_as_it_was(self, store: Store, tmp_path: Path, name: str) -> None:
        """Files and description, of a published entry alone."""
        assert store.describe(name) is None
        with pytest.raises(KeyError), store.open(name):
            pass
        store.publish(name, entry(tmp_path), {"dev": 0.5})
        assert store.describe(name) == {"dev": 0.5}
        with store.open(name) as folder:
            assert (folder / "weights.safetensors").read_text() == "weights" * 1000
        assert (name, {"dev": 0.5}) in list(store.entries())

    def test_the_first_publication_stands(self, store: Store, tmp_path: Path, name: str) -> None:
        """A second one changes nothing."""
        store.publish(name, entry(tmp_path, "one"), {"n": 1})
        store.publish(name, entry(tmp_path, "two"), {"n": 2})
        assert store.describe(name) == {"n": 1}
        with store.open(name) as folder:
            assert (folder / "notes.txt").read_text() == "one"

    def test_an_entry_may_lose_its_files_and_have_them_again(self, store: Store, tmp_path: Path, name: str) -> None:
        """Its description stays, and without its files it cannot be opened."""
        store.publish(name, entry(tmp_path), {"n": 1})
        assert store.has_files(name)
        store.drop_files(name)
        store.drop_files(name)  # as often as one likes
        assert store.describe(name) == {"n": 1}
        assert not store.has_files(name)
        with pytest.raises(KeyError, match="files"), store.open(name):
            pass
        store.publish(name, entry(tmp_path, "again"), {"n": 2})
        assert store.describe(name) == {"n": 2}
        with store.open(name) as folder:
            assert (folder / "notes.txt").read_text() == "again"

    def test_a_torn_entry_is_never_seen(
        self, store: Store, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An entry whose writer was killed is not there, and can be written again."""

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

    def test_writers_at_the_same_time_do_not_mix(self, store: Store, tmp_path: Path, name: str) -> None:
        """Of several writers of one key one wins, with all its files."""
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
            assert ((folder / "notes.txt").read_text(), (folder / "weights.safetensors").read_text()) == (
                text,
                text * 1000,
            )

    def test_a_snapshot_takes_the_place_of_the_one_before(self, store: Store, tmp_path: Path, name: str) -> None:
        """And is gone once it is deleted."""
        assert not store.load_snapshot(name, tmp_path / "none")
        for text in ("one", "two"):
            (tmp_path / text).write_text(text)
            store.save_snapshot(name, tmp_path / text)
        assert store.load_snapshot(name, tmp_path / "back")
        assert (tmp_path / "back").read_text() == "two"
        store.delete_snapshot(name)
        assert not store.load_snapshot(name, tmp_path / "none")

    def test_it_can_be_written_to_and_says_its_format(self, store: Store, tmp_path: Path, name: str) -> None:
        """``check`` passes before and after entries are there."""
        store.check()
        store.publish(name, entry(tmp_path), {})
        store.check()
        with store.files.open_input_stream(store.format) as stream:
            assert stream.read().decode() == FORMAT
