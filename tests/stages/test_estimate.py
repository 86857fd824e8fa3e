"""Estimates: similarity of texts, for whatever stands before or beside a target; and probes."""

from pathlib import Path
from typing import Any

import pytest
import torch

from xit_ray.core.cost import Cost
from xit_ray.core.device import Device
from xit_ray.data.source import Source
from xit_ray.spec.recipe import Recipe
from xit_ray.stages.estimate import probe, text
from xit_ray.stages.execute import StageContext
from xit_ray.stages.records import HistoryPoint, StageRecord
from xit_ray.stages.store import Store
from xit_ray.stages.work import Training

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
    context = StageContext(recipe.model, Store(str(tmp_path)), Source("folder", xit_data), device)
    value, _ = text(context, recipe, ())
    assert (value is not None) == compared == (recipe.intermediate != "none")
    if value is not None:
        assert -1 <= value <= 1


@pytest.mark.parametrize(("better", "worse"), [((0.5, 1.2), (0.5, 1.3)), ((0.5002, 2.0), (0.5, 1.0))])
def test_a_probe_goes_by_english_dev_and_where_that_cannot_tell_by_the_loss(
    tiny_encoder: Path, tmp_path: Path, better: tuple[float, float], worse: tuple[float, float]
) -> None:
    recipe = Recipe.model_validate({"model": str(tiny_encoder), "stages": [{"mixture": TARGET}]})
    store = Store(str(tmp_path / "store"))
    context = StageContext(recipe.model, store, Source("none"), Device(torch.device("cpu"), torch.float32))
    found = []
    for key, (dev, loss) in (("better", better), ("worse", worse)):
        (tmp_path / key).mkdir()
        history = (HistoryPoint(step=1, loss=loss, dev=dev),)
        record = StageRecord(
            label="", search="", start=None, dev=dev, dev_rows=1, best_step=1, steps=1, history=history, truncated=0,
            skipped_steps=0, out_of_memory=0, cost=Cost(),
        )  # fmt: skip
        store.publish(key, tmp_path / key, record.model_dump(mode="json"))
        training = Training(key=key, start=None, stage=recipe.stages[0], dev=("mini_nli",), steps=1)
        found.append(probe(context, recipe, (training,)))
    assert found[0] > found[1]
    assert [seconds for _, seconds in found] == [0.0, 0.0]  # both were in the store
    assert found[0][0] == pytest.approx(better[0], abs=1e-4)
