"""Encoders of many architectures, tiny and random: packed or padded, they give what the plain padded model gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import CONFIG_MAPPING, AutoModel

from xit_ray.core.architectures import depth
from xit_ray.core.device import Device, best_device
from xit_ray.core.encoder import Encoder
from xit_ray.core.evaluate import embed
from xit_ray.core.flops import sizes
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.data.encode import from_sequences
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model
from xit_ray.testing.encoders import SHAPE, VOCABULARY, tiny_tokenizer

BERT: dict[str, Any] = {"vocab_size": VOCABULARY, "pad_token_id": 1, **SHAPE}
GROUPED = {**BERT, "num_key_value_heads": 1, "head_dim": 16}
T5 = {
    "vocab_size": VOCABULARY,
    "d_model": 32,
    "d_kv": 16,
    "d_ff": 64,
    "num_layers": 2,
    "num_heads": 2,
    "pad_token_id": 1,
}
PACKED: dict[str, dict[str, Any]] = {
    "xlm-roberta": BERT,
    "xlm-roberta-xl": BERT,
    "bert": BERT,
    "electra": {**BERT, "embedding_size": 16},
    "albert": {**BERT, "embedding_size": 16},
    "distilbert": {
        "vocab_size": VOCABULARY, "dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "pad_token_id": 1
    },
    "modernbert": {**BERT, "cls_token_id": 0, "sep_token_id": 2, "local_attention": 8},
    "eurobert": GROUPED,
    "nomic_bert": BERT,
    "jina_embeddings_v3": BERT,
    "xmod": {**BERT, "languages": ["en_XX", "de_DE"], "default_language": "en_XX"},
    "qwen3": GROUPED,
    "llama": {**BERT, "num_key_value_heads": 1},
    "mistral": {**BERT, "num_key_value_heads": 1, "sliding_window": 8},
    "gemma3_text": {**GROUPED, "sliding_window": 8},
}  # fmt: skip
PADDED: dict[str, dict[str, Any]] = {
    "deberta-v2": BERT,
    "rembert": {**BERT, "input_embedding_size": 16},
    "mpnet": BERT,
    "mt5": T5,
    "umt5": T5,
    "gemma2": GROUPED,  # its scores are capped
    "mobilebert": BERT,  # its embeddings look at neighbours
}
REFUSED = {
    "xlm": {"vocab_size": VOCABULARY, "emb_dim": 32, "n_layers": 2, "n_heads": 2, "pad_token_id": 1},
    "canine": {name: value for name, value in BERT.items() if name != "vocab_size"},
}
SEQUENCES = [np.random.default_rng(0).integers(5, VOCABULARY, length) for length in (31, 4, 17, 9, 40, 3)]


def written(family: str, settings: dict[str, Any], folder: Path) -> Model:
    torch.manual_seed(0)
    AutoModel.from_config(CONFIG_MAPPING[family](**settings)).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return Model(name=str(folder), frozen=(), max_length=100)


def plainly(folder: str) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean-pooled vectors of the padded model with transformers' own attention, and the gradients of their sum."""
    body = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    if body.config.is_encoder_decoder:
        body = body.get_encoder()
    longest = max(map(len, SEQUENCES))
    ids = torch.full((len(SEQUENCES), longest), 1)
    mask = torch.zeros_like(ids)
    for row, sequence in enumerate(SEQUENCES):
        ids[row, : len(sequence)], mask[row, : len(sequence)] = torch.from_numpy(sequence), 1
    hidden = body(input_ids=ids, attention_mask=mask).last_hidden_state
    pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    pooled.pow(2).sum().backward()
    return pooled.detach(), {name: p.grad for name, p in body.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("family", [*PACKED, *PADDED])
def test_vectors_and_gradients_are_the_padded_models(family: str, tmp_path: Path) -> None:
    model = written(family, (PACKED | PADDED)[family], tmp_path)
    encoder = Encoder(model).eval()
    assert encoder.layout == ("rows" if family in PACKED else "padded")
    pooled = encoder.pooled(encoder.pack(from_sequences(SEQUENCES)))
    pooled.pow(2).sum().backward()
    wanted, gradients = plainly(model.name)
    assert torch.allclose(pooled, wanted, atol=1e-5)
    ours = {name: p.grad for name, p in encoder.body.named_parameters() if p.grad is not None}
    assert set(ours) >= set(gradients)
    for name, gradient in gradients.items():
        assert torch.allclose(ours[name], gradient, rtol=1e-3, atol=2e-4 * float(gradient.abs().max() + 1e-3)), name


@pytest.mark.parametrize("family", [*PACKED, *PADDED])
def test_scoring_in_this_machines_dtype_is_about_the_same(family: str, tmp_path: Path) -> None:
    model = written(family, (PACKED | PADDED)[family], tmp_path)
    rows, vectors = from_sequences(SEQUENCES), []
    for device in (Device(torch.device("cpu"), torch.float32), best_device()):
        network = Network(model, [], 0).settle(device)
        vectors.append(embed(network, rows, Meter(device)))
    assert np.abs(vectors[0] - vectors[1]).max() < 0.05 * np.abs(vectors[0]).max()


@pytest.mark.parametrize("family", [*PACKED, *PADDED])
def test_parts_are_where_freezing_and_rates_look_for_them(family: str, tmp_path: Path) -> None:
    model = written(family, (PACKED | PADDED)[family], tmp_path).model_copy(update={"frozen": ("word_embeddings",)})
    encoder = Encoder(model)
    words = encoder.body.get_input_embeddings().weight
    assert not words.requires_grad
    names = {id(p): f"encoder.body.{name}" for name, p in encoder.body.named_parameters()}
    depths = {name: depth(name, len(encoder.layers)) for name in names.values()}
    assert depths[names[id(words)]] == 0
    for number, layer in enumerate(encoder.layers, 1):
        assert {depths[names[id(p)]] for p in layer.parameters()} == {number}
    counted = sizes(model)
    assert counted.layers == len(encoder.layers)
    assert 0 < counted.trained <= counted.weights


@pytest.mark.parametrize("family", REFUSED)
def test_what_is_of_no_known_form_is_one_line(family: str, tmp_path: Path) -> None:
    model = written(family, REFUSED[family], tmp_path)
    with pytest.raises(UserError, match=rf"^model\.name: .*{family}"):
        Encoder(model)
