"""The journal: every event of a search, one JSON line each, appended and flushed as it happens.

It is the only record that a resume reads; tables, MLflow and the live display are all derived from it. Its first line says
in which version of this format it is written.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from xit_ray.spec.errors import UserError
from xit_ray.track.events import EVENTS, Event

FILE = "events.jsonl"
VERSION = 2
"""Raise it when an event changes in a way that ``track.events`` cannot read."""
HEADER = "journal"


def run_folder(run: str | Path) -> Path:
    """The folder of a run.

    Args:
        run: the folder, or its name in ``runs``.

    Raises:
        UserError: it is none.
    """
    folder = (Path(run) if Path(run).is_dir() else Path("runs") / run).resolve()
    if not (folder / FILE).is_file():
        raise UserError(f"{run}: is not the folder of a run (it has no {FILE})")
    return folder


class Journal:
    """Appends to ``events.jsonl`` in a run's folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE

    def append(self, events: Iterable[Event]) -> None:
        """Write events; they are on disk when this returns."""
        lines = [event.model_dump_json() for event in events]
        if not lines:
            return
        with self.file.open("a", encoding="utf-8") as stream:
            if stream.tell() == 0:
                lines.insert(0, json.dumps({"kind": HEADER, "version": VERSION}))
            stream.writelines(line + "\n" for line in lines)
            stream.flush()
            os.fsync(stream.fileno())

    def read(self) -> Iterator[Event]:
        """Every event, in order. A last line that a crash cut short was not an event yet and is passed over.

        Raises:
            UserError: the journal is of another version, or a line is not an event.
        """
        return JournalReader(self.file).new_events()

    def mend(self) -> None:
        """Cut off a half-written last line, so that the next event does not continue it."""
        if self.file.exists():
            data = self.file.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if whole != data:
                aside = self.file.with_suffix(".mended")
                aside.write_bytes(whole)
                aside.replace(self.file)


class JournalReader:
    """Reads a journal that may be growing.

    Args:
        file: the journal; it need not exist yet.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.position = 0
        """Bytes read."""
        self.lines = 0
        self.digest = hashlib.sha256()
        """Of what was read."""

    def new_events(self) -> Iterator[Event]:
        """The events that were not read yet; a line that is not complete is left for the next call.

        Raises:
            UserError: the journal is of another version, or a line is not an event.
        """
        if not self.file.exists():
            return
        with self.file.open("rb") as stream:
            stream.seek(self.position)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                self.position += len(line)
                self.lines += 1
                self.digest.update(line)
                if self.lines == 1:
                    self._check_version(line)
                else:
                    yield self._event(line)

    def _check_version(self, line: bytes) -> None:
        try:
            header = json.loads(line)
        except (ValueError, RecursionError):
            header = None
        version = header.get("version") if isinstance(header, dict) and header.get("kind") == HEADER else None
        if version != VERSION:
            by = "an earlier version" if version is None else f"another version ({version}, wanted: {VERSION})"
            raise UserError(
                f"{self.file}: was written by {by} of xit_ray, or its first line is damaged; start the search anew"
            )

    def _event(self, line: bytes) -> Event:
        try:
            return EVENTS.validate_json(line)
        except (ValidationError, RecursionError) as error:
            problem = error.errors(include_url=False)[0] if isinstance(error, ValidationError) else None
            what = f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" if problem else "it is nested too deeply"
            raise UserError(
                f"{self.file}: line {self.lines} is no event ({what}): {line[:60]!r}; a line that was damaged may be taken "
                "out"
            ) from None
