"""What the forecast counts by, without weights. That its tokens are the ledger's: ``tests/search/test_matrix_search.py``."""

from pathlib import Path

import pytest

from xit_ray.core import flops
from xit_ray.core.network import Network
from xit_ray.spec.recipe import Model


@pytest.mark.parametrize("frozen", [{}, {"frozen": ()}, {"frozen_layers": 1}])
@pytest.mark.parametrize("family", ["tiny_encoder", "tiny_bert", "tiny_modernbert", "tiny_mdeberta"])
def test_sizes_are_known_without_weights(
    family: str, frozen: dict[str, object], request: pytest.FixtureRequest
) -> None:
    model = Model.model_validate({"name": str(request.getfixturevalue(family)), **frozen})
    network = Network(model, [], 0)
    assert flops.sizes(model) == flops.sizes_of(network.encoder.body, network.encoder.width)


def test_a_meter_counts_as_the_forecast_does(tiny_encoder: Path) -> None:
    sizes = flops.sizes(Model(name=str(tiny_encoder)))
    assert sizes.weights == sizes.trained  # word embeddings are not counted
    forward, both = sizes.flops(10, 30, backward=False), sizes.flops(10, 30, backward=True)
    assert forward == 2 * (sizes.weights * 10 + 2 * sizes.layers * sizes.width * 30)
    assert both == pytest.approx(3 * forward)
