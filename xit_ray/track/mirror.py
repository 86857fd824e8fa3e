"""A run's folder, mirrored to the stage store within seconds: nothing of a search lives on one machine alone.

The mirror of a run is ``STORE/runs/NAME``. An object store cannot append to a file, so files that grow (the journal) are
kept there in pieces of a megabyte, of which only the last is written again; other files are copied whole when they change.
A lease beside them says which process works on the run: its owner writes it again every few seconds, and one that is not
written again is nobody's.
"""

import json
import os
import platform
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyarrow import fs

from xit_ray.spec.errors import UserError, in_a_line, one_line
from xit_ray.spec.load import SPEC
from xit_ray.spec.space import Space
from xit_ray.stages.store import inside
from xit_ray.track.journal import FILE

RUNS = "runs"
GROWING = (FILE, "optuna.journal")
PIECE_BYTES = 1 << 20
COPIED = (".yaml", ".html", ".parquet")
"""Other files that are mirrored, by their endings."""
INTERVAL_SECONDS = 2.0
BEAT_SECONDS = 5.0
LEASE_SECONDS = 30.0
"""A lease that has not been written again for this long is nobody's."""
SETTLE_SECONDS = 1.0
"""Two processes that claim a lease at once both see, after this long, whose claim was the last."""
PATIENCE_SECONDS = 60.0
"""At the end of a search, how long a store that takes nothing is waited for."""
OWNER = "owner.json"


def mirror_of(store: str, name: str) -> str:
    """Address of a run's mirror."""
    return inside(store, f"{RUNS}/{name}")


def exists(address: str) -> bool:
    """Whether there is a run at the address of a mirror."""
    files, base = fs.FileSystem.from_uri(address)
    return bool(files.get_file_info(f"{base}/{SPEC}").type == fs.FileType.File)


def is_mirror(folder: Path) -> bool:
    """Whether a folder of this machine is the mirror of a run, and not the run's own."""
    return next(folder.glob(f"{FILE}.[0-9]*"), None) is not None


@contextmanager
def mirrored(space: Space, folder: Path, say: Callable[[str], None]) -> Iterator[list["Mirror"]]:
    """While the block runs, mirror a run where its store is not beside it; at the end, all of it is in the store.

    Args:
        space: names the store.
        folder: of the run.
        say: is told where something takes a while.

    Raises:
        UserError: another process works on this run.
    """
    if Path(space.store_root).is_relative_to(folder.parent):
        yield []
        return
    mirror = Mirror(space.store_root, folder)
    mirror.claim(say)
    try:
        yield [mirror]
    finally:
        mirror.close()


