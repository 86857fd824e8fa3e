"""What a stage store takes, what of it is of no use any more, and how its entries get into another store."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyarrow import fs

from xit_ray.stages.store import DROPPED, MARKER, Store

GRACE_HOURS = 24.0
"""What was written in the last so many hours may belong to a search that is at work, and stays."""
WHY = {None: "of attempts that failed", DROPPED: "of checkpoints that were dropped"}
"""By the attempt that an entry names: why the files of another one are of no use."""


@dataclass(frozen=True)
class Usage:
    """What one kind of thing takes."""

    what: str
    files: int
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Leftover:
    """A file that nothing refers to."""

    path: str
    why: str
    size: int
    """Bytes."""


def usage(store: Store) -> list[Usage]:
    """Bytes of stages, of scores, of snapshots of unfinished stages, and of what nothing refers to."""
    sizes: dict[str, tuple[int, int]] = {}

    def add(what: str, size: int) -> None:
        files, total = sizes.get(what, (0, 0))
        sizes[what] = files + 1, total + size

    kinds = {key: str(about.get("kind")) for key, about in store.entries()}
    unused = {one.path: one for one in leftovers(store, grace_hours=0.0)}
    for info in _files(store, store.base):
        if info.path not in unused:
            kind = kinds.get(_key(store, info), "")
            add({"stage": "trained stages", "scores": "scores"}.get(kind, "other entries"), info.size or 0)
    for one in unused.values():
        add(one.why, one.size)
    return [Usage(what, files, total) for what, (files, total) in sorted(sizes.items(), key=lambda item: -item[1][1])]


def leftovers(store: Store, grace_hours: float = GRACE_HOURS) -> list[Leftover]:
    """Files of attempts that never became an entry, or lost the race to be one, and snapshots of unfinished stages.

    Args:
        store: the store.
        grace_hours: what is younger than this is left out: a search may be at work on it.
    """
    oldest = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=grace_hours)
    attempts = {key: store.attempt(key) for key in _keys(store)}
    found = []
    for info in _files(store, store.base):
        parts = info.path.removeprefix(f"{store.base}/").split("/")
        if len(parts) == 3 and attempts.get(parts[0]) != parts[1]:
            why = WHY.get(attempts.get(parts[0]), "of attempts that came second")
            found.append((info, why))
        elif len(parts) == 2 and parts[1] != MARKER:
            found.append((info, "half-written"))
    found += [(info, "snapshots of unfinished stages") for info in _files(store, store.aside)]
    found += [(info, "leases of searches that are gone") for info in _files(store, store.leases)]
    return [
        Leftover(info.path, why, info.size or 0) for info, why in found if info.mtime is None or info.mtime <= oldest
    ]


def delete(store: Store, unused: list[Leftover]) -> None:
    """Delete files, and the folders that are empty then."""
    for one in unused:
        store.files.delete_file(one.path)
    if store.local:
        for folder in sorted({Path(one.path).parent for one in unused}, reverse=True):
            while folder != Path(store.base) and folder.is_relative_to(store.base) and not any(folder.iterdir()):
                folder.rmdir()
                folder = folder.parent


def copy(source: Store, target: Store) -> Iterator[tuple[str, bool]]:
    """Copy every entry that the target lacks, or of which it lacks the files; what is read is compared with its checksums.

    Yields:
        each entry's key, and whether it was copied.
    """
    for key, about in source.entries():
        whole = source.has_files(key)
        there = target.has_files(key) if whole else target.describe(key) is not None
        if not there and not whole:
            target.describe_only(key, about)
        elif not there:
            with source.open(key) as folder:
                target.publish(key, folder, about)
        yield key, not there


def _files(store: Store, place: str) -> list[fs.FileInfo]:
    selector = fs.FileSelector(place, recursive=True, allow_not_found=True)
    return [info for info in store.files.get_file_info(selector) if info.type == fs.FileType.File]


def _keys(store: Store) -> set[str]:
    return {_key(store, info) for info in _files(store, store.base)}


def _key(store: Store, info: fs.FileInfo) -> str:
    return str(info.path.removeprefix(f"{store.base}/").partition("/")[0])
