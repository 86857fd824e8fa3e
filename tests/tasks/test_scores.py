"""Every metric against an independent reference: a library, a brute-force reading of its definition, or worked cases."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from seqeval.metrics import f1_score as seqeval_f1
from sklearn.metrics import f1_score

from xit_ray.tasks.scores.answers import answer_scores, at_best_threshold, mlqa_words, squad_words
from xit_ray.tasks.scores.chunks import repaired, span_f1, spans
from xit_ray.tasks.scores.measures import MEASURES, correlations, f1_of_class, f1_of_labels, mean_of, ratio_of
from xit_ray.tasks.scores.ranked import average_precision
from xit_ray.tasks.suites import SUITES, XTREME

NER = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
POS = ("NOUN", "VERB", "SCONJ", "CCONJ", "INTJ", "X", "SYM", "ADJ")
sentences = st.lists(st.lists(st.sampled_from(range(7)), min_size=1, max_size=9), min_size=1, max_size=6)


def twins(tags: tuple[str, ...], rows: list[list[int]], seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """Gold sentences and predictions that differ in some words."""
    rng = np.random.default_rng(seed)
    gold = [[tags[i % len(tags)] for i in row] for row in rows]
    return gold, [[tag if rng.random() < 0.7 else str(rng.choice(tags)) for tag in row] for row in gold]


@given(sentences, st.integers(0, 1000))
def test_entity_f1_is_seqevals(rows: list[list[int]], seed: int) -> None:
    gold, said = twins(NER, rows, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns where a score has nothing to count
        assert span_f1(gold, said).value == pytest.approx(seqeval_f1(gold, said))


def runs(tags: list[str]) -> set[tuple[str, int, int]]:
    """Maximal runs of equal tags; those that begin with S stand alone."""
    found, begin = set(), 0
    for place in range(1, len(tags) + 1):
        if place == len(tags) or tags[place] != tags[begin] or tags[begin].startswith("S"):
            found.add((tags[begin], begin, place - 1))
            begin = place
    return found


@given(st.lists(st.sampled_from(POS), min_size=1, max_size=12))
def test_spans_of_tags_without_prefix_are_runs(tags: list[str]) -> None:
    assert spans(tags) == runs(tags)


def test_spans_as_conlleval_reads_them() -> None:
    assert spans(["O", "I-PER", "I-PER", "I-LOC", "B-LOC", "I-LOC"]) == {("PER", 1, 2), ("LOC", 3, 3), ("LOC", 4, 5)}
    assert spans(["NOUN", "NOUN", "VERB", "NOUN"]) == {("NOUN", 0, 1), ("VERB", 2, 2), ("NOUN", 3, 3)}
    assert len(spans(["SCONJ", "SCONJ", "SYM", "SYM"])) == 4
    assert repaired(["I-PER", "I-PER", "O", "I-LOC", "B-LOC", "I-PER"]) == 3


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_pair_f1_is_sklearns(pairs: list[tuple[bool, bool]]) -> None:
    gold, said = (np.asarray(side) for side in zip(*pairs, strict=True))
    assert f1_of_class(gold, said).value == pytest.approx(f1_score(gold, said, zero_division=0.0))


def test_interval_agrees_with_scipy() -> None:
    rng = np.random.default_rng(0)
    items = ratio_of(2.0 * (rng.random(300) < 0.4), 1.0 + (rng.random(300) < 0.5))
    low, high = items.interval()
    wanted = stats.bootstrap(
        tuple(items.parts.T),
        lambda points, out_of, axis: points.sum(axis) / out_of.sum(axis),
        paired=True,
        method="percentile",
        n_resamples=2000,
        rng=1,
    ).confidence_interval
    assert (low, high) == pytest.approx((wanted.low, wanted.high), abs=0.02)
    with pytest.raises(ValueError, match="no items"):
        _ = mean_of(np.empty(0)).value


@pytest.mark.parametrize(
    ("said", "gold", "exact", "f1"),
    [
        ("the Broncos", ["Broncos"], 1, 1),  # articles go
        ("Denver Broncos!", ["Broncos", "the Denver Broncos"], 1, 1),  # punctuation goes; the closest answer counts
        ("a cat and a cat", ["cat"], 0, 0.5),  # cat and cat against cat: precision 1/3, recall 1
        ("", ["x"], 0, 0),
        ("", [], 1, 1),
        ("x", [], 0, 0),
        ("une étoile", ["étoile"], 0, 2 / 3),  # only English articles go
        ("北京 市", ["北京市"], 0, 0),  # words are what stands between spaces
    ],
)
def test_squad_by_hand(said: str, gold: list[str], exact: float, f1: float) -> None:
    scores = answer_scores([said], [gold], squad_words)
    assert scores["exact_match"].value == exact
    assert scores["f1"].value == pytest.approx(f1)


@pytest.mark.parametrize(
    ("language", "said", "gold", "exact", "f1"),
    [
        ("de", "in der Stadt", "in die Stadt", 1, 1),
        ("es", "la casa de los padres", "casa de padres", 1, 1),
        ("vi", "của chiếc xe", "xe", 1, 1),
        ("ar", "الكتاب", "كتاب", 1, 1),
        ("zh", "北京市。", "北京", 0, 0.8),  # characters are words: 2 of 3 and 2 of 2
        ("zh", "2008年 Beijing", "2008年Beijing", 1, 1),
        ("hi", "«घर»", "घर", 1, 1),  # Unicode punctuation goes
        ("en", "an apple", "apple", 1, 1),
    ],
)
def test_mlqa_by_hand(language: str, said: str, gold: str, exact: float, f1: float) -> None:
    scores = answer_scores([said], [[gold]], mlqa_words(language))
    assert scores["exact_match"].value == exact
    assert scores["f1"].value == pytest.approx(f1)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(-3, 3), st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_threshold_for_no_answer_against_all_thresholds(questions: list[tuple[float, int, bool, bool]]) -> None:
    """Ties, which are frequent here, fall on one side of a threshold together."""
    scores, nothing, answerable, empty = (np.asarray(side) for side in zip(*questions, strict=True))
    # An answer to a question without one scores nothing, unless it is empty; an empty one to another question neither.
    scores = np.where(answerable == empty, 0.0, np.where(answerable, scores, 1.0))
    found = at_best_threshold(scores, nothing.astype(float), answerable, empty)
    every = [nothing.min() - 1, *nothing]
    best = max(np.where(nothing > limit, ~answerable, scores).mean() for limit in every)
    assert found.value == pytest.approx(best)


def test_threshold_for_no_answer_is_reached_by_no_order_of_ties() -> None:
    """The official sum is 100 or 50 here, by the order of the file; every threshold gives 50."""
    for order in ([0, 1], [1, 0]):
        scores, answerable = np.asarray([1.0, 0.0])[order], np.asarray([True, False])[order]
        assert at_best_threshold(scores, np.asarray([0.5, 0.5]), answerable, np.zeros(2, bool)).value == 0.5


def test_an_empty_answer_goes_by_its_text_when_the_threshold_is_sought() -> None:
    """ "the" is nothing after normalisation and scores 1 where there is no answer; the official sum takes it for one."""
    scores, answerable = np.asarray([1.0, 0.5]), np.asarray([False, True])
    for empty, best in ((False, 0.5), (True, 0.75)):
        found = at_best_threshold(scores, np.asarray([0.0, 1.0]), answerable, np.asarray([empty, False]))
        assert found.value == best


def test_average_precision_by_hand() -> None:
    assert average_precision([True, False, True], 2) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert average_precision([False] * 19 + [True], 1) == pytest.approx(1 / 20)  # one relevant: the reciprocal rank
    assert average_precision([False] * 20 + [True], 1) == 0
    assert average_precision([True] * 20, 40) == 1  # only as many as could stand there count
    with pytest.raises(ValueError, match="without a relevant"):
        average_precision([False], 0)


def test_suites_are_xtremes() -> None:
    counts = {task: len(languages) for task, languages in XTREME.languages.items()}
    assert counts == {
        "xnli": 15, "pawsx": 7, "udpos": 33, "panx": 40, "xquad": 11, "mlqa": 7, "tydiqa": 9, "bucc2018": 4, "tatoeba": 36,
    }  # fmt: skip
    again = SUITES["xtreme-r"].languages
    assert {task: len(again[task]) for task in ("udpos", "panx", "xcopa", "lareqa", "mewslix", "tatoeba")} == {
        "udpos": 38, "panx": 48, "xcopa": 11, "lareqa": 11, "mewslix": 11, "tatoeba": 41,
    }  # fmt: skip
    assert len(again) == 10


def test_overall_score_of_the_paper() -> None:
    """XLM-R Large's row in the XTREME paper (Hu et al. 2020, table 1): nine task scores and their mean, 68.1."""
    tasks = {"xnli": 79.2, "pawsx": 86.4, "udpos": 72.6, "panx": 65.4, "bucc2018": 66.0, "tatoeba": 57.3}
    answers = {"xquad": (76.6, 60.8), "mlqa": (71.6, 53.2), "tydiqa": (65.1, 45.0)}
    found = {task: {lang: {"f1": v / 100} for lang in XTREME.languages[task]} for task, v in tasks.items()}
    for task, (f1, exact) in answers.items():
        found[task] = {lang: {"f1": f1 / 100, "exact_match": exact / 100} for lang in XTREME.languages[task]}
    scores = XTREME.scores(found)
    assert scores["overall"] == pytest.approx(0.681, abs=5e-4)
    assert scores["retrieval"] == pytest.approx((0.66 + 0.573) / 2)
    del found["tydiqa"]["te"]
    again = XTREME.scores(found)
    assert (again["tydiqa"], again["question answering"], again["overall"]) == (None, None, None)
    assert again["classification"] is not None


