"""Which of a recipe's stages are to be trained, by what the stage store has of them."""

from collections.abc import Sequence

from xit_ray.stages.store import Store
from xit_ray.stages.work import Training


def to_train(store: Store, trainings: Sequence[Training], last_is_read: bool) -> list[Training]:
    """The stages that are not in the store, and those of which it has the record alone although their weights are needed.

    Args:
        store: the stage store.
        trainings: of a recipe, in order.
        last_is_read: whether the weights of the last one are needed.
    """
    missing: list[Training] = []
    weights_are_needed = last_is_read
    for training in reversed(trainings):
        there = store.has_files(training.key) if weights_are_needed else store.describe(training.key) is not None
        if not there:
            missing.insert(0, training)
        weights_are_needed = not there
    return missing
