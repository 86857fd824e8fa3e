"""What is to be trained, by what the store has: of each stage nothing, its record alone, or its weights."""

import itertools
from pathlib import Path

import pytest

from xit_ray.spec.recipe import Stage
from xit_ray.stages.missing import to_train
from xit_ray.stages.store import Store
from xit_ray.stages.work import Training
from xit_ray.testing.stores import entry

KEYS = ("first", "second", "third")
CHAIN = [
    Training(key=key, start=start, stage=Stage.model_validate({"mixture": "mini_nli"}), dev=(), steps=1)
    for start, key in zip((None, *KEYS), KEYS, strict=False)
]


@pytest.mark.parametrize("scored", [False, True])
@pytest.mark.parametrize("there", itertools.product(["nothing", "record", "weights"], repeat=3))
def test_what_is_trained_suffices_and_nothing_is_trained_in_vain(
    there: tuple[str, ...], scored: bool, tmp_path: Path
) -> None:
    store = Store(str(tmp_path / "store"))
    for key, what in zip(KEYS, there, strict=True):
        if what != "nothing":
            store.publish(key, entry(tmp_path), {})
        if what == "record":
            store.drop_files(key)
    trained = [training.key for training in to_train(store, CHAIN, last_is_read=not scored)]
    for place, key in enumerate(KEYS):
        read = trained_next(place, trained) if place < 2 else not scored
        if key not in trained:
            assert there[place] == "weights" if read else there[place] != "nothing"
        else:
            assert there[place] == "nothing" or (read and there[place] == "record")


def trained_next(place: int, trained: list[str]) -> bool:
    return KEYS[place + 1] in trained
