"""Packed streams give what the padded model gives: hidden states and gradients, for every family of encoders."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel

from xit_ray.core.device import Device
from xit_ray.core.encoder import Encoder
from xit_ray.core.heads import part_of
from xit_ray.core.kinds import head_maker
from xit_ray.core.network import Network
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import mini
from xit_ray.data.encode import Encoded, from_sequences
from xit_ray.data.kinds import tokenise
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model
from xit_ray.tasks import registry

FAMILIES = ["tiny_encoder", "tiny_bert", "tiny_modernbert", "tiny_mdeberta"]


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest) -> Model:
    return Model(name=str(request.getfixturevalue(request.param)), frozen=())


def some_rows(model: Model, count: int = 13) -> Encoded:
    """Pairs whose lengths differ by more than a block's padding may."""
    table = mini.rows("mini_nli", "train", "de").slice(0, count)
    short = table.set_column(1, "text_b", [["Ja"] * count])
    one, two = (tokenise(registry.get("mini_nli"), part, load_tokenizer(model), 128) for part in (table, short))
    rows = [*range(count), *range(count)]
    chosen = [one if number < count else two for number in range(2 * count)]
    ids = [part.tokens[part.starts[row] : part.starts[row + 1]] for part, row in zip(chosen, rows, strict=True)]
    types = None
    if one.types is not None:
        assert two.types is not None
        both = [(part.types, part.starts[row], part.starts[row + 1]) for part, row in zip(chosen, rows, strict=True)]
        types = np.concatenate([part[begin:end] for part, begin, end in both if part is not None])
    return from_sequences(ids, types=types, labels=np.zeros(len(ids), dtype=np.int64))


def padded(model: Model, encoded: Encoded) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """transformers' own eager model on a padded batch: the model, all layers' hidden states and the mask."""
    reference = AutoModel.from_pretrained(model.name, attn_implementation="eager").eval()
    length = int(encoded.lengths.max())
    ids = torch.ones(len(encoded), length, dtype=torch.long)
    mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, (begin, end) in enumerate(zip(encoded.starts[:-1], encoded.starts[1:], strict=True)):
        ids[row, : end - begin] = torch.from_numpy(encoded.tokens[begin:end])
        mask[row, : end - begin] = 1
        if encoded.types is not None:
            types[row, : end - begin] = torch.from_numpy(encoded.types[begin:end])
    extra = {"token_type_ids": types} if encoded.types is not None else {}
    states = reference(input_ids=ids, attention_mask=mask, output_hidden_states=True, **extra).hidden_states
    return reference, torch.stack(states), mask


def close(found: torch.Tensor, wanted: torch.Tensor, noise: float = 0.0) -> bool:
    """Equal to 1e-5 of the largest value."""
    return bool((found - wanted).abs().max() <= 1e-5 * wanted.abs().max() + noise)


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_heads_outputs_and_gradients_equal_the_padded_model(model: Model, pooling: str) -> None:
    model = model.model_copy(update={"pooling": pooling})
    encoded, task = some_rows(model), registry.get("xnli")
    network = Network(model, [head_maker(task)], seed=0).eval()
    reference, states, mask = padded(model, encoded)
    hidden = states[-1]
    pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True) if pooling == "mean" else hidden[:, 0]
    head = torch.nn.Linear(network.encoder.width, 3)
    head.load_state_dict(network.head(0).linear.state_dict())
    wanted = head(pooled)
    batch = network.encoder.pack(encoded)
    if network.encoder.layout == "rows":
        assert len(batch.blocks) > 1
    found = network.head(0).scores(network.encoder(batch), part_of(encoded, 0, 0.0), network.encoder)
    assert close(found, wanted)

    weights = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(0))
    (found * weights).sum().backward()
    (wanted * weights).sum().backward()
    theirs = dict(reference.named_parameters())
    # The gradient of a bias on keys is zero but for rounding: softmax does not see it.
    noise = 1e-7 * max(float(p.grad.abs().max()) for p in theirs.values() if p.grad is not None)
    seen = 0
    for name, ours in network.encoder.body.named_parameters():
        gradient = theirs[name].grad
        if gradient is not None:
            assert ours.grad is not None, name
            assert close(ours.grad, gradient, noise), name
            seen += 1
    assert seen > 10
    assert close(network.head(0).linear.weight.grad, head.weight.grad)