@given(st.integers(3, 40), st.integers(0, 5), st.integers(0, 10_000))
def test_correlations_are_scipys_however_often_items_count(count: int, levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    gold = rng.integers(levels + 2, size=count).astype(float)  # many ties
    said = gold + rng.normal(size=count)
    weights = rng.integers(3, size=count)
    rows = np.repeat(np.arange(count), weights)
    for name, reference in (("spearman", stats.spearmanr), ("pearson", stats.pearsonr)):
        score = correlations(gold, said)[name]
        for chosen, weighting in ((np.arange(count), np.ones(count)), (rows, weights)):
            if len(set(gold[chosen])) > 1 and len(set(said[chosen])) > 1:
                found = score.measure.values(score.parts, weighting[None])[0]
                assert found == pytest.approx(reference(gold[chosen], said[chosen]).statistic, abs=1e-9)


@given(st.integers(1, 40), st.integers(2, 6), st.integers(0, 10_000))  # sklearn reads one column otherwise
def test_f1_of_labels_is_sklearns(count: int, labels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    gold, said = rng.random((count, labels)) < 0.4, rng.random((count, labels)) < 0.4
    found = f1_of_labels(gold, said)
    assert found["f1_micro"].value == pytest.approx(f1_score(gold, said, average="micro", zero_division=0.0))
    there = (gold | said).any(axis=0)  # a label that is nowhere says nothing
    if there.sum() > 1:
        wanted = f1_score(gold[:, there], said[:, there], average="macro", zero_division=0.0)
        assert found["f1_macro"].value == pytest.approx(wanted)


@pytest.mark.parametrize("name", MEASURES)
def test_influence_is_the_error_that_a_bootstrap_finds(name: str) -> None:
    """The linear part of a score's error has the standard deviation that resampling shows."""
    rng = np.random.default_rng(0)
    gold = rng.normal(size=400)
    noisy = gold + rng.normal(size=400)
    decisions = rng.random((400, 3)) < 0.4
    scores = {**correlations(gold, noisy), **f1_of_labels(decisions, decisions ^ (rng.random((400, 3)) < 0.2))}
    score = {"ratio": scores["f1_micro"], "mean of ratios": scores["f1_macro"]}.get(name) or scores[name]
    assert score.measure.name == name
    assert score.influence.sum() == pytest.approx(0.0, abs=1e-9)
    low, high = score.interval()
    assert 2 * 1.96 * np.sqrt((score.influence**2).sum()) == pytest.approx(high - low, rel=0.12)
