"""Which folders get to a cluster's machines, and what a space is called there."""

from pathlib import Path

import pytest
import yaml

from xit_ray.cluster.mounts import Mounts, moved
from xit_ray.spec.errors import UserError
from xit_ray.spec.space import Space


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with data, a model and runs, and a cluster's file that takes it to the machines."""
    for name in (
        "repository/xit_ray",
        "repository/data",
        "repository/models/tiny",
        "repository/runs/data",
        "elsewhere",
    ):
        (tmp_path / name).mkdir(parents=True)
    tree = {
        "provider": {"type": "aws"},
        "file_mounts": {"/home/ubuntu/xit_ray": str(tmp_path / "repository"), "/token": str(tmp_path / "token")},
        "rsync_exclude": [".git", "runs", "**/__pycache__"],
    }
    (tmp_path / "cluster.yaml").write_text(yaml.safe_dump(tree))
    return tmp_path


def space(folder: Path, **more: object) -> Space:
    stages = [{"mixture": "mini_nli"}]
    tree = {
        "name": "s",
        "recipe": {"stages": stages, "model": "offline:minilm"},
        "store": "s3://b/x",
        "output": "elsewhere",
    }
    return Space.model_validate(tree | more)


def test_folders_are_named_as_the_machines_know_them(folder: Path) -> None:
    mounts = Mounts(folder / "cluster.yaml")
    assert mounts.home == "/home/ubuntu/xit_ray"
    models = {"grid": [str(folder / "repository/models/tiny"), {"name": "xlm-roberta/base", "revision": "a" * 40}]}
    there = moved(
        space(
            folder,
            data=f"mirror:{folder}/repository/data",
            recipe={"stages": [{"mixture": "mini_nli"}], "model": models},
            tasks=[
                {"name": "own", "kind": "masked LM", "files": {"train": "a.txt"}, "folder": f"{folder}/repository/data"}
            ],
        ),
        mounts,
    )
    assert there.data == "mirror:/home/ubuntu/xit_ray/data"
    assert there.recipe["model"]["grid"] == ["/home/ubuntu/xit_ray/models/tiny", models["grid"][1]]
    assert there.tasks[0].folder == "/home/ubuntu/xit_ray/data"
    assert (there.output, there.store) == ("runs", "s3://b/x")
    assert moved(space(folder, data="hub"), mounts).data == "hub"


@pytest.mark.parametrize("where", ["elsewhere", "repository/runs/data", "repository/../elsewhere"])
def test_a_folder_that_stays_behind_is_refused(folder: Path, where: str) -> None:
    with pytest.raises(UserError, match=r"data: .* is on this machine alone; .*file_mounts.*rsync_exclude"):
        moved(space(folder, data=str(folder / where)), Mounts(folder / "cluster.yaml"))


def test_a_store_on_the_head_alone_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match=r"store: 'elsewhere/store' would be on the head alone; .*s3://"):
        moved(space(folder, store=None), Mounts(folder / "cluster.yaml"))


@pytest.mark.parametrize(("text", "words"), [("a: [", "cannot be read"), ("name: x", "is not a cluster's file")])
def test_what_is_no_cluster_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(UserError, match=words):
        Mounts(tmp_path / "c.yaml")
