"""The forecast against the ledger, by hand."""

import pytest

from xit_ray.core.cost import Cost
from xit_ray.plan.accuracy import accuracy
from xit_ray.plan.forecast import Forecast
from xit_ray.plan.workload import Throughput, Workload


def cost(tokens: int, seconds: float) -> Cost:
    return Cost(seconds=seconds, device_seconds=seconds, tokens=tokens)


FORECAST = Forecast(1, {"a": Workload(100, 50.0, 10.0), "b": Workload(40, 0.0, 20.0)}, {"t": ["a", "b"]}, {})
SPEED = Throughput(training=10.0, scoring=5.0, start=1.0)


def test_sums_are_over_what_was_both_forecast_and_done() -> None:
    found = accuracy(FORECAST, {"a": cost(100, 10.0), "other": cost(7, 3.0)}, SPEED)
    assert found is not None
    assert ([piece.key for piece in found.pieces], found.tokens) == (["a"], (100, 100))
    assert found.device_seconds == (1.0 + 5.0 + 2.0, 10.0)
    assert found.in_words() == (
        "Forecast against ledger, 1 piece of work: tokens exact; device-seconds 8 against 10, -20.0% off."
    )


def test_without_a_measured_speed_only_tokens_are_compared() -> None:
    found = accuracy(FORECAST, {"a": cost(100, 10.0), "b": cost(50, 4.0)}, None)
    assert found is not None
    assert found.device_seconds is None
    # 80 FLOPs in 14 s: a's 60 would take 10.5 s of them, b's 20 the other 3.5.
    assert [piece.forecast_seconds for piece in found.pieces] == pytest.approx([10.5, 3.5])
    assert found.as_table().column("device_seconds").to_pylist() == [10.0, 4.0]
    assert found.in_words() == "Forecast against ledger, 2 pieces of work: tokens -6.7% off."


def test_where_nothing_was_done_there_is_nothing_to_say() -> None:
    assert accuracy(FORECAST, {"other": cost(1, 1.0)}, SPEED) is None


def test_pieces_without_tokens_have_no_error() -> None:
    found = accuracy(FORECAST, {"a": cost(0, 0.0)}, None)
    assert found is not None
    assert "none measured" in found.in_words()
