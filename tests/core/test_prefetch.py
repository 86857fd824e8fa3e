"""Making batches ahead of their use."""

import threading

import pytest
import torch

from xit_ray.core.prefetch import ahead


def test_items_come_in_order_with_what_is_made_of_them() -> None:
    assert list(ahead(iter(range(10)), lambda item: item**2)) == [(item, item**2) for item in range(10)]


def test_an_error_is_raised_where_its_result_would_have_come() -> None:
    def make(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        return item

    made = ahead(iter(range(4)), make)
    assert [next(made), next(made)] == [(0, 0), (1, 1)]
    with pytest.raises(ValueError, match="two"):
        next(made)


def test_leaving_early_ends_the_thread() -> None:
    before = threading.active_count()
    made = ahead(iter(range(1000)), lambda item: item)
    next(made)
    made.close()
    assert threading.active_count() == before


def test_the_thread_computes_alone_whatever_the_training_thread_does() -> None:
    """Two teams of threads on the same cores make both wait asleep (a fifth of training's speed, once)."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        made = list(ahead(iter(range(3)), lambda _: torch.get_num_threads()))
        assert made == [(0, 1), (1, 1), (2, 1)]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
