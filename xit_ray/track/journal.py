"""The journal: every event of a search, one JSON line each, appended and flushed as it happens.

It is the only record a resume reads; tables, MLflow and the live display are all folded from it.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from xit_ray.spec.errors import UserError

FILE = "events.jsonl"
Event = dict[str, Any]


class Journal:
    """Appends to ``events.jsonl`` in a run's folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE

    def append(self, events: Iterable[Event]) -> None:
        """Write events; they are on disk when this returns."""
        lines = [json.dumps(event, ensure_ascii=False) + "\n" for event in events]
        if lines:
            with self.file.open("a", encoding="utf-8") as stream:
                stream.writelines(lines)
                stream.flush()
                os.fsync(stream.fileno())

    def read(self) -> Iterator[Event]:
        """Every event, in order. A last line that a crash cut short was not an event yet and is passed over.

        Raises:
            UserError: a line is no event.
        """
        if not self.file.exists():
            return
        with self.file.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if line.endswith(b"\n"):
                    yield self._event(line, number)

    def _event(self, line: bytes, number: int) -> Event:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("kind"), str):
            raise UserError(
                f"{self.file}: line {number} is no event: {line[:60]!r}; a line that was damaged may be taken out"
            )
        return event

    def mend(self) -> None:
        """Cut off a half-written last line, so that the next event does not continue it."""
        if self.file.exists():
            data = self.file.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if whole != data:
                aside = self.file.with_suffix(".mended")
                aside.write_bytes(whole)
                aside.replace(self.file)
