"""Logs an exported winner in the run's MLflow: a model with signature, example and card, to be registered and served."""

import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowException
from mlflow.models import Model, infer_signature

from xit_ray.data import rows
from xit_ray.export import served
from xit_ray.export.predict import Predictor
from xit_ray.export.winner import Winner
from xit_ray.spec.errors import UserError, in_a_line, without_password
from xit_ray.track.mlflow_client import DESCRIPTION, SearchRuns, is_there

EXAMPLES = 3
"""English dev rows that show what is asked."""
CARD_LENGTH = 8000
"""Letters that a tag of a model takes."""


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
    try:
        run = runs.trial(winner.trial.key) if is_there(address) else None
    except MlflowException as error:
        raise UserError(f"{without_password(address)}: does not answer: {in_a_line(error)}") from None
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
        tags={DESCRIPTION: (folder / "README.md").read_text(encoding="utf-8")[:CARD_LENGTH]},
    )
    return str(logged.model_uri)


def _questions(winner: Winner) -> list[dict[str, Any]]:
    """Rows without their answers."""
    table = rows.load(winner.trained, "dev", "en", winner.source).table.slice(0, EXAMPLES)
    asked = [name for name in Predictor.asked(winner.trained) if table.column(name).null_count == 0]
    questions: list[dict[str, Any]] = table.select(asked).to_pylist()
    return questions
