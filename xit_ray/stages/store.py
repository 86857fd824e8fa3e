"""The stage store: content-addressed folders on local disk, S3 or GCS, published whole or not at all.

An entry's files are written under a name of their own (``objects/KEY/ATTEMPT/``), and then one small marker,
``objects/KEY/PUBLISHED.json``, names that attempt and the size and SHA-256 of every file. A reader only follows the
marker, so an entry that was cut short is never seen, and two writers of one key cannot mix their files.
"""

import hashlib
import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pyarrow import fs

from xit_ray.spec.errors import UserError, one_line

MARKER = "PUBLISHED.json"
DROPPED = "dropped"
"""In place of an attempt's ID, where an entry's files were dropped."""
FORMAT = "2"
"""What the file ``FORMAT`` at the root says. Raise it when entries mean something else: keys, descriptions or files."""


class Store:
    """Entries by key, each a folder of files with a JSON description.

    Args:
        root: a folder, or an ``s3://bucket/prefix`` or ``gs://bucket/prefix`` address.

    Raises:
        UserError: the address has a form pyarrow does not know.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        if "://" in root:
            try:
                self.files, base = fs.FileSystem.from_uri(root)
            except (ValueError, OSError) as error:
                raise UserError(f"store: {root!r} is not an address of a store: {error}") from None
        else:
            self.files, base = fs.LocalFileSystem(), str(Path(root).expanduser().resolve())
        self.local = isinstance(self.files, fs.LocalFileSystem)
        self.base, self.aside, self.format = f"{base}/objects", f"{base}/partial", f"{base}/FORMAT"
        self.leases = f"{base}/leases"

    def check(self) -> None:
        """Write something and take it away again, and see that the entries are of this version.

        Raises:
            UserError: that cannot be done, or they are not.
        """
        place = f"{self.aside}/check-{uuid.uuid4().hex}"
        try:
            self.check_format()
            self.files.create_dir(self.aside)
            with self.files.open_output_stream(place) as stream:
                stream.write(b"xit_ray")
            self.files.delete_file(place)
        except OSError as error:
            raise UserError(f"store: {self.root!r} cannot be written to: {one_line(error)}") from None

    def check_format(self) -> None:
        """See that the entries, if there are any, are of this version.

        Raises:
            UserError: they are not.
        """
        try:
            with self.files.open_input_stream(self.format) as stream:
                version = stream.read().decode(errors="replace").strip()[:20]
        except FileNotFoundError:
            empty = self.files.get_file_info(self.base).type == fs.FileType.NotFound
            version = FORMAT if empty else "1"
        if version != FORMAT:
            raise UserError(
                f"store: {self.root!r} was written by another version of xit_ray (its format is {version}; allowed: "
                f"{FORMAT}), whose stages mean something else; name another store, or remove this one"
            )

    def describe(self, key: str) -> dict[str, Any] | None:
        """The description of a published entry, or None when there is none."""
        marker = self._marker(key)
        return None if marker is None else dict(marker["description"])

    def attempt(self, key: str) -> str | None:
        """ID of the attempt whose files a published entry has, or None when there is no entry."""
        marker = self._marker(key)
        return None if marker is None else str(marker["attempt"])

    def has_files(self, key: str) -> bool:
        """Whether there is an entry that has its files."""
        marker = self._marker(key)
        return marker is not None and bool(marker["files"])

    def publish(self, key: str, folder: Path, description: dict[str, Any]) -> None:
        """Make a local folder's files an entry. An entry that has files already stays as it is."""
        if self.has_files(key):
            return
        self._write_format()
        attempt = uuid.uuid4().hex
        target = f"{self.base}/{key}/{attempt}"
        self.files.create_dir(target)
        sizes = {}
        for file in sorted(folder.iterdir()):
            sizes[file.name] = {"bytes": file.stat().st_size, "sha256": _sha256(file)}
            fs.copy_files(str(file), f"{target}/{file.name}", fs.LocalFileSystem(), self.files)
        self._write(f"{self.base}/{key}/{MARKER}", _marker_text(attempt, sizes, description))

    def describe_only(self, key: str, description: dict[str, Any]) -> None:
        """Make a description an entry without files."""
        self._write_format()
        self.files.create_dir(f"{self.base}/{key}")
        self._write(f"{self.base}/{key}/{MARKER}", _marker_text(DROPPED, {}, description))

    def drop_files(self, key: str) -> None:
        """Delete an entry's files and keep its description; ``publish`` may give it files again."""
        marker = self._marker(key)
        if marker is None or not marker["files"]:
            return
        self.describe_only(key, marker["description"])
        self.files.delete_dir(f"{self.base}/{key}/{marker['attempt']}")

    @contextmanager
    def open(self, key: str) -> Iterator[Path]:
        """A local folder with a published entry's files, for reading, while the block runs.

        Raises:
            KeyError: there is no such entry, or its files were dropped.
            UserError: a file is not what was published.
        """
        marker = self._marker(key)
        if marker is None or not marker["files"]:
            raise KeyError(f"{self.root}: has no {'entry' if marker is None else 'files of entry'} {key}")
        source = f"{self.base}/{key}/{marker['attempt']}"
        folder = Path(source) if self.local else Path(tempfile.mkdtemp(prefix="xit-entry-"))
        try:
            if not self.local:
                fs.copy_files(source, str(folder), self.files, fs.LocalFileSystem())
            for name, expected in marker["files"].items():
                if not _is_whole(folder / name, expected["sha256"]):
                    if not self.has_files(key):
                        raise KeyError(f"{self.root}: the files of entry {key} were dropped while they were read")
                    raise UserError(
                        f"{source:.200}/{name:.200}: is damaged; remove {self.base}/{key} to have it made again"
                    )
            yield folder
        finally:
            if not self.local:
                shutil.rmtree(folder, ignore_errors=True)

    def save_snapshot(self, key: str, file: Path) -> None:
        """Keep a file of unfinished work under a key, in place of the one before; never half of one."""
        self.files.create_dir(self.aside)
        place = f"{self.aside}/{key}"
        written = f"{place}.{uuid.uuid4().hex}" if self.local else place
        fs.copy_files(str(file), written, fs.LocalFileSystem(), self.files)
        if self.local:
            self.files.move(written, place)

    def load_snapshot(self, key: str, file: Path) -> bool:
        """Copy the snapshot of a key to a local file; False where there is none."""
        place = f"{self.aside}/{key}"
        if self.files.get_file_info(place).type != fs.FileType.File:
            return False
        fs.copy_files(place, str(file), self.files, fs.LocalFileSystem())
        return True

    def delete_snapshot(self, key: str) -> None:
        """Delete the snapshot of a key, and half-written files of killed workers."""
        for file in self.files.get_file_info(fs.FileSelector(self.aside, allow_not_found=True)):
            if file.base_name.split(".")[0] == key:
                self.files.delete_file(file.path)

    def lease(self, key: str) -> bytes | None:
        """What the lease of a key says (``stages.leases``); None where there is none."""
        try:
            with self.files.open_input_stream(f"{self.leases}/{key}") as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None

    def write_lease(self, key: str, content: bytes) -> None:
        """Write the lease of a key in place of the one before."""
        self.files.create_dir(self.leases)
        self._write(f"{self.leases}/{key}", content)

    def delete_lease(self, key: str) -> None:
        """Delete the lease of a key, if there is one."""
        with suppress(FileNotFoundError):
            self.files.delete_file(f"{self.leases}/{key}")

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every published entry: key and description."""
        selector = fs.FileSelector(self.base, allow_not_found=True)
        for entry in self.files.get_file_info(selector):
            description = self.describe(entry.base_name)
            if description is not None:
                yield entry.base_name, description

    def _write_format(self) -> None:
        """Say the format where nothing does yet, before there are entries: they would be taken for older ones."""
        if self.files.get_file_info(self.format).type == fs.FileType.NotFound:
            self.check_format()
            self.files.create_dir(self.format.rpartition("/")[0])
            self._write(self.format, FORMAT.encode())

    def _marker(self, key: str) -> dict[str, Any] | None:
        try:
            with self.files.open_input_stream(f"{self.base}/{key}/{MARKER}") as stream:
                marker: dict[str, Any] = json.loads(stream.read())
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):
            marker = {}
        if not _whole(marker):
            raise UserError(f"{self.base}/{key}/{MARKER}: is damaged; remove {self.base}/{key} to have it made again")
        return marker

    def _write(self, path: str, data: bytes) -> None:
        """Write a file that is either there whole or not at all (an object store's PUT is; a disk needs a rename)."""
        aside = f"{path}.{uuid.uuid4().hex}" if self.local else path
        with self.files.open_output_stream(aside) as stream:
            stream.write(data)
        if self.local:
            self.files.move(aside, path)


def _marker_text(attempt: str, files: dict[str, Any], description: dict[str, Any]) -> bytes:
    return json.dumps({"attempt": attempt, "files": files, "description": description}, indent=1).encode()


def _is_whole(file: Path, digest: str) -> bool:
    try:
        return _sha256(file) == digest
    except (OSError, ValueError):
        return False


def _whole(marker: Any) -> bool:
    """Whether a marker says what markers say."""
    if not isinstance(marker, dict) or not isinstance(marker.get("attempt"), str):
        return False
    files, description = marker.get("files"), marker.get("description")
    if not isinstance(files, dict) or not isinstance(description, dict) or "/" in marker["attempt"]:
        return False
    named = all("/" not in name and name not in (".", "..") for name in files)
    return named and all(isinstance(about, dict) and isinstance(about.get("sha256"), str) for about in files.values())


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def inside(address: str, path: str) -> str:
    """Address of a path inside a store or folder; what follows a question mark belongs to the file system and stays last."""
    place, mark, options = address.partition("?")
    return f"{place.rstrip('/')}/{path}{mark}{options}"
