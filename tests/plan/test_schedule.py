"""The simulated search: by hand, and within the bounds that hold for every schedule."""

import pytest

from tests.seed import rng
from xit_ray.plan.forecast import Forecast
from xit_ray.plan.schedule import simulate
from xit_ray.plan.workload import Throughput, Workload


def made(pieces: dict[str, float], needed: dict[str, list[str]]) -> Forecast:
    return Forecast(len(needed), {key: Workload(0, seconds, 0.0) for key, seconds in pieces.items()}, needed, {})


def test_a_schedule_by_hand() -> None:
    """Two trials share a stage of 4 s; a third has none. On two workers the first trains it while the third goes on."""
    forecast = made({"i": 4, "a": 2, "b": 2, "c": 3}, {"x": ["i", "a"], "y": ["i", "b"], "z": ["c"]})
    speed = Throughput(1.0, 1.0)
    seconds = {key: speed.seconds(load) for key, load in forecast.pieces.items()}
    two = simulate(forecast, seconds.__getitem__, 2, ["x", "y", "z"])
    assert (two.seconds, two.busy) == (6.0, pytest.approx(11 / 12))
    one = simulate(forecast, seconds.__getitem__, 1, ["x", "y", "z"])
    assert (one.seconds, one.busy) == (11.0, 1.0)
    assert (forecast.shared.trained_flops, forecast.alone.trained_flops) == (11, 15)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_no_schedule_beats_its_longest_chain_or_its_work(workers: int) -> None:
    chance = rng(f"schedule {workers}")
    for _ in range(50):
        firsts = {f"i{number}": chance.uniform(1, 9) for number in range(chance.randint(1, 4))}
        trials = {f"t{number}": [chance.choice(list(firsts)), f"p{number}"] for number in range(chance.randint(1, 9))}
        pieces = firsts | {f"p{number}": chance.uniform(1, 9) for number in range(len(trials))}
        used = {piece for needed in trials.values() for piece in needed}
        simulated = simulate(made(pieces, trials), pieces.__getitem__, workers, list(trials))
        work = sum(pieces[piece] for piece in used)
        longest = max(sum(pieces[piece] for piece in needed) for needed in trials.values())
        assert simulated.seconds >= max(longest, work / workers) - 1e-9
        assert simulated.seconds <= work + 1e-9  # some worker is always busy
        assert simulated.busy == pytest.approx(work / (simulated.seconds * workers))


def test_nothing_to_do_takes_no_time() -> None:
    """Everything is in the store."""
    simulated = simulate(made({"a": 0}, {"x": ["a"]}), lambda piece: 0.0, 2, ["x"])
    assert (simulated.seconds, simulated.busy) == (0.0, 1.0)
