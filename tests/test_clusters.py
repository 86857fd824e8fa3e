"""Cluster files, checked by Ray's own configuration code and by what Ray does not check."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import ray
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from xit_ray.search.machines import OTHER, RESCUE
from xit_ray.search.runtime import DRIVERS
from xit_ray.search.worker_groups import worker_resources
from xit_ray.spec.space import Resources

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def account(s3: str) -> Iterator[dict[str, Any]]:
    """What clusters/aws-account.yaml makes of an account, by kind; the account is moto's."""
    region = {"region_name": "us-west-2"}
    stacks = boto3.client("cloudformation", **region)
    template = (ROOT / "clusters/aws-account.yaml").read_text()
    given = {"BucketName": "xit-ray-of-somebody", "CallerAddress": "203.0.113.7/32"}
    stacks.create_stack(
        StackName="xit-ray",
        TemplateBody=template,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    try:
        (group,) = boto3.client("ec2", **region).describe_security_groups(
            Filters=[{"Name": "group-name", "Values": ["xit-ray"]}]
        )["SecurityGroups"]
        iam = boto3.client("iam", **region)
        yield {
            "group": group,
            "profiles": {p["InstanceProfileName"] for p in iam.list_instance_profiles()["InstanceProfiles"]},
            "head": _policy(iam.get_role_policy(RoleName="xit-ray-head", PolicyName="start-and-stop-workers")),
            "worker": iam.list_role_policies(RoleName="xit-ray-worker")["PolicyNames"],
            "worker_arn": iam.get_role(RoleName="xit-ray-worker")["Role"]["Arn"],
            "buckets": {b["Name"] for b in boto3.client("s3", **region).list_buckets()["Buckets"]},
        }
    finally:
        stacks.delete_stack(StackName="xit-ray")


def _policy(answer: dict[str, Any]) -> dict[str, Any]:
    """A policy's document; where a template made it moto gives it as text."""
    document = answer["PolicyDocument"]
    return dict(yaml.safe_load(document) if isinstance(document, str) else document)


def test_the_account_lets_in_one_address_and_the_machines_themselves(account: dict[str, Any]) -> None:
    rules = account["group"]["IpPermissions"]
    ssh = [rule for rule in rules if rule["IpRanges"]]
    assert [(r["FromPort"], r["ToPort"], [i["CidrIp"] for i in r["IpRanges"]]) for r in ssh] == [
        (22, 22, ["203.0.113.7/32"])
    ]
    among = [pair["GroupId"] for rule in rules for pair in rule["UserIdGroupPairs"]]
    assert among == [account["group"]["GroupId"]]


def test_roles_may_do_what_their_machines_do(account: dict[str, Any], aws: dict[str, Any]) -> None:
    allowed = {
        action: statement
        for statement in account["head"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert {"ec2:RunInstances", "ec2:TerminateInstances", "iam:PassRole", "ssm:GetParameters"} <= set(allowed)
    assert allowed["iam:PassRole"]["Resource"] == account["worker_arn"]
    assert allowed["ec2:TerminateInstances"]["Condition"]["StringEquals"] == {
        "ec2:ResourceTag/ray-cluster-name": aws["cluster_name"]
    }
    assert not any(action in ("*", "ec2:*", "iam:*", "s3:*") for action in allowed)
    assert account["worker"] == []  # the bucket's policy is all it has
    assert account["buckets"] >= {"xit-ray-of-somebody"}


def test_the_cluster_file_names_what_the_account_has(account: dict[str, Any], aws: dict[str, Any]) -> None:
    assert aws["provider"]["security_group"] == {"GroupName": account["group"]["GroupName"]}
    for node in aws["available_node_types"].values():
        assert node["node_config"]["IamInstanceProfile"]["Name"] in account["profiles"]
    ami = aws["available_node_types"]["head"]["node_config"]["ImageId"]
    assert ami.startswith("resolve:ssm:/aws/service/deeplearning/")


def test_ray_leaves_the_accounts_security_group_as_it_is(
    account: dict[str, Any], aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray's own group would let in ssh from everywhere."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    from ray.autoscaler._private.aws import config

    aws["provider"]["_skip_availability_zone_check"] = True
    prepared = prepare_config(copy.deepcopy(aws))
    prepared["auth"]["ssh_private_key"] = "~/key.pem"
    ready = config._configure_security_group(config._configure_subnet(prepared))
    for node in ready["available_node_types"].values():
        assert node["node_config"]["SecurityGroupIds"] == [account["group"]["GroupId"]]
    (after,) = boto3.client("ec2").describe_security_groups(GroupIds=[account["group"]["GroupId"]])["SecurityGroups"]
    assert after["IpPermissions"] == account["group"]["IpPermissions"]


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
    head = aws["available_node_types"]["head"]
    assert aws["head_node_type"] == "head"
    assert "InstanceMarketOptions" not in head["node_config"]
    assert head["resources"]["CPU"] == 0
    assert head["resources"][DRIVERS] > 0
    for worker in (aws["available_node_types"][name] for name in ("worker", "worker_large")):
        assert worker["node_config"]["InstanceMarketOptions"]["MarketType"] == "spot"
        assert (worker["min_workers"], worker["max_workers"]) == (0, aws["max_workers"])


def test_the_environment_is_the_tested_one(aws: dict[str, Any]) -> None:
    commands = " ".join(aws["setup_commands"])
    assert "-c constraints.txt" in commands
    assert "[gpu,offline]" in commands
    start = " ".join(aws["head_start_ray_commands"])
    assert "--dashboard-host=127.0.0.1" in start
    assert start.index("RAY_AUTOSCALER_RECONCILE_REQUEST_STATUS_TIMEOUT_S=60") < start.index("ray start")


CLUSTERS = ["aws.yaml", "gcp.yaml", "on_prem.yaml"]


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_cluster_is_what_ray_accepts_and_safe_as_it_stands(name: str) -> None:
    tree = yaml.safe_load((ROOT / "clusters" / name).read_text())
    validate_config(prepare_config(copy.deepcopy(tree)))
    for role in ("head", "worker"):
        start = " ".join(tree[f"{role}_start_ray_commands"])
        assert start.index("RAY_AUTH_MODE=token") < start.index("ray start")
    assert [here for here in tree["file_mounts"].values() if here.endswith(".ray/auth_token")]
    assert "--dashboard-host=127.0.0.1" in " ".join(tree["head_start_ray_commands"])
    assert {".git", ".venv", "runs"} <= set(tree["rsync_exclude"])


@pytest.mark.parametrize("name", ["aws.yaml", "gcp.yaml"])
def test_machines_for_the_rescue_are_asked_for_after_spot_ones(name: str) -> None:
    types = yaml.safe_load((ROOT / "clusters" / name).read_text())["available_node_types"]
    assert types["rescue"]["resources"][RESCUE] == 1
    assert types["worker"]["priority"] > types["rescue"].get("priority", 0)
    assert RESCUE not in types["worker"]["resources"]
    assert "spot" in str(types["worker"]["node_config"]).lower()
    assert "spot" not in str(types["rescue"]["node_config"]).lower()


def test_kubernetes_head_trains_nothing_and_workers_come_from_zero() -> None:
    """By the code with which Ray's autoscaler reads such a cluster; KubeRay's own schema of a RayJob is not in Python."""
    from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr

    job = yaml.safe_load((ROOT / "clusters/kuberay.yaml").read_text())
    cluster = job["spec"]["rayClusterSpec"]
    ready = _derive_autoscaling_config_from_ray_cr({"metadata": job["metadata"], "spec": cluster})
    head, worker = (ready["available_node_types"][name] for name in ("headgroup", "gpu"))
    assert head["resources"]["CPU"] == 0
    assert head["resources"][DRIVERS] > 0
    assert worker["resources"]["GPU"] == 1
    assert (worker["min_workers"], worker["max_workers"]) == (0, 8)
    assert f"resources.runs={worker['max_workers']}" in job["spec"]["entrypoint"]
    assert cluster["authOptions"] == {"mode": "token"}
    assert cluster["autoscalerOptions"]["version"] == "v2"
    assert cluster["rayVersion"] == ray.__version__
    assert f"rayproject/ray:{ray.__version__}-" in (ROOT / "clusters/Dockerfile").read_text()


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ({"CPU": 1, "GPU": 1}, "worker"),
        ({OTHER: 1}, "worker_large"),
        ({RESCUE: 1}, "rescue"),
        (worker_resources(Resources(gpus=1), 24), "worker"),
        (worker_resources(Resources(gpus=1), 48), "worker_large"),
    ],
)
def test_ray_starts_the_kind_of_machine_that_is_asked_for(
    aws: dict[str, Any], wanted: dict[str, float], given: str
) -> None:
    from ray.autoscaler.v2.instance_manager.config import NodeTypeConfig
    from ray.autoscaler.v2.scheduler import ResourceDemandScheduler, SchedulingRequest
    from ray.autoscaler.v2.utils import ResourceRequestUtil

    worker = {"CPU": 8, "GPU": 1}  # what Ray fills in for these instances
    kinds = {
        name: NodeTypeConfig(
            name=name,
            min_worker_nodes=kind.get("min_workers", 0),
            max_worker_nodes=kind.get("max_workers", 0),
            resources=kind["resources"] if name == "head" else worker | kind["resources"],
            priority=kind.get("priority", 0),
        )
        for name, kind in aws["available_node_types"].items()
    }
    request = SchedulingRequest(
        disable_launch_config_check=True,
        node_type_configs=kinds,
        max_num_nodes=aws["max_workers"] + 1,
        resource_requests=ResourceRequestUtil.group_by_count([ResourceRequestUtil.make(wanted)]),
    )
    assert [launch.instance_type for launch in ResourceDemandScheduler().schedule(request).to_launch] == [given]
