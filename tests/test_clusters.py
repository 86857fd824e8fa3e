"""Cluster files, checked by Ray's own configuration code and by what Ray does not check."""

import copy
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from xit_ray.search.runtime import DRIVERS

ROOT = Path(__file__).parent.parent


@pytest.fixture
def aws() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "clusters/aws.yaml").read_text()))


def test_ray_accepts_it(aws: dict[str, Any]) -> None:
    validate_config(prepare_config(copy.deepcopy(aws)))


def test_ray_would_refuse_a_misspelt_key(aws: dict[str, Any]) -> None:
    aws["max_worker"] = aws.pop("max_workers")
    with pytest.raises(Exception, match="max_worker"):
        validate_config(prepare_config(aws))


def test_instances_are_what_ec2s_own_model_allows(aws: dict[str, Any]) -> None:
    """Ray passes node_config on unread; botocore checks names and types before a request is sent."""
    client = boto3.client(
        "ec2", region_name=aws["provider"]["region"], aws_access_key_id="x", aws_secret_access_key="x"
    )
    model = client.meta.service_model.operation_model("RunInstances").input_shape
    assert model is not None
    from botocore.validate import ParamValidator

    known = model.members["InstanceType"].enum  # type: ignore[attr-defined]
    for node in aws["available_node_types"].values():
        report = ParamValidator().validate({"MinCount": 1, "MaxCount": 1, **node["node_config"]}, model)
        assert not report.has_errors(), report.generate_report()
        assert node["node_config"]["InstanceType"] in known


def test_head_is_on_demand_and_workers_are_spot_from_zero(aws: dict[str, Any]) -> None:
    head, worker = (aws["available_node_types"][name] for name in ("head", "worker"))
    assert aws["head_node_type"] == "head"
    assert "InstanceMarketOptions" not in head["node_config"]
    assert head["resources"]["CPU"] == 0
    assert head["resources"][DRIVERS] > 0
    assert worker["node_config"]["InstanceMarketOptions"]["MarketType"] == "spot"
    assert (worker["min_workers"], worker["max_workers"]) == (0, aws["max_workers"])


def test_the_environment_is_the_tested_one(aws: dict[str, Any]) -> None:
    commands = " ".join(aws["setup_commands"])
    assert "-c constraints.txt" in commands
    assert "[gpu,offline]" in commands
    assert "--dashboard-host=127.0.0.1" in " ".join(aws["head_start_ray_commands"])
