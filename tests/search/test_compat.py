"""Where something private of Ray is missing, its plain trainer works."""

import logging
from pathlib import Path
from typing import Any

import pytest
import ray

from tests.search.searching import join_ray
from xit_ray.search import compat


def _write(config: dict[str, Any]) -> None:
    rank = ray.train.get_context().get_world_rank()
    (Path(config["folder"]) / f"{rank}.txt").write_text("worked")


def test_workers_run_with_the_plain_trainer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The lean one is what every other search here runs with."""
    monkeypatch.setattr(compat, "MISSING", "no module named ray.train.v3")
    cpus, gpus = compat.machine()
    assert (cpus > 0, gpus >= 0) == (True, True)
    join_ray()
    with caplog.at_level(logging.WARNING):
        trainer = compat.torch_trainer(
            _write,
            backend="gloo",
            single_machine=True,
            train_loop_config={"folder": str(tmp_path)},
            scaling_config=ray.train.ScalingConfig(num_workers=2, resources_per_worker={"CPU": 0.5}),
            run_config=ray.train.RunConfig(name="plain", storage_path=str(tmp_path / "ray")),
        )
    trainer.fit()
    assert [(tmp_path / f"{rank}.txt").read_text() for rank in (0, 1)] == ["worked", "worked"]
    assert any("plain trainer" in record.message for record in caplog.records)
    assert type(trainer) is compat.TorchTrainer
