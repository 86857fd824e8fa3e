"""Plugins, as docs/extending.md writes them: the page's own code, in a package that is found by its entry points."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
STAGES = [
    {"mixture": {"grid": [None, {"task": "mini_nli", "examples": 64}]}},
    {"mixture": {"task": "mini_paraphrase", "examples": 64}},
]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder for ``PYTHONPATH`` with the page's modules and their entry points."""
    page = (ROOT / "docs/extending.md").read_text("utf-8")
    folder, about = tmp_path / "path/my_package", tmp_path / "path/my_package-1.0.dist-info"
    folder.mkdir(parents=True)
    about.mkdir()
    (folder / "__init__.py").touch()
    for name, code in re.findall(r"```python\n# my_package/(\w+)\.py\n(.*?)```", page, re.DOTALL):
        (folder / f"{name}.py").write_text(code)
    names = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    assert names == {"tasks", "bandit", "patient", "notes", "leep"}
    points = "".join(
        f"[xit_ray.{group}]\n{name} = my_package.{name}:{thing}\n"
        for group, name, thing in (
            ("tasks", "tasks", "TASKS"),
            ("searchers", "bandit", "bandit"),
            ("schedulers", "patient", "patient"),
            ("trackers", "notes", "Notes"),
            ("estimators", "leep", "leep"),
        )
    )
    (about / "entry_points.txt").write_text(points)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 1.0\n")
    return tmp_path / "path"


def _search(folder: Path, path: Path, model: Path, **more: object) -> "subprocess.CompletedProcess[str]":
    recipe = {"model": str(model), "stages": STAGES}
    space = {"name": "plugged", "recipe": recipe, "zero_shot": {"languages": ["en", "de"]}, **more}
    (folder / "space.yaml").write_text(yaml.safe_dump(space))
    command = [sys.executable, "-m", "xit_ray.search", "space.yaml", "--output", "runs"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=400)


@pytest.mark.ray
@pytest.mark.slow
def test_a_searcher_a_rule_and_a_tracker_of_another_package(package: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    ended = _search(
        tmp_path, package, tiny_encoder, search={"algorithm": "bandit", "trials": 3}, scheduler={"name": "patient"},
        trackers=["notes"],
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    notes = (tmp_path / "runs/plugged/notes.txt").read_text().splitlines()
    scored = len(pq.read_table(tmp_path / "runs/plugged/scores.parquet").to_pandas()["trial"].unique())
    assert notes[0].startswith("started: ")
    assert len({line for line in notes if line.startswith("scored: ")}) == scored > 0
    assert notes[-1] == "ended: FINISHED"


@pytest.mark.ray
@pytest.mark.slow
def test_an_estimator_of_another_package(package: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    ended = _search(tmp_path, package, tiny_encoder, preselection={"by": "leep", "rows": 32, "keep": 1.0})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = pq.read_table(tmp_path / "runs/plugged/preselection.parquet").to_pylist()
    assert {row["intermediate"]: row["estimate"] for row in rows} == {"none": 1.0, "mini_nli#64": 2.0}


def listed(path: Path, points: str) -> "subprocess.CompletedProcess[str]":
    """``xit data list`` with other entry points in the package."""
    (path / "my_package-1.0.dist-info/entry_points.txt").write_text(points)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}"}
    command = [sys.executable, "-m", "xit_ray.data", "list"]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)


@pytest.mark.parametrize(
    ("points", "code", "said"),
    [
        ("[xit_ray.tasks]\nmine = my_package.tasks:REVIEWS\n", None, None),
        (
            "[xit_ray.tasks]\nmine = my_package.odd:FIVE\n",
            "FIVE = 5",
            "xit_ray.tasks 'mine' is 5; wanted: a task or a list",
        ),
        ("[xit_ray.tasks]\nmine = my_package.odd:NAMES\n", "NAMES = ['xnli']", "is ['xnli']; wanted: a task or a list"),
        ("[xit_ray.tasks]\nmine = my_package.odd:X\n", "raise ValueError('at import')", "ValueError: at import"),
        ("[xit_ray.tasks]\nmine = my_package.odd:X\n", "def", "SyntaxError: "),
        (
            "[xit_ray.task]\nmine = my_package.tasks:TASKS\n",
            None,
            "found the group 'xit_ray.task'; allowed: xit_ray.tasks",
        ),
    ],
)
def test_a_task_of_another_package_is_listed_and_a_wrong_one_is_one_line(
    package: Path, points: str, code: str | None, said: str | None
) -> None:
    if code is not None:
        (package / "my_package/odd.py").write_text(code)
    ended = listed(package, points)
    if said is None:
        assert ended.returncode == 0, ended.stderr
        assert "reviews" in ended.stdout
    else:
        assert (ended.returncode, len(ended.stderr.strip().splitlines())) == (2, 1), ended.stderr
        assert said in ended.stderr


def test_a_name_that_nobody_adds_and_a_plugin_that_cannot_be_loaded(
    package: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    unknown = _search(tmp_path, package, tiny_encoder, scheduler={"name": "bandit"})
    assert unknown.returncode == 2
    assert "patient" in unknown.stderr.splitlines()[-1]
    (package / "my_package/patient.py").write_text("import no_such_library\n")
    broken = _search(tmp_path, package, tiny_encoder, scheduler={"name": "patient"})
    assert broken.returncode == 2, broken.stdout + broken.stderr
    assert "'patient' cannot be loaded from my_package.patient:patient" in broken.stderr.splitlines()[-1]
