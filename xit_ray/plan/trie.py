"""The trie of recipe prefixes: every stage a list of trials needs, once, with the trials that share it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from xit_ray.core.sampling import total_steps
from xit_ray.plan.planner import Planner, Trial
from xit_ray.stages.work import Training


@dataclass
class Node:
    """A stage: the work, its steps, and the keys of the trials that need it."""

    training: Training
    depth: int
    steps: int
    trials: list[str] = field(default_factory=list)


def trie(trials: Iterable[Trial], planner: Planner) -> dict[str, Node]:
    """The nodes by fingerprint, parents before children."""
    nodes: dict[str, Node] = {}
    for trial in trials:
        for depth, training in enumerate(trial.trainings):
            if training.key not in nodes:
                mixture = training.stage.mixture
                assert mixture is not None
                sizes = [planner.row_count(m.task, m.language, m.examples) for m in mixture.members]
                nodes[training.key] = Node(training, depth, total_steps(training.stage, sizes))
            nodes[training.key].trials.append(trial.key)
    return nodes


def in_good_order(trials: list[Trial]) -> list[Trial]:
    """The trials such that those that begin with different stages come first, so that few wait for each other."""
    seen: dict[str, int] = {}
    ranked = []
    for position, trial in enumerate(trials):
        first = trial.trainings[0].key
        seen[first] = seen.get(first, 0) + 1
        # Longer recipes first within a rank: what they begin with is what others wait for.
        ranked.append((seen[first], -len(trial.trainings), position, trial))
    return [trial for *_, trial in sorted(ranked, key=lambda entry: entry[:3])]