class Mirror:
    """The mirror of one run. It has what ``track.delivery.Delivery`` has for those who watch: name, problem and ``wake``.

    Args:
        store: address of the stage store.
        folder: of the run, on this machine.
    """

    name = "the mirror in the store"

    def __init__(self, store: str, folder: Path) -> None:
        self.folder = folder
        self.address = mirror_of(store, folder.name)
        self.files, self.base = fs.FileSystem.from_uri(self.address)
        self.token = uuid.uuid4().hex
        self.beats = 0
        self.problem: str | None = None
        """Why the store did not take the last change; None when it did."""
        self.lost = threading.Event()
        """Set when another process has taken the run over."""
        self.written: dict[str, tuple[int, int]] = {}
        """By file: its size and time of change when it was last written."""
        self.next_beat = 0.0
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def claim(self, say: Callable[[str], None] = lambda line: None) -> None:
        """Take the run's lease, if nobody alive has it, and what the mirror has beyond the folder; then begin to mirror.
        A lease is watched, not read: clocks of machines differ.

        Args:
            say: is told where that takes a while.

        Raises:
            UserError: another process works on the run, or the mirror is another run's, or it cannot be reached.
        """
        try:
            self._claim(say)
            self._reconcile()
        except OSError as error:
            raise UserError(f"{self.address}: cannot be used: {one_line(error)}") from None
        self.thread.start()

    def _claim(self, say: Callable[[str], None]) -> None:
        before, deadline = self._owner(), time.monotonic() + LEASE_SECONDS
        if before is not None and _is_dead(before):
            before = None
        elif before is not None:
            say(f"{_words(before)} worked on this run; waiting {LEASE_SECONDS:.0f} s to see whether it still does")
        while before is not None and time.monotonic() < deadline:
            time.sleep(SETTLE_SECONDS)
            now = self._owner()
            if now is not None and now != before:
                raise UserError(f"{self.address}: {_words(now)} works on this run; wait for its end, or stop it")
            before = now
        self._beat()
        time.sleep(SETTLE_SECONDS)
        winner = self._owner()
        if winner is None or winner["token"] != self.token:
            raise UserError(f"{self.address}: {_words(winner)} has just begun to work on this run")

    def _reconcile(self) -> None:
        """Make the files that grow as far as the further of folder and mirror: the run may have gone on elsewhere."""
        for name in GROWING:
            there = _content(self.files, self.base, name)
            file = self.folder / name
            here = file.read_bytes() if file.exists() else b""
            whole = there[: there.rfind(b"\n") + 1]  # a line that was cut short is none
            if here.startswith(whole):
                self._delete_pieces(name, -(-len(here) // PIECE_BYTES))
                self.written[name] = len(whole), 0
            elif whole.startswith(here):
                _replace(file, whole)
            else:
                raise UserError(
                    f"{file}: is not what {self.address} has: they are different searches, or went apart; go on with the "
                    "mirror by --resume with its address and another --output, or move one of them away"
                )

    def _delete_pieces(self, name: str, first: int) -> None:
        """Delete the pieces of a file from a number on."""
        for piece in _present(self.files, self.base):
            if _whole_name(piece) == name and int(piece.rpartition(".")[2]) >= first:
                self.files.delete_file(f"{self.base}/{piece}")

    def wake(self) -> None:
        """The run's folder has changed; it is looked at every ``INTERVAL_SECONDS`` anyway."""

    def close(self) -> None:
        """Write what is left, and give the lease back; give up when the store has taken nothing for ``PATIENCE_SECONDS``."""
        self.closing.set()
        self.thread.join(PATIENCE_SECONDS)
        if self.thread.is_alive():
            self.problem = self.problem or f"has not answered for {PATIENCE_SECONDS:.0f} s"

    def _run(self) -> None:
        last = False
        while not (last and self.problem is None):
            last = self.closing.is_set()
            try:
                if self._taken_over():
                    return
                self._beat_if_due()
                self._write_changes()
                if last and not self._taken_over():
                    self.files.delete_file(f"{self.base}/{OWNER}")
                self.problem = None
            except Exception as error:  # noqa: BLE001 - tried again; told in the display, and at the end
                self.problem = in_a_line(error)
            if last:
                time.sleep(INTERVAL_SECONDS if self.problem else 0)
            else:
                self.closing.wait(INTERVAL_SECONDS)

    def _taken_over(self) -> bool:
        """Whether another process has the run now: this one slept, or did not reach the store, for too long."""
        owner = self._owner()
        if owner is None or owner["token"] == self.token:
            return False
        self.problem = f"{_words(owner)} has taken this run over"
        self.lost.set()
        # This process must not go on beside the other one.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return True

    def _beat_if_due(self) -> None:
        if time.monotonic() >= self.next_beat:
            self._beat()

    def _beat(self) -> None:
        self.beats += 1
        about = {"process": os.getpid(), "host": _host(), "token": self.token, "beat": self.beats}
        self._write(OWNER, json.dumps(about).encode())
        self.next_beat = time.monotonic() + BEAT_SECONDS

    def _owner(self) -> dict[str, Any] | None:
        """What the lease says; None where there is none."""
        try:
            with self.files.open_input_stream(f"{self.base}/{OWNER}") as stream:
                about = json.loads(stream.read())
            return {name: about[name] for name in ("process", "host", "token", "beat")}
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def _write_changes(self) -> None:
        for file in sorted(self.folder.iterdir()):
            if not (file.name in GROWING or file.suffix in COPIED):
                continue
            about = file.stat().st_size, file.stat().st_mtime_ns
            before = self.written.get(file.name)
            if about == before:
                continue
            if file.name in GROWING:
                self._write_pieces(file, before[0] if before is not None else 0, about[0])
            else:
                self._write(file.name, file.read_bytes())
            self.written[file.name] = about

    def _write_pieces(self, file: Path, known: int, size: int) -> None:
        """Write the pieces of a file beyond its first ``known`` bytes. It may grow meanwhile: what it had at first counts."""
        with file.open("rb") as stream:
            for number in range(known // PIECE_BYTES, -(-size // PIECE_BYTES)):
                stream.seek(number * PIECE_BYTES)
                self._write(f"{file.name}.{number:06d}", stream.read(min(PIECE_BYTES, size - number * PIECE_BYTES)))
                self._beat_if_due()  # many pieces take long

    def _write(self, name: str, data: bytes) -> None:
        """Write a file that is there whole or as it was before."""
        self.files.create_dir(self.base)
        local = isinstance(self.files, fs.LocalFileSystem)
        place = f"{self.base}/{name}"
        aside = f"{self.base}/.{name}.{self.token}" if local else place  # an object store's PUT is whole or nothing
        with self.files.open_output_stream(aside) as stream:
            stream.write(data)
        if local:
            self.files.move(aside, place)


def fetch(address: str, output: Path) -> Path:
    """Bring a run's folder from its mirror to this machine. One that is here already stays as it is: ``Mirror.claim`` sees
    whether the run has gone on elsewhere.

    Args:
        address: of the mirror, ``STORE/runs/NAME``.
        output: folder of the runs' folders.

    Returns:
        the run's folder.

    Raises:
        UserError: there is no run at this address.
    """
    try:
        files, base = fs.FileSystem.from_uri(address)
        present = _present(files, base)
    except (ValueError, OSError) as error:
        raise UserError(f"{address}: cannot be read: {one_line(error)}") from None
    if SPEC not in present:
        raise UserError(f"{address}: is no run (it has no {SPEC})")
    folder = output / str(base).rstrip("/").rpartition("/")[2]
    if folder.exists():
        return folder
    aside = output / f".{folder.name}.{uuid.uuid4().hex}"
    aside.mkdir(parents=True)
    for name in sorted({_whole_name(name) for name in present if not name.startswith(".")} - {OWNER}):
        (aside / name).write_bytes(_content(files, base, name))
    aside.rename(folder)
    return folder


def _whole_name(name: str) -> str:
    stem, _, number = name.rpartition(".")
    return stem if stem in GROWING and number.isdigit() else name


def _present(files: fs.FileSystem, base: str) -> set[str]:
    """Names of the files of a mirror."""
    return {info.base_name for info in files.get_file_info(fs.FileSelector(base, allow_not_found=True))}


def _content(files: fs.FileSystem, base: str, name: str) -> bytes:
    """The content of a file, which may be kept in pieces; nothing where it is not there."""
    content = []
    for part in sorted(part for part in _present(files, base) if _whole_name(part) == name):
        with files.open_input_stream(f"{base}/{part}") as stream:
            content.append(stream.read())
    return b"".join(content)


def _replace(file: Path, data: bytes) -> None:
    aside = file.with_name(f".{file.name}.new")
    aside.write_bytes(data)
    aside.replace(file)


def _host() -> str:
    """This machine, or rather its processes' numbers: containers of one name have numbers of their own."""
    try:
        return f"{platform.node()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return platform.node()


def _is_dead(owner: dict[str, Any]) -> bool:
    """Whether the owner was a process of this machine that is no more."""
    if owner["host"] != _host():
        return False
    try:
        os.kill(int(owner["process"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def _words(owner: dict[str, Any] | None) -> str:
    return f"process {owner['process']} on {owner['host']}" if owner is not None else "another process"
