"""A cell of the transfer matrix: which recipes are compared with each other."""

from xit_ray.spec.base import Strict

BASELINE = "none"
"""The intermediate of a recipe that trains the target task alone."""


class Cell(Strict):
    """One field of the transfer matrix. Recipes of the same cell differ in hyperparameters and seeds only."""

    model: str
    """Label of the pretrained encoder."""
    intermediate: str
    """What is trained before or beside the target; ``none`` for the baseline."""
    target: str
    """The task or test set that is scored."""

    @property
    def is_baseline(self) -> bool:
        """Whether the gains of other cells are measured against this one."""
        return self.intermediate == BASELINE

    @property
    def baseline(self) -> "Cell":
        """The cell that this cell's gain is measured against: the same model and target, no intermediate."""
        return self.model_copy(update={"intermediate": BASELINE})

    def row(self, several_models: bool) -> str:
        """Name of the matrix row: the intermediate, with the model where a search has several."""
        return f"{self.intermediate} ({self.model})" if several_models else self.intermediate

    def __str__(self) -> str:
        return f"{self.intermediate} → {self.target}"
