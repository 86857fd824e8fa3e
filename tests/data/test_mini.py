"""The built-in suite: disjoint splits, parallel languages, labels that follow from the meanings, natural scripts."""

import random
import unicodedata
from collections import Counter

import pytest

from xit_ray.data import mini
from xit_ray.data.mini import nli, paraphrase
from xit_ray.data.mini.meaning import FUTURE, PAST, RIVALS, Meaning

SPLITS = ("train", "dev", "test")
SCRIPTS = {"ar": "ARABIC", "hi": "DEVANAGARI", "ru": "CYRILLIC", "zh": "CJK"}


def rows(task: str, split: str, language: str) -> list[dict[str, object]]:
    return list(mini.rows(task, split, language).to_pylist())


@pytest.mark.parametrize("task", ["mini_nli", "mini_paraphrase"])
def test_no_sentence_of_one_split_is_in_another(task: str) -> None:
    texts = {split: {r[side] for r in rows(task, split, "en") for side in ("text_a", "text_b")} for split in SPLITS}
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["dev"]
    assert not texts["dev"] & texts["test"]


@pytest.mark.parametrize("language", sorted(mini.LANGUAGES))
def test_languages_are_parallel_and_in_their_script(language: str) -> None:
    here, english = rows("mini_nli", "test", language), rows("mini_nli", "test", "en")
    assert [r["label"] for r in here] == [r["label"] for r in english]
    letters = Counter(unicodedata.name(c).split()[0] for r in here for c in str(r["text_a"]) if c.isalpha())
    assert letters.most_common(1)[0][0] == SCRIPTS.get(language, "LATIN")
    assert all(unicodedata.is_normalized("NFC", str(r["text_a"])) for r in here)


@pytest.mark.parametrize("language", sorted(mini.LANGUAGES))
def test_retrieval_has_one_answer(language: str) -> None:
    texts = [r["text_a"] for r in rows("mini_retrieval", "test", language)]
    assert len(set(texts)) == len(texts)


def test_labels_are_balanced_and_pairs_are_not_identical() -> None:
    for task, classes in (("mini_nli", 3), ("mini_paraphrase", 2)):
        found = rows(task, "train", "en")
        counts = Counter(r["label"] for r in found)
        assert len(counts) == classes
        assert max(counts.values()) - min(counts.values()) <= 1
        assert all(r["text_a"] != r["text_b"] for r in found)


def entails(a: Meaning, b: Meaning) -> bool:
    """Whether every detail and constituent of b is said by a, or more general in b (both affirmed)."""
    agent = b.agent in (a.agent, "someone")
    thing = b.object in (a.object, "something")
    details = all(getattr(b, d) in (None, getattr(a, d)) for d in ("quality", "place", "time"))
    return agent and thing and details and a.verb == b.verb and a.future == b.future


def excludes(a: Meaning, b: Meaning) -> bool:
    """Whether some part of b cannot be true of the event a tells of."""
    pairs = [(field, getattr(a, field), getattr(b, field)) for field in RIVALS]
    rival = any(x != y and any(x in g and y in g for g in RIVALS[field]) for field, x, y in pairs)
    return rival or (a.time in PAST and b.time in FUTURE) or (a.time in FUTURE and b.time in PAST)


@pytest.mark.parametrize("split", SPLITS)
def test_inference_labels_follow_from_the_meanings(split: str) -> None:
    rng = random.Random(1)
    for index in range(600):
        pair = nli.pair(rng, split, index)
        a, b = pair.a, pair.b
        if a.negative and b.negative:  # not-a says not-b where b says more than a
            label = nli.ENTAILMENT if entails(b, a) else nli.NEUTRAL
        elif a.negative or b.negative:
            denied, told = (a, b) if a.negative else (b, a)
            assert entails(told, denied)
            label = nli.CONTRADICTION
        elif entails(a, b):
            label = nli.ENTAILMENT
        else:
            label = nli.CONTRADICTION if excludes(a, b) else nli.NEUTRAL
        assert pair.label == label, (a, b)


def test_paraphrases_are_equal_meanings() -> None:
    rng = random.Random(1)
    for index in range(300):
        pair = paraphrase.pair(rng, "train", index)
        assert (pair.a == pair.b) == (pair.label == paraphrase.SAME)
        assert pair.a_fronted != pair.b_fronted


def test_shape_of_the_hypothesis_does_not_give_the_label_away() -> None:
    rng = random.Random(1)
    pairs = [nli.pair(rng, "train", index) for index in range(3000)]
    shapes = Counter(((p.b.negative, len(p.b.details), p.b.agent == "someone"), p.label) for p in pairs)
    guessed = sum(max(shapes[shape, label] for label in range(3)) for shape in {shape for shape, _ in shapes})
    assert guessed / len(pairs) < 0.40  # chance is 0.33


def test_sentences_read_as_written_by_hand() -> None:
    event = Meaning("grandmother", "buy", "lamp", "old", "station", "yesterday", negative=True)
    assert mini.say(event, "en") == "The grandmother did not buy the old lamp at the station yesterday."
    assert mini.say(event, "de") == "Die Großmutter hat die alte Lampe gestern am Bahnhof nicht gekauft."
    assert mini.say(event, "de", True) == "Gestern hat die Großmutter die alte Lampe am Bahnhof nicht gekauft."
    assert mini.say(event, "fr") == "La grand-mère n'a pas acheté la vieille lampe à la gare hier."
    assert mini.say(event, "ru") == "Бабушка не купила старую лампу на вокзале вчера."
    assert mini.say(event, "zh") == "奶奶昨天没有在车站买那盏旧灯。"
    assert mini.say(event, "hi") == "दादी ने कल स्टेशन पर पुराना लैंप नहीं ख़रीदा।"
    assert mini.say(event, "sw") == "Bibi hakununua taa ya zamani kituoni jana."
    assert mini.say(event, "tr", True) == "Dün büyükanne istasyonda eski lambayı satın almadı."
    assert mini.say(event, "ar") == "لم تشتر الجدة المصباح القديم في المحطة أمس."
