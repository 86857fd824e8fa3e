"""Work adds up, and takes the time its FLOPs take."""

import pytest

from xit_ray.plan.workload import Throughput, Workload


def test_seconds_of_a_sum_are_those_of_its_parts_and_one_start() -> None:
    speed = Throughput(training=4.0, scoring=8.0, start=0.5)
    one, other = Workload(10, 8.0, 0.0), Workload(5, 4.0, 16.0)
    assert one + other == Workload(15, 12.0, 16.0)
    assert (one + other).flops == one.flops + other.flops == 28.0
    assert speed.seconds(other) == pytest.approx(0.5 + 1.0 + 2.0)
    assert speed.seconds(one + other) == pytest.approx(speed.seconds(one) + speed.seconds(other) - speed.start)
