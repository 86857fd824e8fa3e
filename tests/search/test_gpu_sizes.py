"""Which machines a trial's training fits on, where a cluster's GPUs differ."""

from pathlib import Path

import pytest

from tests.search.searching import join_ray
from xit_ray.search import gpu_sizes
from xit_ray.search.worker_groups import worker_resources
from xit_ray.spec.errors import UserError
from xit_ray.spec.space import Resources


def test_the_smallest_gpu_that_is_enough_is_asked_for() -> None:
    assert gpu_sizes.size_for(16.0, 1.0, (24, 48, 80)) == 24
    assert gpu_sizes.size_for(16.0, 0.5, (24, 48, 80)) == 48
    assert gpu_sizes.size_for(60.0, 1.0, (24, 48, 80)) == 80
    assert worker_resources(Resources(gpus=1), 48) == {"CPU": 1, "GPU": 1, "xit_gpu_48gb": 0.001}


def test_where_no_machine_says_its_size_nothing_is_asked() -> None:
    assert gpu_sizes.size_for(60.0, 1.0, ()) is None
    assert worker_resources(Resources(gpus=1), None) == {"CPU": 1, "GPU": 1}


def test_what_fits_nowhere_is_told_with_what_helps() -> None:
    with pytest.raises(UserError, match=r"about 90 GB of each worker's GPU, .* declare 24, 48 GB; give 'sharded'"):
        gpu_sizes.size_for(90.0, 1.0, (24, 48))


def test_sizes_are_read_from_the_names_of_resources() -> None:
    assert gpu_sizes.declared(["GPU", "xit_gpu_80gb", "xit_gpu_24gb", "xit_gpu_24gb", "xit_other"]) == (24, 80)


def test_sizes_of_machines_that_are_still_to_come_count(tmp_path: Path) -> None:
    join_ray()
    cluster = tmp_path / "cluster.yaml"
    cluster.write_text("available_node_types: {small: {resources: {xit_gpu_24gb: 1000}}, head: {}}")
    assert gpu_sizes.of_cluster(cluster) == (24,)
