"""Logs an exported winner in the run's MLflow: a model with signature, example and card, to be registered and served."""

import logging
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

EXAMPLES = 3
"""English dev rows that show what is asked."""
CARD = "mlflow.note.content"
"""The tag that MLflow shows as a model's description; it takes 8,000 letters of it."""


def log(winner: Winner, folder: Path) -> str:
    """Log a model folder with the run of the trial that trained it.

    Args:
        winner: what was exported.
        folder: as ``export.folder`` wrote it.

    Returns:
        the model's address, ``models:/…``.

    Raises:
        UserError: the run has no MLflow, or that does not know the trial; or the rows of the example are not there.
    """
    address = winner.space.mlflow
    if address is None:
        raise UserError(f"{winner.folder}: was searched without MLflow, so there is no run to log its winner with")
    runs = SearchRuns(address, winner.space.name)
    runs.search = winner.search
    run = runs.find({"xit.kind": "trial", "xit.key": winner.trial.key})
    if run is None:
        place = without_password(address)
        raise UserError(
            f"{place}: has no run of trial {winner.trial.key}; xit track {winner.folder} --mlflow-uri … makes it"
        )
    questions = _questions(winner)
    answers, example = Predictor(folder, gpu=False).answers(questions), pd.DataFrame(questions)
    mlflow.set_tracking_uri(address)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logged = Model.log(
        artifact_path=None,
        name=winner.trial.cell.target,
        flavor=mlflow.pyfunc,
        run_id=run,
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
