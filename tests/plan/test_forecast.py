"""The plan before and after: tokens are exact, sharing and schedules are worked out by hand, prices are checked."""

from pathlib import Path

import pytest

from tests.search.searching import easy_data, search, table, write_space
from xit_ray.core import flops
from xit_ray.core.network import Network
from xit_ray.data.source import Source
from xit_ray.plan.forecast import Forecast, Forecaster
from xit_ray.plan.planner import Planner
from xit_ray.plan.prices import load_prices
from xit_ray.plan.schedule import simulate
from xit_ray.plan.trie import in_good_order, trie
from xit_ray.plan.workload import Throughput, Workload
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.recipe import Model

FAST = {"head_learning_rate": 1e-2, "batch_size": 16, "evaluations": 2}
MIXED = {"members": ["qqp", "mini_paraphrase"], "sampling": "uniform", "batches": "mixed"}


@pytest.mark.parametrize("frozen", [{}, {"frozen": ()}, {"frozen_layers": 1}])
@pytest.mark.parametrize("family", ["tiny_encoder", "tiny_bert", "tiny_modernbert", "tiny_mdeberta"])
def test_sizes_are_known_without_weights(
    family: str, frozen: dict[str, object], request: pytest.FixtureRequest
) -> None:
    model = Model.model_validate({"name": str(request.getfixturevalue(family)), **frozen})
    network = Network(model, [], 0)
    assert flops.sizes(model) == flops.sizes_of(network.encoder.body, network.encoder.width)


def test_forecast_tokens_are_those_of_the_ledger(tiny_encoder: Path, tmp_path: Path) -> None:
    stages = [{"mixture": {"grid": [None, "qqp", MIXED]}, **FAST}, {"mixture": "pawsx", "epochs": 1.5, **FAST}]
    also = {"embedding_tests": ["mini_retrieval"], "languages": ["en", "de", "zh"], "untrained": True}
    space = write_space(tmp_path, tiny_encoder, stages, zero_shot=also)
    data = easy_data(tmp_path / "data")
    ended = search(str(space), "--output", str(tmp_path / "runs"), "--data", str(data))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Forecast against ledger, 8 pieces of work: tokens exact" in ended.stdout
    planner = Planner(load_space(space), Source("folder", data), "")
    trials = [planner.trial(recipe) for recipe in listed_recipes(planner.space)]
    forecast = Forecaster(planner).of(trials)
    run = tmp_path / "runs" / "tiny"
    ledger = table(run, "ledger")
    assert len(ledger) == 5
    assert sorted(row["tokens"] for row in ledger) == sorted(
        forecast.pieces[key].tokens for key in {training.key for trial in trials for training in trial.trainings}
    )
    for row in ledger:
        assert any(row["flops"] == pytest.approx(load.flops, rel=1e-6) for load in forecast.pieces.values())


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


def test_what_most_wait_for_comes_first(tiny_encoder: Path, tmp_path: Path) -> None:
    long, short = {"task": "mini_nli", "examples": 640}, {"task": "mini_nli", "examples": 32}
    targets = [{"task": "mini_paraphrase", "examples": count} for count in (32, 48, 64)]
    stages = [{"mixture": {"grid": [short, None, long]}}, {"mixture": {"grid": targets}}]
    planner = Planner(load_space(write_space(tmp_path, tiny_encoder, stages)), Source("none"), "")
    trials = [planner.trial(recipe) for recipe in listed_recipes(planner.space)]
    order = [trial.cell.intermediate for trial in in_good_order(trials, trie(trials))]
    # Every stage's first trial before any second one; the long stage, for which most steps wait, before all others.
    assert order[:2] == ["mini_nli#640", "mini_nli#32"]
    assert order[5:7] == ["mini_nli#640", "mini_nli#32"]


def test_short_trials_come_last_so_that_all_workers_end_together(tiny_encoder: Path, tmp_path: Path) -> None:
    stages = [{"mixture": "mini_nli"}, {"mixture": "mini_paraphrase", "epochs": {"grid": [1, 2, 3, 4, 5]}}]
    planner = Planner(load_space(write_space(tmp_path, tiny_encoder, stages)), Source("none"), "")
    trials = [planner.trial(recipe) for recipe in listed_recipes(planner.space)]
    order = in_good_order(trials, trie(trials))
    assert [trial.recipe.stages[-1].epochs for trial in order] == [5, 4, 3, 2, 1]


def test_money_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    text = "dated: 2026-01-01\nuse: 0.5\ninstances:\n  a: {gpu: X, gpus: 4, peak_tflops: 100, usd_hour: 8}\n"
    file.write_text(text)
    prices = load_prices(file)
    load = Workload(0, 3.6e17, 0.0)  # 2 GPU-hours at 50 TFLOP/s
    assert prices.gpu_hours("a", load) == pytest.approx(2.0)
    assert prices.usd("a", load) == pytest.approx(4.0)
    file.write_text(text.replace("use: 0.5", "use: 2"))
    with pytest.raises(UserError, match=r"prices\.yaml: use: Input should be less than or equal to 1"):
        load_prices(file)
    assert load_prices().instances


def test_a_meter_counts_as_the_forecast_does(tiny_encoder: Path) -> None:
    sizes = flops.sizes(Model(name=str(tiny_encoder)))
    assert sizes.weights == sizes.trained  # word embeddings are not counted
    forward, both = sizes.flops(10, 30, backward=False), sizes.flops(10, 30, backward=True)
    assert forward == 2 * (sizes.weights * 10 + 2 * sizes.layers * sizes.width * 30)
    assert both == pytest.approx(3 * forward)
