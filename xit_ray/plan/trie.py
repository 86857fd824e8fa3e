"""The trie of recipe prefixes: every stage a list of trials needs, once, with the trials that share it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from xit_ray.plan.trial import Trial
from xit_ray.stages.work import Training


@dataclass
class Node:
    """A stage: the work, how many stages come before it, and the keys of the trials that need it."""

    training: Training
    depth: int
    trials: list[str] = field(default_factory=list)


def trie(trials: Iterable[Trial]) -> dict[str, Node]:
    """The nodes by fingerprint, parents before children."""
    nodes: dict[str, Node] = {}
    for trial in trials:
        for depth, training in enumerate(trial.trainings):
            nodes.setdefault(training.key, Node(training, depth)).trials.append(trial.key)
    return nodes


def in_good_order(trials: list[Trial], nodes: dict[str, Node]) -> list[Trial]:
    """The trials by critical path: those first whose first stage has the most steps waiting behind it, and of those that
    begin alike one at a time, so that few wait for each other; the longest of them first, so that all end together."""
    length = {trial.key: trial.steps for trial in trials}
    behind: dict[str, int] = {}
    for trial in trials:
        first = trial.trainings[0].key
        behind[first] = behind.get(first, 0) + length[trial.key]
    seen: dict[str, int] = {}
    ranked = []
    for trial in sorted(trials, key=lambda trial: -length[trial.key]):
        first = trial.trainings[0].key
        seen[first] = seen.get(first, 0) + 1
        ranked.append((seen[first], -behind[first], trial))
    return [trial for *_, trial in sorted(ranked, key=lambda entry: entry[:2])]