def test_every_layer_equals_the_padded_model(model: Model) -> None:
    encoded = some_rows(model)
    encoder = Encoder(model).eval()
    _, states, mask = padded(model, encoded)
    found = encoder.hidden_states(encoder.pack(encoded))
    assert len(found) == len(states) == 3
    for ours, theirs in zip(found, states, strict=True):
        assert close(ours, theirs[mask.bool()])


def test_an_encoder_with_attention_of_its_own_is_padded_and_says_so_once(
    tiny_mdeberta: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from xit_ray.core.pretrained import _say_padded

    _say_padded.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert [Encoder(Model(name=str(tiny_mdeberta))).layout for _ in range(2)] == ["padded", "padded"]
    assert [r.message for r in caplog.records if "padded to their longest" in r.message] == [
        f"{tiny_mdeberta}: deberta-v2 has an attention of its own: batches are padded to their longest, not packed"
    ]


def test_token_types_reach_the_encoder(tiny_bert: Path) -> None:
    model = Model(name=str(tiny_bert))
    encoded = some_rows(model)
    assert encoded.types is not None
    assert set(np.unique(encoded.types)) == {0, 1}
    encoder = Encoder(model).eval()
    row = encoded.take(np.array([0]))
    with_types = encoder.pooled(encoder.pack(row))
    without = encoder.pooled(encoder.pack(replace(row, types=None)))
    assert not torch.allclose(with_types, without)


def test_a_sequence_does_not_see_its_neighbours(model: Model) -> None:
    encoded = some_rows(model)
    encoder = Encoder(model).eval()
    alone = encoder.pooled(encoder.pack(encoded.take(np.array([4]))))
    together = encoder.pooled(encoder.pack(encoded.take(np.array([7, 4, 20]))))[1:2]
    torch.testing.assert_close(alone, together, rtol=1e-5, atol=1e-6)


def test_checkpointing_changes_no_gradient(model: Model) -> None:
    encoded = some_rows(model)
    gradients = []
    for checkpointing in (False, True):
        network = Network(model, [], seed=0).train()
        network.set_dropout(0.0)
        encoder = network.encoder
        if checkpointing:
            encoder.body.activation_checkpointing_enable()
        encoder.pooled(encoder.pack(encoded)).sum().backward()
        gradients.append({name: p.grad for name, p in encoder.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    assert all(torch.equal(gradients[0][name], gradients[1][name]) for name in gradients[0])


def test_frozen_parts_have_no_gradient(model: Model) -> None:
    def frozen(**values: object) -> set[str]:
        encoder = Encoder(Model.model_validate({"name": model.name, **values}))
        return {name for name, parameter in encoder.body.named_parameters() if not parameter.requires_grad}

    encoder = Encoder(model)
    embeddings = {name for name, _ in encoder.body.named_parameters() if name.startswith("embeddings.")}
    lowest = {name for name, _ in encoder.body.named_parameters() if ".0." in name and "layer" in name}
    word = next(n for n, p in encoder.body.named_parameters() if p is encoder.body.get_input_embeddings().weight)
    assert frozen(frozen=()) == set()
    assert frozen() == {word}
    assert frozen(frozen=("embeddings",)) == embeddings
    assert frozen(frozen_layers=1) == embeddings | lowest
    with pytest.raises(UserError, match="frozen_layers: found 3; allowed: at most 2"):
        frozen(frozen_layers=3)


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
    whole = tokenise(registry.get("mini_nli"), table, load_tokenizer(model), 1000)
    cut = tokenise(registry.get("mini_nli"), table, load_tokenizer(model), 40)
    assert cut.truncated == int((whole.lengths > 40).sum())
    assert cut.lengths.max() <= 40


def test_rotary_frequencies_keep_their_digits_in_bfloat16(tiny_modernbert: Path) -> None:
    network = Network(Model(name=str(tiny_modernbert)), [], seed=0)
    before = {name: buffer.clone() for name, buffer in network.named_buffers() if "inv_freq" in name}
    network.settle(Device(torch.device("cpu"), torch.bfloat16))
    assert before
    assert all(torch.equal(dict(network.named_buffers())[name], buffer) for name, buffer in before.items())
    assert {parameter.dtype for parameter in network.parameters()} == {torch.bfloat16}
