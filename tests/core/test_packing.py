"""Packed streams give what the padded model gives: hidden states and gradients, with and without token types."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel

from xit_ray.core.encoder import Encoder, load_tokenizer
from xit_ray.data import mini
from xit_ray.data.encode import Encoded, encode_pairs
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model


@pytest.fixture(params=["tiny_encoder", "tiny_bert"])
def model(request: pytest.FixtureRequest) -> Model:
    return Model(name=str(request.getfixturevalue(request.param)))


def some_rows(model: Model, count: int = 13) -> Encoded:
    return encode_pairs(mini.rows("mini_nli", "train", "de").slice(0, count), load_tokenizer(model), 128)


def padded(model: Model, encoded: Encoded) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """transformers' own eager model on a padded batch: the model, hidden states and mask."""
    reference = AutoModel.from_pretrained(model.name, attn_implementation="eager", add_pooling_layer=False).eval()
    length = int(encoded.lengths.max())
    ids = torch.ones(len(encoded), length, dtype=torch.long)
    mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, sequence in enumerate(encoded.ids):
        ids[row, : len(sequence)] = torch.from_numpy(sequence)
        mask[row, : len(sequence)] = 1
        if encoded.types is not None:
            types[row, : len(sequence)] = torch.from_numpy(encoded.types[row])
    extra = {"token_type_ids": types} if encoded.types is not None else {}
    hidden = reference(input_ids=ids, attention_mask=mask, **extra).last_hidden_state
    return reference, hidden, mask


def test_outputs_and_gradients_equal_the_padded_model(model: Model) -> None:
    encoded = some_rows(model)
    reference, hidden, mask = padded(model, encoded)
    wanted = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    encoder = Encoder(model).eval()
    found = encoder.pooled(encoder.pack(encoded, list(range(len(encoded)))))
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    weights = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(0))
    (found * weights).sum().backward()
    (wanted * weights).sum().backward()
    for (name, ours), theirs in zip(encoder.body.named_parameters(), reference.parameters(), strict=True):
        if ours.requires_grad:
            torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def test_token_types_reach_the_encoder(tiny_bert: Path) -> None:
    model = Model(name=str(tiny_bert))
    encoded = some_rows(model, 1)
    assert encoded.types is not None
    assert set(np.unique(encoded.types[0])) == {0, 1}
    encoder = Encoder(model).eval()
    with_types = encoder.pooled(encoder.pack(encoded, [0]))
    without = encoder.pooled(encoder.pack(Encoded(encoded.ids, None, encoded.labels, 0), [0]))
    assert not torch.allclose(with_types, without)


def test_a_sequence_does_not_see_its_neighbours(model: Model) -> None:
    encoded = some_rows(model)
    encoder = Encoder(model).eval()
    alone = encoder.pooled(encoder.pack(encoded, [4]))
    together = encoder.pooled(encoder.pack(encoded, [7, 4, 1]))[1:2]
    torch.testing.assert_close(alone, together, rtol=1e-5, atol=1e-6)


def test_first_token_pooling(tiny_encoder: Path) -> None:
    model = Model(name=str(tiny_encoder), pooling="first")
    encoded = some_rows(model)
    _, hidden, _ = padded(model, encoded)
    encoder = Encoder(model).eval()
    found = encoder.pooled(encoder.pack(encoded, list(range(len(encoded)))))
    torch.testing.assert_close(found, hidden[:, 0], rtol=1e-5, atol=1e-5)


def test_frozen_embeddings_have_no_gradient(tiny_encoder: Path) -> None:
    encoder = Encoder(Model(name=str(tiny_encoder)))
    assert not encoder.body.get_input_embeddings().weight.requires_grad
    assert Encoder(Model(name=str(tiny_encoder), frozen=())).body.get_input_embeddings().weight.requires_grad


def test_impossible_models_are_explained(tiny_encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="at most 128"):
        Encoder(Model(name=str(tiny_encoder), max_length=129))
    with pytest.raises(UserError, match="no folder"):
        Encoder(Model(name="./absent"))
    with pytest.raises(UserError, match=r"model\.revision: missing"):
        Encoder(Model(name="owner/model"))
    with pytest.raises(UserError, match=r"no config\.json"):
        Encoder(Model(name=str(tmp_path)))
    with pytest.raises(UserError, match="unknown offline model"):
        Encoder(Model(name="offline:other"))


def test_long_pairs_are_cut_and_counted(tiny_encoder: Path) -> None:
    model = Model(name=str(tiny_encoder))
    table = mini.rows("mini_nli", "train", "ar").slice(0, 20)
    whole = encode_pairs(table, load_tokenizer(model), 1000)
    cut = encode_pairs(table, load_tokenizer(model), 40)
    assert cut.truncated == int((whole.lengths > 40).sum())
    assert cut.lengths.max() <= 40
