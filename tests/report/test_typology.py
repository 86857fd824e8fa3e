"""Distances by hand from the atlas's own values, and gains by group."""

import pytest

from xit_ray.report.typology import by_distance, distance


@pytest.mark.parametrize(
    ("language", "source", "wanted"),
    [
        ("en", "en", 0.0),
        ("bg", "en", 0.0),  # Bulgarian has every one of these orders as English does
        ("es", "en", 2 / 6),  # genitives and adjectives follow the noun
        ("ja", "en", 4 / 6),  # verb last, postpositions, genitives and relative clauses first
        ("ja", "ko", 0.0),
        ("hi", "en", 3 / 5),  # the atlas has no value for relative clauses
        ("qu", "en", None),
    ],
)
def test_distance(language: str, source: str, wanted: float | None) -> None:
    found = distance(language, source)
    assert found == (None if wanted is None else pytest.approx(wanted))
    assert found == distance(source, language)


def test_gains_by_group() -> None:
    baseline = dict.fromkeys(("en", "bg", "es", "hi", "ja", "tr", "qu"), 0.5)
    scores = {"en": 0.9, "bg": 0.6, "es": 0.55, "hi": 0.52, "ja": 0.5, "tr": 0.4, "qu": 0.9}
    found = by_distance("mnli", "xnli", scores, baseline)
    assert found is not None
    assert found.means == [pytest.approx(0.1), pytest.approx((0.05 + 0.02) / 2), pytest.approx((0.0 - 0.1) / 2)]
    assert found.correlation is not None
    assert found.correlation < -0.9
    assert by_distance("mnli", "xnli", {"bg": 0.6, "es": 0.5}, baseline) is None
    flat = by_distance("mnli", "xnli", baseline, baseline)
    assert flat is not None
    assert flat.correlation is None
