"""Machines that are taken away are no failures of the trials that worked on them, however many there are."""

import time
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from tests.search.searching import begun, events, on_cluster, table, write_space
from xit_ray.search.runtime import DRIVER_SLOTS, DRIVERS

STAGES = [{"mixture": {"task": "mini_paraphrase", "examples": 480}, "batch_size": 8, "epochs": 12, "evaluations": 20}]


@pytest.mark.alone
def test_two_machines_lost_in_a_stage_cost_a_trial_no_try(tiny_encoder: Path, tmp_path: Path) -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "resources": {DRIVERS: DRIVER_SLOTS}})
    machine = cluster.add_node(num_cpus=1)
    resources = {"runs": 1, "retries": 0, "snapshot_minutes": 0.005}
    space = write_space(tmp_path, tiny_encoder, STAGES, zero_shot={"languages": ["en", "de"]}, resources=resources)
    run = tmp_path / "runs/tiny"
    driver = on_cluster(cluster.address, space, tmp_path / "runs")
    try:
        for losses in (1, 2):
            deadline = time.monotonic() + 120
            while len(begun(run)) < losses or not _progress_since(run, losses):
                assert time.monotonic() < deadline
                assert driver.poll() is None
                time.sleep(0.1)
            cluster.remove_node(machine, allow_graceful=False)
            machine = cluster.add_node(num_cpus=1)
        printed, _ = driver.communicate(timeout=200)
        assert driver.returncode == 0, printed
    finally:
        driver.kill()
        cluster.shutdown()
    assert [row["status"] for row in table(run, "trials")] == ["done"]
    assert len(begun(run)) == 3
    assert not [event for event in events(run) if event.kind == "trial_crashed"]
    # It went on from snapshots: no step was scored twice.
    steps = [event.step for event in events(run) if event.kind == "stage_progress"]
    assert steps == sorted(set(steps))


def _progress_since(run: Path, number: int) -> bool:
    """Whether the stage has been scored twice since it began for the n-th time."""
    since = begun(run)[number - 1]
    return sum(event.kind == "stage_progress" and event.time > since for event in events(run)) >= 2
