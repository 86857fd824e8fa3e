"""Scores of ranked lists."""

from collections.abc import Sequence

FIRST = 20
"""How much of a list is looked at, in LAReQA and Mewsli-X."""


def average_precision(relevant: Sequence[bool], total: int, first: int = FIRST) -> float:
    """Average precision of the head of a list: the mean, over the relevant candidates, of the precision where each is
    found; those that could stand in the head but do not count 0 (Roy et al. 2020, LAReQA).

    Args:
        relevant: whether each candidate of the list is relevant, the best first.
        total: relevant candidates in the pool.
        first: length of the head.

    Raises:
        ValueError: nothing in the pool is relevant.
    """
    if not total:
        raise ValueError("a query without a relevant candidate")
    hits, precision = 0, 0.0
    for place, good in enumerate(relevant[:first], start=1):
        if good:
            hits += 1
            precision += hits / place
    return precision / min(total, first)
