"""From an empty account to a matrix and home again, while machines are refused, taken, and lost with the head.

``make lab`` runs it; it takes about ten minutes, and root.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

from tests.lab.region import BUCKET, GATEWAY, ROOT, Region, missing, region, until
from tests.search.searching import events, mlflow_runs, search, table
from xit_ray.testing.encoders import tiny_encoder

pytestmark = [pytest.mark.lab, pytest.mark.skipif(missing() is not None, reason=f"the lab {missing()}")]

STORE = f"s3://{BUCKET}/xit_ray"
NLI, PARAPHRASE = ({"task": task, "examples": 400} for task in ("mini_nli", "mini_paraphrase"))
SPACE = {
    "name": "walk",
    "recipe": {
        "model": "lab-model",
        "stages": [
            {
                "mixture": {"grid": [None, NLI, PARAPHRASE, [NLI, PARAPHRASE]]},
                "learning_rate": 1e-3,
                "batch_size": 16,
                "epochs": 60,
                "evaluations": 20,
            },
            {
                "mixture": {"grid": [{"task": task, "examples": 200} for task in ("mini_nli", "mini_paraphrase")]},
                "learning_rate": 1e-3,
                "batch_size": 16,
                "epochs": 30,
            },
        ],
    },
    "zero_shot": {"languages": ["en", "de"]},
    "resources": {"runs": 2, "snapshot_minutes": 0.02, "rescue_minutes": 1.2},
}


NOTICE_SECONDS = 120
"""Between a notice and the end of a spot machine, as EC2 has it."""
OF_TIME = "cost/", "device_seconds"
"""How the names of metrics begin that tell of time."""


@dataclass
class Lab:
    """What the tests share."""

    region: Region
    cluster: str
    """The cluster's file."""
    space: str
    lost: list[dict[str, Any]] = field(default_factory=list)
    """What each fault cost."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    model = ROOT / "lab-model"
    model.mkdir(exist_ok=True)
    tiny_encoder(model)
    (folder / "space.yaml").write_text(yaml.safe_dump(SPACE))
    tree = adapted(yaml.safe_load((ROOT / "clusters/aws.yaml").read_text()))
    (folder / "cluster.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    with region(folder) as made:
        made.aws(
            "boto3.client('cloudformation').create_stack(StackName='xit-ray', Capabilities=['CAPABILITY_NAMED_IAM'], "
            f"TemplateBody=open('clusters/aws-account.yaml').read(), Parameters=[{{'ParameterKey': k, 'ParameterValue': v}} "
            f"for k, v in {{'BucketName': '{BUCKET}', 'CallerAddress': '{GATEWAY}/32'}}.items()])"
        )
        yield Lab(made, str(folder / "cluster.yaml"), str(folder / "space.yaml"))
    for file in model.iterdir():
        file.unlink()
    model.rmdir()


def adapted(tree: dict[str, Any]) -> dict[str, Any]:
    """The shipped file, with all that the lab changes: no apt and no pip (the machines see this checkout's environment), a
    short time-out, and one CPU per worker, whose GPU is a name."""
    tree["setup_commands"] = ["test -x ~/venv/bin/python"]
    tree["idle_timeout_minutes"] = 0.5
    for kind in ("worker", "worker_large", "rescue"):
        tree["available_node_types"][kind]["resources"] |= {"CPU": 1, "GPU": 1}
    return tree


def status(lab: Lab, run: str = "walk") -> str:
    return lab.region.xit("status", lab.cluster, run)


def trained(lab: Lab) -> list[str]:
    """Lines of what has been trained so far."""
    lines = lab.region.xit("logs", lab.cluster, "walk", "--lines", "400").splitlines()
    return [line for line in lines if " is trained, " in line]


def test_ray_up_makes_a_head_as_the_account_allows(lab: Lab) -> None:
    lab.region.laptop("ray", "up", "-y", "--no-config-cache", lab.cluster)
    (asked,) = lab.region.calls("RunInstances")
    assert asked["InstanceType"] == "m6i.2xlarge"
    assert asked["IamInstanceProfile.Name"] == "xit-ray-head"
    assert asked["MetadataOptions.HttpTokens"] == "required"
    groups = lab.region.aws("boto3.client('ec2').describe_security_groups(GroupNames=['xit-ray'])")["SecurityGroups"]
    assert [group["GroupId"] for group in groups] == [asked["SecurityGroupId.1"]]
    for action in ("CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "CreateRole", "PutRolePolicy"):
        assert lab.region.calls(action) == []  # what the account's stack has suffices
    assert lab.region.machines("spot", "on-demand") == []


def test_a_space_whose_data_stays_behind_is_refused_on_the_laptop(lab: Lab, tmp_path: Path) -> None:
    refused = ["submit", lab.cluster, lab.space, "--set", f"store={STORE}", "--data", str(tmp_path)]
    with pytest.raises(AssertionError, match="is on this machine alone"):
        lab.region.xit(*refused)
    with pytest.raises(AssertionError, match="would be on the head alone"):
        lab.region.xit("submit", lab.cluster, lab.space)


def test_what_the_head_refuses_is_told_on_the_laptop(lab: Lab) -> None:
    with pytest.raises(AssertionError, match="there is no such run"):
        lab.region.xit("status", lab.cluster, "absent")
    with pytest.raises(AssertionError, match="did you mean 'mini_nli'"):
        lab.region.xit(
            "submit", lab.cluster, lab.space, "--set", f"store={STORE}", "--set", "recipe.stages.1.mixture=mini_nil"
        )


def test_a_search_outlives_its_connection_and_machines_that_are_refused(lab: Lab) -> None:
    (lab.region.folder / "no_spot").touch()
    said = lab.region.xit("submit", lab.cluster, lab.space, "--set", f"store={STORE}")
    assert "walk is at work on the head, and needs this machine no more" in said
    until(lambda: "InsufficientInstanceCapacity" in status(lab), 150)
    assert "at work" in status(lab)
    # After a while on-demand machines are asked for in their place.
    seconds = until(lambda: lab.region.machines("on-demand"), 120)
    assert {asked["IamInstanceProfile.Name"] for asked in lab.region.calls("RunInstances")[1:]} == {"xit-ray-worker"}
    (lab.region.folder / "no_spot").unlink()
    until(lambda: trained(lab), 200)
    lab.lost.append({"fault": "no spot capacity", "seconds": 60 * SPACE["resources"]["rescue_minutes"] + seconds})


def begun(lab: Lab) -> Counter[str]:
    """How often training of each stage began, by the journal on the head."""
    return Counter(event.key for event in events(on_head(lab, "runs/walk")) if event.kind == "stage_started")


def on_head(lab: Lab, name: str) -> Path:
    """A file or folder of the head's user."""
    (head,) = lab.region.machines("head")
    (found,) = (lab.region.folder / "machines" / head / "upper/home/ubuntu").glob(f"**/{name}")
    return found


def test_work_is_handed_on_while_the_machine_that_will_be_taken_is_still_there(lab: Lab) -> None:
    workers, before = lab.region.machines("spot", "on-demand"), begun(lab)
    began = time.monotonic()
    for worker in workers:
        lab.region.announce(worker)
    until(lambda: any(count > max(before[key], 1) for key, count in begun(lab).items()), NOTICE_SECONDS)
    again = time.monotonic() - began
    assert set(workers) & set(lab.region.machines("spot", "on-demand"))
    lab.lost.append({"fault": f"{len(workers)} workers announced, until a stage goes on elsewhere", "seconds": again})


def test_workers_that_are_taken_cost_no_stage(lab: Lab) -> None:
    """All of them, those that came after the notice without a word."""
    workers = lab.region.machines("spot", "on-demand")
    began = time.monotonic()
    lab.region.terminate(*workers)
    so_far = len(trained(lab))
    until(lambda: len(trained(lab)) > so_far, 300)
    lab.lost.append({"fault": f"{len(workers)} workers terminated", "seconds": time.monotonic() - began})


def test_a_lost_head_is_replaced_and_the_run_goes_on_from_the_store(lab: Lab, tmp_path: Path) -> None:
    began = time.monotonic()
    everything = "head", "spot", "on-demand"
    lab.region.terminate(*lab.region.machines(*everything))
    until(lambda: not lab.region.machines(*everything), 60)
    lab.region.laptop("ray", "up", "-y", "--no-config-cache", lab.cluster)
    lab.region.xit("submit", lab.cluster, "--resume", f"{STORE}/runs/walk")
    so_far = len(trained(lab))
    until(lambda: len(trained(lab)) > so_far or "finished" in status(lab), 300)
    lab.lost.append({"fault": "head and workers destroyed", "seconds": time.monotonic() - began})
    until(lambda: "finished" in status(lab), 600)
    until(lambda: not lab.region.machines("spot", "on-demand"), 200)  # 0 → N → 0

    told = mlflow_records(f"sqlite:///{on_head(lab, 'mlflow.db')}", "walk")
    lab.region.xit("fetch", lab.cluster, "walk", "--output", str(tmp_path))
    walked = tmp_path / "walk"
    undisturbed = tmp_path / "alone"
    space = {**SPACE, "name": "alone", "recipe": {**SPACE["recipe"], "model": str(ROOT / "lab-model")}}
    (tmp_path / "alone.yaml").write_text(yaml.safe_dump(space))
    ended = search(str(tmp_path / "alone.yaml"), "--output", str(tmp_path))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert numbers(table(walked, "scores")) == numbers(table(undisturbed, "scores"))
    assert numbers(table(walked, "matrix")) == numbers(table(undisturbed, "matrix"))
    assert told == mlflow_records(f"sqlite:///{tmp_path}/mlflow.db", "alone")
    published = [event.key for event in events(walked) if event.kind == "stage_published"]
    assert len(published) == len(set(published)), "a stage was trained twice"
    for row in lab.lost:
        print(f"{row['fault']}: {row['seconds']:.0f} s")


def mlflow_records(address: str, experiment: str) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """What MLflow has of a search's trials and stages, but for what differs from machine to machine and from time to time:
    kind, name, metrics, and curves."""
    client, found = MlflowClient(address), list[tuple[str, str, dict[str, Any], dict[str, Any]]]()
    for run in mlflow_runs(address, experiment):
        metrics = {name: f"{value:.9g}" for name, value in run.data.metrics.items() if not name.startswith(OF_TIME)}
        curves = {
            name: sorted(
                (point.step, f"{point.value:.9g}") for point in client.get_metric_history(run.info.run_id, name)
            )
            for name in metrics
            if name.startswith(("dev/", "train/"))
        }
        kind = run.data.tags["xit.kind"]
        found.append((kind, "" if kind == "search" else run.info.run_name, metrics, curves))
    return sorted(found, key=lambda one: one[:2])


def numbers(rows: list[dict[str, Any]]) -> list[list[str]]:
    """Rows without what differs from machine to machine: the model's folder, and the names and times that follow from it."""
    floats = [[f"{value:.12g}" for value in row.values() if isinstance(value, float)] for row in rows]
    return sorted(floats)


def test_ray_down_leaves_nothing(lab: Lab) -> None:
    lab.region.laptop("ray", "down", "-y", lab.cluster)
    until(lambda: not lab.region.machines("head", "spot", "on-demand"), 60)
