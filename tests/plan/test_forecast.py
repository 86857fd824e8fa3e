"""The forecast before and after: tokens are exactly those of the ledger."""

from pathlib import Path

import pytest

from tests.search.searching import easy_data, search, table, write_space
from xit_ray.core import flops
from xit_ray.core.network import Network
from xit_ray.data.source import Source
from xit_ray.plan.forecast import Forecaster
from xit_ray.plan.planner import Planner
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


def test_a_meter_counts_as_the_forecast_does(tiny_encoder: Path) -> None:
    sizes = flops.sizes(Model(name=str(tiny_encoder)))
    assert sizes.weights == sizes.trained  # word embeddings are not counted
    forward, both = sizes.flops(10, 30, backward=False), sizes.flops(10, 30, backward=True)
    assert forward == 2 * (sizes.weights * 10 + 2 * sizes.layers * sizes.width * 30)
    assert both == pytest.approx(3 * forward)
