"""English dev during the target stages: what early stopping saw."""

from dataclasses import dataclass

from xit_ray.track.state import State


@dataclass(frozen=True)
class Curve:
    """One trial's."""

    trial: str
    row: str
    target: str
    points: list[tuple[int, float]]
    """Step and best English dev so far."""
    stopped: bool
    """Whether early stopping ended it."""


def curves(state: State) -> list[Curve]:
    """Of all trials, in the order in which they started."""
    several = len({trial.cell.model for trial in state.trials.values()}) > 1
    return [
        Curve(
            trial.key,
            trial.cell.row(several),
            trial.cell.target,
            [(step, best) for step, _, best in trial.reports],
            trial.status == "stopped",
        )
        for trial in state.trials.values()
    ]
