"""A language model writes rows: balanced, repeatable, kept where the classifier agrees, and usable as a variant."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from xit_ray.core import weights
from xit_ray.core.device import Device
from xit_ray.core.evaluate import predict
from xit_ray.core.kinds import head_maker
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.tokenizer import tokens_of
from xit_ray.core.train import Member, train_stage
from xit_ray.data import rows
from xit_ray.data.records import subsample
from xit_ray.data.source import Source
from xit_ray.plan.planner import Planner
from xit_ray.spec.errors import UserError
from xit_ray.spec.generation import Generation
from xit_ray.spec.load import load_space, load_task
from xit_ray.spec.space import as_recipe
from xit_ray.stages.generate import generate
from xit_ray.tasks import own, registry

CPU = Device(torch.device("cpu"), torch.float32)
NONE = Source("none")
LABELS = ("entailment", "neutral", "contradiction")


@pytest.fixture(scope="module")
def writer(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a randomly initialised Llama and the tiny encoder's tokenizer."""
    folder = tmp_path_factory.mktemp("tiny-llama")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=400, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        bos_token_id=0, pad_token_id=1, eos_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_encoder).save_pretrained(folder)
    return folder


def asked(place: Path, **more: Any) -> Generation:
    prompts = {label: f"{{text}} Write what is {label}:" for label in LABELS}
    about = {"name": str(place), "max_new_tokens": 8, "batch_size": 8}
    return Generation.model_validate(
        {"name": "written", "like": "mini_nli", "writer": about, "prompts": prompts, **more}
    )


def read(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "written.jsonl").read_text().splitlines()]


def written(found: Generation, folder: Path) -> Counter[str]:
    folder.mkdir(exist_ok=True)
    return generate(found, NONE, CPU, folder, lambda kept, texts: None)


def test_rows_are_balanced_new_and_the_same_for_a_seed(writer: Path, tmp_path: Path) -> None:
    counts = written(asked(writer, rows=24), tmp_path / "one")
    found = read(tmp_path / "one")
    assert counts["kept"] == len(found) == 24
    assert Counter(row["label"] for row in found) == dict.fromkeys(LABELS, 8)
    assert len({(row["text_a"], row["text_b"]) for row in found}) == 24
    premises = set(rows.load(registry.get("mini_nli"), "train", "en", NONE).table.column("text_a").to_pylist())
    assert {row["text_a"] for row in found} <= premises
    assert all(row["text_b"] and "\n" not in row["text_b"] for row in found)

    written(asked(writer, rows=24), tmp_path / "two")
    written(asked(writer, rows=24, seed=1), tmp_path / "three")
    assert read(tmp_path / "two") == found != read(tmp_path / "three")


def test_prompts_without_a_text_make_single_texts(writer: Path, tmp_path: Path) -> None:
    (tmp_path / "moods.jsonl").write_text('{"text_a": "good", "label": "+"}\n{"text_a": "bad", "label": "-"}\n' * 20)
    about = {"name": "moods", "kind": "classification", "labels": ["+", "-"], "files": {"train": "moods.jsonl"}}
    (tmp_path / "moods.yaml").write_text(yaml.safe_dump(about))
    own.register([load_task(tmp_path / "moods.yaml")])
    written(asked(writer, rows=6, like="moods", prompts={"+": "Praise:", "-": "Blame:"}), tmp_path)
    assert all(row["text_a"] and row["text_b"] is None for row in read(tmp_path))
    with pytest.raises(UserError, match="moods has single texts; allowed: prompts without"):
        written(asked(writer, rows=6, like="moods", prompts={"+": "{text}", "-": "{text}"}), tmp_path)


def test_the_classifier_agrees_with_what_is_kept(writer: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    filter_ = {"model": str(tiny_encoder), "examples": 120, "learning_rate": 1e-3}
    found = asked(writer, rows=24, attempts=3, filter=filter_)
    counts = written(found, tmp_path)
    assert counts["not what the classifier says"] > 0
    assert counts.total() <= 72
    kept = read(tmp_path)
    assert len(kept) == counts["kept"] > 0

    assert found.filter is not None
    task, tokens = registry.get("mini_nli"), tokens_of(found.filter.model)
    tables = [rows.load(task, split, "en", NONE).table for split in ("train", "dev")]  # type: ignore[arg-type]
    train, dev = tokens.rows(task, subsample(tables[0], 120)), tokens.rows(task, tables[1])
    trained = train_stage(
        found.filter.model, found.filter.stage("mini_nli"), [Member(task, train, dev, tables[1])], None, CPU
    )
    network = Network(found.filter.model, [head_maker(task)], seed=0)
    weights.save(trained.weights, tmp_path)
    weights.load(network, tmp_path, head=0)
    own.register([load_task(tmp_path / "written.yaml")])
    mine = registry.get("written")
    labels = []
    for split in ("train", "dev"):  # one row in twenty is its dev
        table = rows.load(mine, split, "en", NONE).table  # type: ignore[arg-type]
        given = predict(network, 0, tokens.rows(mine, table), Meter(CPU))
        assert given.tolist() == table.column("label").to_pylist()
        labels += given.tolist()
    assert len(labels) == len(kept)


def test_the_file_is_a_variant_of_its_task(writer: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    written(asked(writer, rows=24, name="stand_in"), tmp_path)

    def key(member: dict[str, Any]) -> str:
        stages = [{"mixture": [member, {"task": "mini_nli", "examples": 50}]}, {"mixture": "mini_paraphrase"}]
        space = {"name": "s", "tasks": ["stand_in.yaml"], "recipe": {"model": str(tiny_encoder), "stages": stages}}
        (tmp_path / "space.yaml").write_text(yaml.safe_dump(space))
        loaded = load_space(tmp_path / "space.yaml")
        return Planner(loaded, NONE, "s").trial(as_recipe(loaded.recipe)).trainings[0].key

    before = key({"task": "mini_nli", "variant": "stand_in"})
    assert before == key({"task": "mini_nli", "variant": "stand_in"}) != key({"task": "mini_nli"})
    (tmp_path / "stand_in.jsonl").write_text("\n".join((tmp_path / "stand_in.jsonl").read_text().splitlines()[1:]))
    assert key({"task": "mini_nli", "variant": "stand_in"}) != before
    with pytest.raises(UserError, match="variant: 'mini_paraphrase' is classification with the labels different, same"):
        key({"task": "mini_nli", "variant": "mini_paraphrase"})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"like": "mini_qa"}, "like: 'mini_qa' is no classification task"),
        ({"prompts": {"entailment": "a", "neutral": "b"}}, "no prompt for the label 'contradiction'"),
        ({"prompts": {"entails": "a"}}, "unknown label of mini_nli 'entails'"),
        ({"prompts": dict.fromkeys(LABELS, "{premise}")}, "mini_nli has pairs of texts; allowed: prompts with {text}"),
        ({"writer": {"name": "OWNER/MODEL"}}, "writer.revision: missing"),
        ({"writer": {"name": "/tmp"}}, "writer.name: '/tmp' cannot be loaded"),
    ],
)
def test_what_is_wrong_is_said(writer: Path, tmp_path: Path, more: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        written(asked(writer, **more), tmp_path)
    assert not list(tmp_path.iterdir())


def test_prompts_are_alike(writer: Path) -> None:
    with pytest.raises(ValueError, match=r"prompts.neutral has no \{text\}"):
        asked(writer, prompts={"entailment": "{text}", "neutral": "b", "contradiction": "{text}"})
