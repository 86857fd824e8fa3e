"""Rows that say the same are found, whatever their case, spaces and punctuation; near-duplicates against brute force."""

import random
import string

import pytest

from xit_ray.data.near import SHINGLE, SIMILAR, NearIndex, normalised, similar


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("He said: “Yes.”", "he said yes"),
        ("one  space", "one space"),
        ("ＦＵＬＬ width", "full width"),
        ("straße", "STRASSE"),
        ("小 明 说。", "小明说"),
        ("Tiếng Việt", "Tieng Viet"),
    ],
)
def test_what_is_left_of_a_text(one: str, other: str) -> None:
    assert normalised(one) == normalised(other) != ""


def shingles(text: str) -> set[str]:
    return {text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)}


def test_near_duplicates_are_those_of_brute_force() -> None:
    rng = random.Random(0)
    texts = ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(60, 200))) for _ in range(300)]
    asked = []
    for text in texts[:200]:
        edits = rng.choice([0, 1, 2, 3, 8, 20])
        letters = list(text)
        for _ in range(edits):
            letters[rng.randrange(len(letters))] = rng.choice(string.ascii_lowercase)
        asked.append(("".join(letters),))
    index = NearIndex([(text,) for text in texts])
    wanted = set()
    for place, text in enumerate(texts):
        for (one,) in asked:
            both, either = shingles(one) & shingles(text), shingles(one) | shingles(text)
            if one == text or len(both) >= SIMILAR * len(either):
                wanted.add(place)
    found = index.found(asked)
    assert found <= wanted
    # Candidates come from a sample of the shingles, which may miss one at the edge.
    assert len(found) >= 0.97 * len(wanted)
    assert 80 < len(wanted) < 200


def test_every_column_has_to_be_alike() -> None:
    premise = "a long premise about the river that rose in the night and flooded the town"
    index = NearIndex([(premise, "it rained"), (premise, "it snowed")])
    assert index.found([(premise, "it rained")]) == {0}
    assert index.found([(premise, "nothing happened")]) == set()
    assert not similar((premise, "a"), (premise, "b"))


def test_rows_that_say_nothing_are_found_by_nothing() -> None:
    assert NearIndex([("",), ("a",)]).found([("",), ("b",)]) == set()
    assert NearIndex([]).found([("a",)]) == set()
