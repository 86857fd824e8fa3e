"""The plan of a whole search: its trials, the stages they share, and what is left to pay for."""

from dataclasses import dataclass

from xit_ray.plan.forecast import Forecast, Forecaster
from xit_ray.plan.trial import Trial
from xit_ray.plan.trie import Node, in_good_order, trie
from xit_ray.plan.workload import Throughput, Workload
from xit_ray.spec.points import expected_recipes
from xit_ray.spec.space import Keep
from xit_ray.stages.store import Store


@dataclass(frozen=True)
class Plan:
    """The whole search as it will be."""

    trials: list[Trial]
    nodes: dict[str, Node]
    forecast: Forecast
    throughput: Throughput | None
    """Of this machine; None where it was not measured."""
    stored: set[str]
    """Keys of stages and scores that are neither trained nor computed again, because the store has them."""
    keep: Keep
    """Whose target checkpoints stay in the store."""

    @property
    def missing(self) -> Workload:
        """The work that is left to pay for."""
        return sum((work for key, work in self.forecast.pieces.items() if key not in self.stored), Workload())

    @property
    def bytes_to_store(self) -> int:
        """Size of the checkpoints that are not in the store and will stay there."""
        sizes = {key: size for key, size in self.forecast.checkpoint_bytes.items() if key not in self.stored}
        intermediates = {training.key for trial in self.trials for training in trial.trainings[:-1]}
        staying = sum(size for key, size in sizes.items() if key in intermediates or self.keep == "all")
        if self.keep == "winners":
            # Which one wins is not known; those of a model are equally large.
            targets = {(trial.cell.model, trial.cell.target): trial.trainings[-1].key for trial in self.trials}
            staying += sum(sizes.get(key, 0) for key in targets.values() if key not in intermediates)
        return staying


def build(forecaster: Forecaster, store: Store, calibrate: bool = False) -> Plan:
    """The plan of a search whose trials are known beforehand.

    Args:
        forecaster: of a planner that has looked at the space.
        store: whose stages need not be paid for again.
        calibrate: time a few steps on this machine first.
    """
    from xit_ray.core.device import device_for  # torch takes a second to import
    from xit_ray.plan import throughput

    planner, space = forecaster.planner, forecaster.planner.space
    trials = {trial.key: trial for trial in map(planner.trial, expected_recipes(space))}
    nodes = trie(trials.values())
    in_order = in_good_order(list(trials.values()), nodes)
    model = in_order[0].recipe.model
    device = device_for(space.resources)
    if calibrate:
        from xit_ray.plan.calibrate import calibrate as measure

        measure(model, device)
    measured = throughput.known(model, device)
    forecast = forecaster.of(in_order)
    needed = {key for key in forecast.pieces if store.describe(key) is None}
    for trial in in_order:
        needed.update(training.key for training in trial.to_train(store))
    return Plan(in_order, nodes, forecast, measured, set(forecast.pieces) - needed, space.keep)
