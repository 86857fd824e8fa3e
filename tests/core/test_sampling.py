"""Sampling: the published rules' shares, every row once an epoch, and the same batches for the same seed."""

import numpy as np
import pytest

from xit_ray.core.microbatches import shares as shares_of_workers
from xit_ray.core.microbatches import split
from xit_ray.core.sampling import BatchSchedule, plan, shares, total_steps
from xit_ray.spec.mixture import Mixture
from xit_ray.spec.recipe import Stage

SIZES = [1000, 100, 10]
MEMBERS = ["mnli", "snli", "qqp"]


@pytest.mark.parametrize(
    ("rule", "extra", "wanted"),
    [
        ("proportional", {}, [1000, 100, 10]),
        ("capped", {"cap": 50}, [50, 50, 10]),
        ("temperature", {"temperature": 2.0}, [1000**0.5, 100**0.5, 10**0.5]),
        ("uniform", {}, [1, 1, 1]),
    ],
)
def test_shares_follow_the_rule(rule: str, extra: dict[str, float], wanted: list[float]) -> None:
    mixture = Mixture.model_validate({"members": MEMBERS, "sampling": rule, **extra})
    np.testing.assert_allclose(shares(mixture, SIZES), np.array(wanted) / sum(wanted))


def test_explicit_weights() -> None:
    members = [{"task": task, "weight": weight} for task, weight in zip(MEMBERS, (3, 1, 1), strict=True)]
    mixture = Mixture.model_validate({"members": members, "sampling": "weights"})
    np.testing.assert_allclose(shares(mixture, SIZES), [0.6, 0.2, 0.2])


def test_one_epoch_sees_every_row_once() -> None:
    lengths = [np.random.default_rng(0).integers(5, 60, 1003)]
    batches = plan(Stage.model_validate({"mixture": "mnli", "batch_size": 10, "epochs": 1.003}), lengths)
    rows = np.concatenate([batch.rows for batch in batches])
    assert sorted(rows) == list(range(1003))


def test_batches_hold_rows_of_like_length() -> None:
    lengths = [np.random.default_rng(0).integers(5, 60, 4000)]
    batches = plan(Stage.model_validate({"mixture": "mnli", "batch_size": 10}), lengths)
    spread = np.mean([np.ptp(lengths[0][batch.rows]) for batch in batches])
    assert spread < 5 < np.ptp(lengths[0])


def test_a_mixture_draws_one_task_a_step_in_its_shares() -> None:
    stage = Stage.model_validate({"mixture": ["mnli", "snli"], "batch_size": 1, "epochs": 4})
    batches = plan(stage, [np.full(750, 9), np.full(250, 9)])
    assert len(batches) == total_steps(stage, [750, 250]) == 4000
    assert np.mean([set(batch.members) == {0} for batch in batches]) == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("batches", ["homogeneous", "mixed"])
def test_batches_are_a_function_of_the_seed(batches: str) -> None:
    lengths = [np.arange(1, 301), np.arange(1, 101)]

    def drawn(seed: int) -> list[tuple[list[int], list[int]]]:
        stage = Stage.model_validate({"mixture": {"members": ["mnli", "snli"], "batches": batches}, "seed": seed})
        return [(batch.members.tolist(), batch.rows.tolist()) for batch in plan(stage, lengths)]

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


def test_mixed_batches_draw_a_task_a_row_in_its_shares() -> None:
    mixture = {"members": ["mnli", "snli"], "batches": "mixed"}
    stage = Stage.model_validate({"mixture": mixture, "batch_size": 20, "epochs": 4})
    batches = plan(stage, [np.full(750, 9), np.full(250, 9)])
    assert len(batches) == 200
    members = np.stack([batch.members for batch in batches])
    assert members.mean() == pytest.approx(0.25, abs=0.03)
    assert all(set(row) == {0, 1} for row in members[:10])
    first_epoch = np.concatenate([batch.rows[batch.members == 1] for batch in batches])[:250]
    assert sorted(first_epoch) == list(range(250))


@pytest.mark.parametrize("batches", ["homogeneous", "mixed"])
@pytest.mark.parametrize("rule", ["proportional", "temperature", "progress"])
def test_batches_are_the_same_in_any_portions(batches: str, rule: str) -> None:
    mixture = {"members": ["mnli", "snli"], "batches": batches, "sampling": rule}
    stage = Stage.model_validate({"mixture": mixture, "batch_size": 8, "epochs": 2})
    lengths = [np.arange(1, 301), np.arange(1, 101)]
    schedule = BatchSchedule(stage, lengths)
    portions = [batch for steps in (1, 40, 0, 59) for batch in schedule.take(steps, ())]
    whole = plan(stage, lengths)
    assert schedule.steps == len(whole) == 100
    for one, two in zip(whole, portions, strict=True):
        assert (one.number, one.members.tolist(), one.rows.tolist()) == (
            two.number,
            two.members.tolist(),
            two.rows.tolist(),
        )


@pytest.mark.parametrize(
    ("scores", "wanted"),
    [
        ([], [0.5, 0.5]),
        ([[0.4, 0.4]], [0.5, 0.5]),  # one score says nothing of progress
        ([[0.4, 0.4], [0.4, 0.4]], [0.5, 0.5]),
        ([[0.4, 0.4], [0.7, 0.4]], [0.9, 0.1]),  # Q = (.15, 0): a tenth is the second's by the floor
        ([[0.4, 0.4], [0.5, 0.2]], [0.1 + 0.8 / 3, 0.1 + 1.6 / 3]),  # one that gets worse counts as well
        ([[0.4, 0.4], [0.8, 0.4], [0.8, 0.6]], [0.5, 0.5]),  # Q = (.2, 0), then (.1, .1)
    ],
)
def test_progress_draws_more_of_what_moves(scores: list[list[float]], wanted: list[float]) -> None:
    mixture = Mixture.model_validate({"members": ["mnli", "snli"], "sampling": "progress"})
    np.testing.assert_allclose(shares(mixture, [900, 100], scores), wanted)


def test_a_step_is_shared_whole_and_evenly() -> None:
    lengths = np.random.default_rng(0).integers(5, 128, 64)
    for world in (1, 2, 4):
        dealt = shares_of_workers(lengths, world)
        assert sorted(np.concatenate(dealt)) == list(range(64))
        tokens = [lengths[part].sum() for part in dealt]
        assert max(tokens) - min(tokens) <= lengths.max()


def test_parts_keep_within_the_token_budget() -> None:
    lengths = np.random.default_rng(0).integers(5, 128, 64)
    parts = split(lengths, np.arange(64), 512)
    assert np.concatenate(parts).tolist() == list(range(64))
    assert all(lengths[part].sum() <= 512 for part in parts)
    assert [part.tolist() for part in split(np.array([600, 5]), np.arange(2), 512)] == [[0], [1]]
    assert split(lengths, np.arange(0), 512) == []
