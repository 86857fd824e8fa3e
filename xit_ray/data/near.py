"""Rows that say the same: equal but for case, space, punctuation and accents, or nearly equal by the share of their shingles.

A shingle is a run of letters and digits; two texts are near-duplicates when the Jaccard similarity of their sets of shingles
is high (Broder 1997). Candidates are found by a sample of the shingles, the same of every text, and then compared in full.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

SHINGLE = 5
"""Characters of a shingle."""
SIMILAR = 0.8
"""Jaccard similarity from which on two texts say the same."""
SAMPLED = 4
"""One shingle in this many is looked at to find candidates."""
COMMON = 64
"""A sampled shingle that more rows of an index than this have is a phrase, and finds no candidate."""
MOST_JOINED = 3
"""Texts of a row that are also looked for as one, in any order."""
CHUNK = 8192
"""Rows looked up at a time."""

TABLE_BITS = 21
"""Slots, as a power of two, of the table that tells which shingles are in an index at all."""

Shingles = tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Hashes of the shingles of some rows, the rows they are of, and how many each row has."""
Texts = tuple[str, ...]
"""What a row says: the texts of its columns, normalised; in whatever order, if it is the same for all rows."""
_NOT_LETTERS = re.compile(r"[\W_]+")
_MIXERS = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)


def normalised(text: str) -> str:
    """A text without case, spaces, punctuation and accents."""
    return _NOT_LETTERS.sub("", unicodedata.normalize("NFKD", text).casefold())


class NearIndex:
    """Rows to be found again.

    Args:
        rows: what each says; those that say nothing are never found.
        contained: whether a row is found in a longer text too, of which it is a part.
    """

    def __init__(self, rows: Sequence[Texts], contained: bool = False) -> None:
        self.rows, self.contained = rows, contained
        self.exact: dict[Texts, list[int]] = {}
        for place, row in enumerate(rows):
            if any(row):
                self.exact.setdefault(row, []).append(place)
            if 1 < len(row) <= MOST_JOINED:  # the same as one text
                for order in itertools.permutations(row):
                    self.exact.setdefault(("".join(order),), []).append(place)
        hashes, owners = _shingles(rows)
        sorting = np.argsort(hashes, kind="stable")
        self.hashes, self.owners = hashes[sorting], owners[sorting]
        self.sizes = np.bincount(owners, minlength=len(rows))
        self.there = np.zeros(1 << TABLE_BITS, dtype=bool)  # most shingles that are looked for are not there
        self.there[_slots(hashes)] = True

    def found(self, rows: Iterable[Texts]) -> set[int]:
        """The places of the index's rows that some of these rows say as well."""
        return found_in({"": self}, rows)[""]

    def _nearly(self, rows: list[Texts], shingles: Shingles, known: set[int]) -> set[int]:
        hashes, owners, sizes = shingles
        likely = self.there[_slots(hashes)]
        hashes, owners = hashes[likely], owners[likely]
        first, last = (np.searchsorted(self.hashes, hashes, side) for side in ("left", "right"))  # type: ignore[call-overload]
        counts = np.where(last - first <= COMMON, last - first, 0)
        if not counts.any():
            return set()
        asked = np.repeat(owners, counts)
        within = np.arange(len(asked)) - np.repeat(np.cumsum(counts) - counts, counts)
        have = self.owners[np.repeat(first, counts) + within]
        pairs, shared = np.unique(asked.astype(np.int64) * len(self.rows) + have, return_counts=True)
        asked, have = np.divmod(pairs, len(self.rows))
        # Of a sample the similarity is known roughly: what is below half of what is asked for is not looked at.
        either = sizes[asked] + self.sizes[have] - shared
        likely = shared >= SIMILAR / 2 * (self.sizes[have] if self.contained else either)
        alike = _part_of if self.contained else similar
        places: set[int] = set()
        for one, other in zip(asked[likely].tolist(), have[likely].tolist(), strict=True):
            if other not in known and other not in places and alike(rows[one], self.rows[other]):
                places.add(other)
        return places


def found_in(indexes: Mapping[str, NearIndex], rows: Iterable[Texts]) -> dict[str, set[int]]:
    """The places of the rows of some indexes that these rows say as well.

    Args:
        indexes: by name; their rows are looked for together, so that what is looked at is read once.
        rows: as many as there are; only a chunk of them is in memory at a time.
    """
    places: dict[str, set[int]] = {name: set() for name in indexes}
    left = iter(rows)
    while chunk := list(dict.fromkeys(islice(left, CHUNK))):
        hashes, owners = _shingles(chunk)
        shingles = hashes, owners, np.bincount(owners, minlength=len(chunk))
        for name, index in indexes.items():
            places[name].update(place for row in chunk for place in index.exact.get(row, ()))
            places[name] |= index._nearly(chunk, shingles, places[name])
    return places


def similar(one: Texts, other: Texts) -> bool:
    """Whether two rows say the same, or nearly, in every column; or in all, where their texts are divided otherwise."""
    if len(one) == len(other):
        return all(map(_similar, one, other))
    return _similar("".join(one), "".join(other))


def _part_of(whole: Texts, part: Texts) -> bool:
    """Whether most of a row's shingles are in a longer text."""
    a, b = (_shingles_of("".join(row)) for row in (whole, part))
    return len(a & b) >= SIMILAR * len(b) > 0


def _similar(one: str, other: str) -> bool:
    if one == other:
        return True
    a, b = _shingles_of(one), _shingles_of(other)
    return len(a & b) >= SIMILAR * len(a | b) > 0


def _shingles_of(text: str) -> set[str]:
    return {text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)}


def _shingles(rows: Sequence[Texts]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Hashes of the sampled shingles of some rows, each once per row, and the rows they are of."""
    texts = ["".join(row) for row in rows]
    sizes = np.asarray([len(text) for text in texts], dtype=np.int64)
    letters = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    windows = len(letters) - SHINGLE + 1
    if windows < 1:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    hashes = np.zeros(windows, np.uint64)
    for place in range(SHINGLE):
        hashes = (hashes + letters[place : place + windows]) * _MIXERS[0]
        hashes ^= hashes >> _MIXERS[1]
    owners = np.repeat(np.arange(len(rows)), sizes)
    whole = owners[:windows] == owners[SHINGLE - 1 :]  # not across the end of a row
    kept = whole & (hashes % np.uint64(SAMPLED) == 0)
    owners, hashes = owners[:windows][kept], hashes[kept]
    order = np.lexsort((hashes, owners))
    owners, hashes = owners[order], hashes[order]
    once = np.append(True, (owners[1:] != owners[:-1]) | (hashes[1:] != hashes[:-1]))[: len(hashes)]
    return hashes[once], owners[once]


def _slots(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Where hashes stand in a table; their upper bits are the best mixed ones."""
    return (hashes >> np.uint64(64 - TABLE_BITS)).astype(np.int64)
