"""The token cache: what comes out is what the tokenizer gives, once, however many ask at the same time."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from xit_ray.core.models import tokenizer_identity
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import mini
from xit_ray.data.encode import Encoded, join
from xit_ray.data.kinds import tokenise
from xit_ray.data.tokens import Tokens, read, write
from xit_ray.spec.recipe import Model
from xit_ray.tasks import registry

TASK = registry.get("mini_nli")
WRITER = """
import json, sys
from xit_ray.core.models import tokenizer_identity
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import mini
from xit_ray.data.kinds import tokenise
from xit_ray.data.tokens import Tokens
from xit_ray.spec.recipe import Model
from xit_ray.tasks import registry

model = Model(name=sys.argv[1])
loads = []
tokens = Tokens(lambda: loads.append(1) or load_tokenizer(model), tokenizer_identity(model), 128)
encoded = tokens.rows(registry.get("mini_nli"), mini.rows("mini_nli", "train", "de"))
print(json.dumps([len(loads), int(encoded.tokens.sum()), len(encoded)]))
"""


@pytest.fixture(params=["tiny_encoder", "tiny_bert"])
def model(request: pytest.FixtureRequest) -> Model:
    return Model(name=str(request.getfixturevalue(request.param)))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XIT_CACHE", str(tmp_path))
    return tmp_path / "tokens"


def same(one: Encoded, other: Encoded) -> bool:
    arrays = [(getattr(one, name), getattr(other, name)) for name in ("tokens", "starts", "rows", "types", "labels")]
    equal = (left is right if left is None or right is None else np.array_equal(left, right) for left, right in arrays)
    return all(equal) and one.truncated == other.truncated


def never() -> Callable[[], object]:
    raise AssertionError("the tokenizer is loaded although its work is in the cache")


def test_the_cache_gives_what_the_tokenizer_gives(model: Model, cache: Path) -> None:
    table = mini.rows("mini_nli", "train", "ar").slice(0, 50)
    wanted = tokenise(TASK, table, load_tokenizer(model), 40)
    assert wanted.truncated
    identity = tokenizer_identity(model)
    assert same(Tokens(lambda: load_tokenizer(model), identity, 40).rows(TASK, table), wanted)
    again = Tokens(never, identity, 40).rows(TASK, table)  # type: ignore[arg-type]
    assert same(again, wanted)
    assert not again.tokens.flags.owndata  # it is the file, mapped


def test_other_rows_lengths_and_tokenizers_are_other_files(model: Model, cache: Path, tmp_path: Path) -> None:
    table = mini.rows("mini_nli", "train", "en").slice(0, 10)
    identity = tokenizer_identity(model)
    for tokens in (Tokens(lambda: load_tokenizer(model), identity, length) for length in (64, 128)):
        tokens.rows(TASK, table)
        tokens.rows(TASK, table.slice(0, 9))
        tokens.texts(table.column("text_a").to_pylist())
    Tokens(lambda: load_tokenizer(model), {**identity, "tokenizer.json": "changed"}, 128).rows(TASK, table)
    assert len(list(cache.glob("*/about.json"))) == 7


def test_writers_at_the_same_time_make_one_whole_file(tiny_encoder: Path, cache: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tiny_encoder)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    found = [json.loads(writer.communicate(timeout=300)[0]) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4
    wanted = tokenise(TASK, mini.rows("mini_nli", "train", "de"), load_tokenizer(Model(name=str(tiny_encoder))), 128)
    assert {(total, rows) for _, total, rows in found} == {(int(wanted.tokens.sum()), len(wanted))}
    assert sum(loads for loads, _, _ in found) == 1
    assert len(list(cache.glob("*/about.json"))) == 1
    assert not list(cache.glob("*.new"))


def test_a_writer_killed_in_the_middle_leaves_no_file(tiny_encoder: Path, cache: Path) -> None:
    model = Model(name=str(tiny_encoder))
    table = mini.rows("mini_nli", "train", "en").slice(0, 10)

    def torn() -> object:
        cache.mkdir(parents=True, exist_ok=True)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Tokens(torn, tokenizer_identity(model), 128).rows(TASK, table)  # type: ignore[arg-type]
    assert not list(cache.glob("*/about.json"))
    assert len(Tokens(lambda: load_tokenizer(model), tokenizer_identity(model), 128).rows(TASK, table)) == 10


def test_joining_keeps_order_and_what_all_parts_have(model: Model, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(model)
    tables = [mini.rows("mini_nli", "dev", language).slice(0, 20) for language in ("de", "tr")]
    one, two = (tokenise(TASK, table, tokenizer, 64) for table in tables)
    both = join([one, two])
    assert len(both) == 40
    write([both], tmp_path / "both")
    assert same(read(tmp_path / "both"), both)
    for row in (0, 19, 20, 39):
        part, own = (one, row) if row < 20 else (two, row - 20)
        np.testing.assert_array_equal(
            both.tokens[both.places(np.array([row]))], part.tokens[part.places(np.array([own]))]
        )
    np.testing.assert_array_equal(both.labels, np.concatenate([one.labels, two.labels]))
