"""Scoring in bfloat16 with weights prepared for the CPU's kernels gives what the plain layers give."""

from pathlib import Path

import numpy as np
import pytest
import torch

from xit_ray.core.device import Device
from xit_ray.core.evaluate import embed
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.prepacked import prepacked
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import mini
from xit_ray.data.tokenise import encode_texts
from xit_ray.spec.recipe import Model

BF16 = Device(torch.device("cpu"), torch.bfloat16)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this PyTorch has no oneDNN")
@pytest.mark.parametrize("family", ["tiny_encoder", "tiny_modernbert", "tiny_mdeberta"])
def test_prepared_weights_change_nothing_but_rounding(family: str, request: pytest.FixtureRequest) -> None:
    model = Model(name=str(request.getfixturevalue(family)))
    texts = mini.rows("mini_retrieval", "test", "de").column("text_a").to_pylist()
    encoded = encode_texts(texts, load_tokenizer(model), 128)
    exact = embed(Network(model, [], 0), encoded, Meter(Device(torch.device("cpu"), torch.float32)))
    network = Network(model, [], 0).settle(BF16)
    found = embed(network, encoded, Meter(BF16))
    with torch.no_grad():
        plain = network.encoder.pooled(network.encoder.pack(encoded)).numpy()
    error, usual = np.abs(found - exact).max(), np.abs(plain - exact).max()
    assert 0 < error < 2 * usual
    assert not any("forward" in vars(module) for module in network.modules())


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this PyTorch has no oneDNN")
def test_prepared_weights_are_used_only_in_bfloat16(tiny_encoder: Path) -> None:
    network = Network(Model(name=str(tiny_encoder)), [], 0)
    for device, used in ((Device(torch.device("cpu"), torch.float32), False), (BF16, True)):
        with prepacked(network.settle(device).encoder, device):
            assert any("forward" in vars(module) for module in network.modules()) == used
