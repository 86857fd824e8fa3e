"""Similarity of texts, for whatever stands before or beside a target."""

from pathlib import Path
from typing import Any

import pytest
import torch

from xit_ray.core.device import Device
from xit_ray.data.source import Source
from xit_ray.spec.recipe import Recipe
from xit_ray.stages.estimate import text
from xit_ray.stages.execute import Bench
from xit_ray.stages.store import Store

TARGET = {"task": "mini_nli", "examples": 16}
OTHER = {"task": "mini_paraphrase", "examples": 16}


@pytest.mark.parametrize(
    ("stages", "compared"),
    [
        ([TARGET], False),
        ([OTHER, TARGET], True),
        ([[TARGET, OTHER]], True),
        ([[TARGET, {**TARGET, "variant": "mini_nli"}]], False),  # the target's own rows by another name
        ([[TARGET, {"task": "mini_nli", "variant": "snli", "examples": 16}]], True),
    ],
)
def test_every_recipe_but_a_baseline_has_an_estimate(
    tiny_encoder: Path, tmp_path: Path, xit_data: Path, stages: list[Any], compared: bool
) -> None:
    trained = [{"mixture": mixture} for mixture in stages]
    recipe = Recipe.model_validate({"model": str(tiny_encoder), "stages": trained, "target": "mini_nli"})
    device = Device(torch.device("cpu"), torch.float32)
    bench = Bench(recipe.model, Store(str(tmp_path)), Source("folder", xit_data), device)
    value, _ = text(bench, recipe, ())
    assert (value is not None) == compared == (recipe.intermediate != "none")
    if value is not None:
        assert -1 <= value <= 1
