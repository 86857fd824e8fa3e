"""All that is missing is told at once."""

from pathlib import Path

import yaml

from tests.running import run


def test_every_missing_split_is_in_one_table(tiny_encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    stages = [{"mixture": {"grid": [None, "qqp", "squad"]}}, {"mixture": "pawsx"}]
    space = {
        "name": "far",
        "recipe": {"model": str(tiny_encoder), "stages": stages},
        "zero_shot": {"languages": ["en", "de", "ja"]},
    }
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(space))
    planned = run("xit_ray.plan", str(tmp_path / "space.yaml"), "--data", str(tmp_path / "data"))
    assert planned.returncode == 2
    assert planned.stderr.splitlines()[-1].startswith(f"error: {tmp_path}/space.yaml: lacks rows of 7 splits")
    for words in ("qqp", "squad", "pawsx", "en, de, ja", "train", "dev", "test"):
        assert words in planned.stdout


def test_a_task_that_nobody_knows_is_told_with_its_place(tiny_encoder: Path, tmp_path: Path) -> None:
    recipe = {"model": str(tiny_encoder), "stages": [{"mixture": "mini_nlii"}]}
    (tmp_path / "space.yaml").write_text(yaml.safe_dump({"name": "far", "recipe": recipe}))
    planned = run("xit_ray.plan", str(tmp_path / "space.yaml"))
    assert planned.returncode == 2
    assert planned.stderr.startswith(f"error: {tmp_path}/space.yaml: recipe.stages[0].mixture")
