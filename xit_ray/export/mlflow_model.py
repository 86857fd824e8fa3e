"""Logs an exported winner in the run's MLflow: a model with signature, example and card, to be registered and served."""

import logging
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import Model, infer_signature

from xit_ray.data import rows
from xit_ray.data.source import parse_source
from xit_ray.export import served
from xit_ray.export.predict import Predictor
from xit_ray.export.winner import Winner
from xit_ray.spec.errors import UserError, without_password
from xit_ray.tasks import registry
from xit_ray.track.mlflow_client import SearchRuns

SQLITE = "sqlite:///"
EXAMPLES = 3
"""English dev rows that show what is asked."""
CARD = "mlflow.note.content"
"""The tag that MLflow shows as a model's description; it takes 8,000 letters of it."""


@dataclass(frozen=True)
class Place:
    """Where a winner is logged."""

    address: str
    experiment: str
    run: str
    """Of the trial that trained it."""


def place_of(winner: Winner) -> Place:
    """Where a winner can be logged; asked before anything is written.

    Raises:
        UserError: the run's MLflow does not know the trial.
    """
    address = winner.space.mlflow
    assert address is not None
    runs = SearchRuns(address, winner.space.name)
    runs.search = winner.search
    # A database that is not there would be made by looking into it.
    lost = address.startswith(SQLITE) and not Path(address.removeprefix(SQLITE)).is_file()
    run = None if lost else runs.find({"xit.kind": "trial", "xit.key": winner.trial.key})
    if run is None:
        raise UserError(
            f"{without_password(address)}: has no run of trial {winner.trial.key}; "
            f"xit track {winner.folder} --anew makes the records anew"
        )
    return Place(address, runs.experiment, run)


def log(winner: Winner, folder: Path, place: Place) -> str:
    """Log a model folder with the run of the trial that trained it.

    Args:
        winner: what was exported.
        folder: as ``export.folder`` wrote it.
        place: where.

    Returns:
        the model's address, ``models:/…``.

    Raises:
        UserError: the rows of the example are not there.
    """
    questions = _questions(winner)
    answers, example = Predictor(folder, gpu=False).answers(questions), pd.DataFrame(questions)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    mlflow.set_tracking_uri(place.address)
    mlflow.set_experiment(experiment_id=place.experiment)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logged = Model.log(
        artifact_path=None,
        name=winner.trial.cell.target,
        flavor=mlflow.pyfunc,
        run_id=place.run,
        python_model=str(Path(served.__file__)),
        artifacts={served.FOLDER: str(folder)},
        signature=infer_signature(example, answers),
        input_example=example,
        pip_requirements=[f"xit_ray=={version('xit_ray')}"],
        tags={CARD: (folder / "README.md").read_text(encoding="utf-8")[:8000]},
    )
    return str(logged.model_uri)


def _questions(winner: Winner) -> list[dict[str, Any]]:
    """Rows without their answers."""
    source = parse_source(winner.space.data)
    task = rows.resolved(registry.trained_as(registry.get(winner.trial.recipe.target_task)), source)
    table = rows.load(task, "dev", "en", source).table.slice(0, EXAMPLES)
    asked = [name for name in Predictor.asked(task) if table.column(name).null_count == 0]
    questions: list[dict[str, Any]] = table.select(asked).to_pylist()
    return questions
