"""A finished plan for one recipe: what travels from the search process to whoever trains and scores it."""

from xit_ray.spec.base import Strict
from xit_ray.spec.cell import Cell
from xit_ray.spec.recipe import Recipe
from xit_ray.stages.missing import to_train
from xit_ray.stages.records import RowsUsed
from xit_ray.stages.store import Store
from xit_ray.stages.work import Evaluation, Training


class Trial(Strict):
    """One recipe as work: stages to train in order, then scores to compute. Nothing in it has to be looked up again."""

    key: str
    """Names the trial; equal recipes have equal keys."""
    recipe: Recipe
    trainings: tuple[Training, ...]
    evaluation: Evaluation
    rows: tuple[RowsUsed, ...] = ()
    """What its stages read."""
    gpu_gb: float = 0.0
    """What training takes of each worker's GPU, reckoned; 0 where there is none."""
    untrained: Evaluation | None
    """The scores of the pretrained encoder, where the space asks for them: the same for all trials of a model."""

    @property
    def cell(self) -> Cell:
        """The cell of the transfer matrix that the trial competes for."""
        return self.recipe.cell

    def to_train(self, store: Store) -> list[Training]:
        """Its stages that are to be trained, by what the store has."""
        return to_train(store, self.trainings, last_is_read=store.describe(self.evaluation.key) is None)

    @property
    def steps(self) -> int:
        """Training steps of all its stages."""
        return sum(training.steps for training in self.trainings)
