"""The code that MLflow keeps with a winner: whoever loads the model answers rows by ``xit_ray.export.predict``."""

from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from xit_ray.export.predict import Predictor

FOLDER = "model"
"""Name of the artifact that is the exported folder."""


class Winner(PythonModel):  # type: ignore[misc]
    """Rows in, as many answers out; both as the signature has them."""

    def load_context(self, context: Any) -> None:
        """Load the exported folder."""
        self.predictor = Predictor(context.artifacts[FOLDER])

    def predict(self, context: Any, model_input: pd.DataFrame) -> list[str]:
        """The answer to every row."""
        records = model_input.to_dict("records")
        return self.predictor.answers([{str(name): _plain(value) for name, value in row.items()} for row in records])


def _plain(value: Any) -> Any:
    """MLflow hands lists over as arrays."""
    return value.tolist() if isinstance(value, np.ndarray) else value


set_model(Winner())
