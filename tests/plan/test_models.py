"""``xit models check`` against what the model and its tokenizer do."""

import functools
from pathlib import Path

from tests.running import Ended, ended
from xit_ray.core.encoder import Encoder
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import rows
from xit_ray.data.source import Source
from xit_ray.plan import models
from xit_ray.spec import commands
from xit_ray.spec.recipe import Model
from xit_ray.tasks import registry


def check(*words: str) -> Ended:
    return ended(functools.partial(commands.run, models.app), "xit models", "check", *words)


def test_it_says_what_the_loaded_model_has(tiny_encoder: Path) -> None:
    said = check(str(tiny_encoder))
    assert said.returncode == 0, said.stderr
    lines = dict(line.split(maxsplit=1) for line in said.stdout.splitlines() if line)
    encoder = Encoder(Model(name=str(tiny_encoder)))
    assert f"{len(encoder.layers)} layers of {encoder.width}" in lines["architecture"]
    assert lines["batches"].strip() == "packed"
    assert f"{encoder.body.config.max_position_embeddings - encoder.first_position} tokens" in lines["longest"]
    texts = rows.load(registry.get("mini_nli"), "test", "de", Source("none")).table.column("text_a").to_pylist()[:200]
    pieces = load_tokenizer(Model(name=str(tiny_encoder)))(texts, add_special_tokens=False)["input_ids"]
    per_word = sum(map(len, pieces)) / sum(len(text.split()) for text in texts)
    assert lines["de"].split() == [f"{per_word:.2f}", "word"]
    assert lines["zh"].split()[1] == "character"


def test_padded_batches_are_told(tiny_mdeberta: Path) -> None:
    assert "padded to their longest row" in check(str(tiny_mdeberta)).stdout


def test_what_is_no_model_or_no_task_of_texts_is_one_line(tiny_encoder: Path) -> None:
    for words, told in (
        (("owner/model",), "model.revision: missing"),
        ((str(tiny_encoder), "--task", "mini_nil"), "unknown task 'mini_nil'"),
    ):
        refused = check(*words)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
        assert told in refused.stderr
