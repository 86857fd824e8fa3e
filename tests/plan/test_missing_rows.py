"""All that is missing is told at once."""

from pathlib import Path

import pytest
import yaml

from tests.running import run
from xit_ray.core.tokenizer import tokens_of
from xit_ray.data import rows
from xit_ray.data.source import Source
from xit_ray.spec.recipe import Model
from xit_ray.tasks import registry


def test_every_missing_split_is_in_one_table(tiny_encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    stages = [{"mixture": {"grid": [None, "qqp", "squad"]}}, {"mixture": "pawsx"}]
    space = {
        "name": "far",
        "recipe": {"model": str(tiny_encoder), "stages": stages},
        "zero_shot": {"languages": ["en", "de", "ja"]},
    }
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(space))
    words = (str(tmp_path / "space.yaml"), "--data", str(tmp_path / "data"))
    planned = run("xit_ray.plan", *words)
    for absent in ("qqp", "squad", "pawsx", "en, de, ja", "train", "dev", "test"):
        assert absent in planned.stdout
    # The datasets' sizes are known: 363,846, 87,599 and 49,401 rows, 32 a step.
    assert planned.returncode == 0
    assert "3 trials need 5 stages, 18739 steps" in planned.stdout
    assert "For what is not there, rows and tokens are those of each task's metadata" in planned.stdout
    prepared = run("xit_ray.plan", *words, "--prepare")
    assert prepared.returncode == 2
    assert prepared.stderr.splitlines()[-1].startswith(f"error: {tmp_path}/space.yaml: lacks rows of 7 splits")


def test_languages_that_are_there_are_read_beside_those_that_are_not(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data/pawsx"
    folder.mkdir(parents=True)
    for name in ("train-en", "dev-en", "test-en", "test-de"):
        lines = [f"{name} one {number}\t{name} two {number}\t{number % 2}" for number in range(64)]
        (folder / f"{name}.tsv").write_text("\n".join(lines))
    space = {
        "name": "near",
        "recipe": {"model": str(tiny_encoder), "stages": [{"mixture": "pawsx"}]},
        "zero_shot": {"languages": ["en", "de", "ja"]},
    }
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(space))
    planned = run("xit_ray.plan", str(tmp_path / "space.yaml"), "--data", str(tmp_path / "data"))
    assert planned.returncode == 0, planned.stderr
    assert "1 trials need 1 stages, 2 steps" in planned.stdout  # 64 rows, not 49,401
    absent = next(line for line in planned.stdout.splitlines() if line.startswith("pawsx "))
    assert absent.split()[:3] == ["pawsx", "test", "ja"]


def test_what_nobody_knows_the_size_of_has_to_be_there(tiny_encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    own = {"kind": "classification", "labels": ["a", "b"], "files": {"train": "mine.jsonl"}}  # dev is cut from it
    for name, size, code in (("mine", {}, 2), ("mine_too", {"size": {"train": 950, "tokens": 20}}, 0)):
        described = own | size | {"name": name}
        recipe = {"model": str(tiny_encoder), "stages": [{"mixture": name}, {"mixture": "pawsx"}]}
        space = {"name": "far", "recipe": recipe, "zero_shot": {"languages": ["en", "de"]}}
        (tmp_path / "space.yaml").write_text(yaml.safe_dump(space | {"tasks": [described]}))
        planned = run("xit_ray.plan", str(tmp_path / "space.yaml"), "--data", str(tmp_path / "data"))
        assert planned.returncode == code, planned.stderr


def test_an_outline_reads_nothing(tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    recipe = {
        "model": str(tiny_encoder),
        "stages": [{"mixture": "ccg"}, {"mixture": {"task": "panx", "examples": 640}}],
    }
    zero_shot = {"languages": ["en", "de"], "embedding_tests": ["tatoeba"]}
    (tmp_path / "space.yaml").write_text(yaml.safe_dump({"name": "far", "recipe": recipe, "zero_shot": zero_shot}))
    planned = run("xit_ray.plan", str(tmp_path / "space.yaml"), "--data", "hub", "--outline")
    assert planned.returncode == 0, planned.stderr
    assert "1 trials need 2 stages, 1208 steps" in planned.stdout  # 38,015 and 640 rows, 32 a step
    assert "Rows and tokens are those of each task's metadata" in planned.stdout


@pytest.mark.parametrize(
    "name", ["mnli", "qqp", "snli", "siqa", "hellaswag", "squad", "panx", "udpos", "ccg", "cosmosqa"]
)
def test_metadata_knows_about_how_long_rows_are(name: str, xit_data: Path) -> None:
    task, source = registry.get(name), Source("folder", xit_data)
    loaded = rows.load(task, "train", "en", source)
    encoded = tokens_of(Model(max_length=256)).rows(rows.resolved(task, source), loaded.table.slice(0, 200))
    assert task.size is not None
    assert task.size.tokens == pytest.approx(float(encoded.lengths.mean()), rel=0.25)


def test_a_task_that_nobody_knows_is_told_with_its_place(tiny_encoder: Path, tmp_path: Path) -> None:
    recipe = {"model": str(tiny_encoder), "stages": [{"mixture": "mini_nlii"}]}
    (tmp_path / "space.yaml").write_text(yaml.safe_dump({"name": "far", "recipe": recipe}))
    planned = run("xit_ray.plan", str(tmp_path / "space.yaml"))
    assert planned.returncode == 2
    assert planned.stderr.startswith(f"error: {tmp_path}/space.yaml: recipe.stages[0].mixture")
