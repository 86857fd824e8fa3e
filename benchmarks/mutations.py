"""Random changes to good inputs: to what YAML and JSON hold, and to the bytes of files."""

import copy
import random
from collections.abc import Iterator
from typing import Any

ODD: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, float("nan"), float("inf"), "", "x" * 5000, "\x00", "\u2028", "é", [], [[]], {},
    {"a": {}}, {"grid": []}, {"grid": [1, "a"]}, {"uniform": [1]}, {"loguniform": [0, 1]}, ["a", 1, None], "grid",
    "{lang}", "../..",
]  # fmt: skip


def mutated(tree: Any, rng: random.Random) -> Any:
    """A tree with one to three changes anywhere in it."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.randint(1, 3)):
        places = list(_places(tree))
        if not places:
            return copy.deepcopy(rng.choice(ODD))
        parent, key = rng.choice(places)
        change = rng.randrange(6)
        if change == 0:
            del parent[key]
        elif change == 1:
            parent[key] = copy.deepcopy(rng.choice(ODD))
        elif change == 2:
            other, name = rng.choice(places)
            parent[key] = copy.deepcopy(other[name])
        elif change == 3 and isinstance(parent, dict):
            parent[rng.choice(["", "x", "grid", "\x00", "stages", str(key) + "s"])] = parent[key]
        elif change == 4:
            parent[key] = {"grid": [parent[key], copy.deepcopy(rng.choice(ODD))]}
        else:
            for _ in range(rng.choice([3, 60])):
                parent[key] = [parent[key]]
    return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every parent and key of a tree."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


def damaged(data: bytes, rng: random.Random) -> bytes:
    """A file with one to three changes anywhere in it."""
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(data) + 1)
        end = min(len(data), place + rng.randrange(40))
        change = rng.randrange(6)
        if change == 0:
            data = data[:place]
        elif change == 1:
            data = data[:place] + bytes(rng.randrange(256) for _ in range(rng.randrange(1, 6))) + data[end:]
        elif change == 2:
            odd = [
                b"\x00",
                b"\xff\xfe",
                b"\xef\xbb\xbf",
                b'"',
                b'""',
                b"\t",
                b"\r",
                b"\r\n",
                b"\n\n",
                b"{",
                b"]",
                b"\xe2\x80\xa8",
            ]
            data = data[:place] + rng.choice(odd) + data[place:]
        elif change == 3:
            data = data[:place] + data[end:]
        elif change == 4:
            data = data[:place] + data[place:end] * rng.choice([2, 200]) + data[end:]
        else:
            data = data.replace(b"\n", rng.choice([b"", b"\r", b"\n\n"]), rng.choice([1, -1]))
    return data
