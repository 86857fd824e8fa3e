"""Rows to tokens: nothing is lost, what is cut is counted, and answers come back as the characters they were."""

import numpy as np
import pyarrow as pa
import pytest

from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import mini
from xit_ray.data.encode import NO_LABEL
from xit_ray.data.kinds import data_kind, tokenise
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model
from xit_ray.tasks import registry


@pytest.fixture(params=["tiny_encoder", "tiny_bert"])
def tokenizer(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    return load_tokenizer(Model(name=str(request.getfixturevalue(request.param))))


def schema_of(task: str) -> pa.Schema:
    return pa.schema(list(data_kind(registry.get(task)).schema.items()))


def tagged(words: list[str], tags: list[int]) -> pa.Table:
    return pa.table({"tokens": [words], "tags": [tags]}, schema=schema_of("mini_roles"))


def test_every_word_of_a_long_sentence_keeps_its_tag(tokenizer) -> None:  # type: ignore[no-untyped-def]
    table = mini.rows("mini_roles", "test", "de")
    words = [word for row in table.column("tokens").to_pylist() for word in row]
    tags = [tag for row in table.column("tags").to_pylist() for tag in row]
    encoded = tokenise(registry.get("mini_roles"), tagged(words, tags), tokenizer, 32)
    assert len(encoded) == 1
    assert len(encoded.sizes) > 50
    assert encoded.sizes.max() <= 32
    assert encoded.labels is not None
    assert encoded.labels[encoded.labels != NO_LABEL].tolist() == tags
    assert encoded.truncated == 0


def test_words_without_tokens_and_overlong_words_keep_their_tags(tokenizer) -> None:  # type: ignore[no-untyped-def]
    words = ["das", "\ufe0f", "x" * 200, "", "Haus"]
    encoded = tokenise(registry.get("mini_roles"), tagged(words, [0, 1, 2, 3, 4]), tokenizer, 32)
    assert encoded.labels is not None
    assert encoded.labels[encoded.labels != NO_LABEL].tolist() == [0, 1, 2, 3, 4]
    assert encoded.truncated == 1


@pytest.mark.parametrize("language", sorted(mini.LANGUAGES))
@pytest.mark.parametrize("max_length", [64, 200])
def test_answers_come_back_as_their_characters(tokenizer, language: str, max_length: int) -> None:  # type: ignore[no-untyped-def]
    table = mini.rows("mini_qa", "test", language).slice(0, 40)
    encoded = tokenise(registry.get("mini_qa"), table, tokenizer, max_length)
    assert encoded.labels is not None
    assert encoded.offsets is not None
    assert encoded.sizes.max() <= max_length
    found = 0
    for row, (context, answers) in enumerate(
        zip(*(table.column(c).to_pylist() for c in ("context", "answers")), strict=True)
    ):
        for window in range(encoded.rows[row], encoded.rows[row + 1]):
            first, last = encoded.labels[window]
            if last:
                places = encoded.offsets[encoded.starts[window] :]
                text = context[places[first, 0] : places[last, 1]].strip()
                assert answers[0]["text"] in text
                # A token may be longer than an answer that ends inside it, never by more than a word's rest.
                assert len(text) <= len(answers[0]["text"]) + 8
                found += 1
    assert found >= 30


def test_windows_of_a_context_cover_it_with_overlap(tokenizer) -> None:  # type: ignore[no-untyped-def]
    context = " ".join(f"word{i}" for i in range(100))
    row = {"id": "1", "question": "which?", "context": context, "answers": []}
    table = pa.Table.from_pylist([row], schema=schema_of("squad"))
    encoded = tokenise(registry.get("squad_v2"), table, tokenizer, 60)
    assert encoded.offsets is not None
    assert encoded.labels is not None
    assert not encoded.labels.any()
    inside = encoded.offsets[encoded.offsets[:, 0] >= 0]
    covered = np.zeros(len(context), dtype=int)
    for begin, end in inside:
        covered[begin:end] += 1
    assert all(covered[i] for i, char in enumerate(context) if char != " ")
    assert covered.max() > 1


def test_a_long_question_leaves_room_and_is_counted(tokenizer) -> None:  # type: ignore[no-untyped-def]
    row = {
        "id": "1",
        "question": "why " * 100,
        "context": "because " * 50,
        "answers": [{"text": "because", "start": 0}],
    }
    table = pa.Table.from_pylist([row], schema=schema_of("squad"))
    encoded = tokenise(registry.get("squad"), table, tokenizer, 60)
    assert encoded.truncated == 1
    assert encoded.sizes.max() <= 60


def test_options_are_sequences_of_one_row(tokenizer) -> None:  # type: ignore[no-untyped-def]
    rows = [
        {"text": "a b c", "options": ["one", "two"], "label": 1},
        {"text": "d", "options": ["three", "four", "five " * 40], "label": 0},
    ]
    table = pa.Table.from_pylist(rows, schema=schema_of("copa"))
    encoded = tokenise(registry.get("copa"), table, tokenizer, 30)
    assert np.diff(encoded.rows).tolist() == [2, 3]
    assert encoded.truncated == 1
    taken = encoded.take(np.array([1, 0]))
    assert np.diff(taken.rows).tolist() == [3, 2]
    assert taken.labels is not None
    assert taken.labels.tolist() == [0, 1]
    assert taken.lengths.tolist() == encoded.lengths[[1, 0]].tolist()


def test_single_texts_and_pairs_do_not_mix(tokenizer) -> None:  # type: ignore[no-untyped-def]
    schema = schema_of("qqp")
    single = pa.table({"text_a": ["a", "b"], "text_b": [None, None], "label": [0, 1]}, schema=schema)
    assert len(tokenise(registry.get("qqp"), single, tokenizer, 30)) == 2
    mixed = pa.table({"text_a": ["a", "b"], "text_b": [None, "c"], "label": [0, 1]}, schema=schema)
    with pytest.raises(UserError, match="some rows have one and some have none"):
        tokenise(registry.get("qqp"), mixed, tokenizer, 30)


def test_long_texts_for_masked_lm_are_cut_into_pieces(tokenizer) -> None:  # type: ignore[no-untyped-def]
    text = " ".join(mini.rows("mini_nli", "test", "en").column("text_a").to_pylist())
    encoded = tokenise(registry.get("masked_lm/mini_nli"), pa.table({"text": [text, "kurz"]}), tokenizer, 40)
    assert len(encoded) == 2
    assert len(encoded.sizes) > 20
    assert encoded.truncated == 0
    assert encoded.words is not None
    whole = tokenizer(text, add_special_tokens=False)["input_ids"]
    first = encoded.take(np.array([0]))
    assert first.words is not None
    assert first.tokens[first.words >= 0].tolist() == whole
