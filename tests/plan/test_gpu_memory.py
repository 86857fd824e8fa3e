"""What training takes of a GPU, against sums done by hand."""

import pytest
import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from xit_ray.core.encoder import freeze
from xit_ray.core.flops import Sizes, sizes_of
from xit_ray.plan.gpu_memory import training_gb
from xit_ray.spec.recipe import Model
from xit_ray.spec.space import Resources

ONE = Resources(gpus=1)


def large(frozen: tuple[str, ...]) -> Sizes:
    """Of XLM-R-large."""
    config = XLMRobertaConfig(
        vocab_size=250002, hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096,
        max_position_embeddings=514, type_vocab_size=1,
    )  # fmt: skip
    with torch.device("meta"):
        body = XLMRobertaModel(config, add_pooling_layer=False)
    freeze(body, Model(frozen=frozen))  # type: ignore[arg-type]
    return sizes_of(body, 1024)


def test_xlm_r_large_by_hand() -> None:
    # 558.8 million values and, of each token, layer and unit of width, 17 values of 2 bytes; 302.8 million are trained.
    everything = 558.84e6 * 24 + 4096 * 24 * 1024 * 34 + 1.5e9
    assert training_gb(large(()), "bfloat16", ONE) == pytest.approx(everything / 1e9, rel=0.002)
    frozen = 558.84e6 * 2 + 302.84e6 * 22 + 4096 * 24 * 1024 * 34 + 1.5e9
    assert training_gb(large(("word_embeddings",)), "bfloat16", ONE) == pytest.approx(frozen / 1e9, rel=0.005)


def test_what_saves_memory_is_counted() -> None:
    sizes = large(())
    whole = training_gb(sizes, "bfloat16", ONE)
    assert training_gb(sizes, "float32", ONE) < whole + 4096 * 24 * 1024 * 34 / 1e9
    assert training_gb(sizes, "bfloat16", Resources(gpus=1, checkpointing=True)) < whole - 2
    sharded = Resources(gpus=1, workers=4, sharded=True)
    assert training_gb(sizes, "bfloat16", sharded) == pytest.approx(whole - 0.75 * 558.84e6 * 24 / 1e9, rel=0.01)
