"""Plugins, as docs/extending.md writes them: the page's own code, in a package that is found by its entry points."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.running import run
from tests.search.searching import environment, search, typed, write_space
from xit_ray.search.schedulers import GroupedScheduler
from xit_ray.spec import plugins
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Scheduler, Space
from xit_ray.stages.estimate import estimate
from xit_ray.tasks import kinds
from xit_ray.track.trackers import trackers_of

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


@pytest.fixture
def importable(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package in this process, and gone from it afterwards."""
    monkeypatch.syspath_prepend(package)
    for known in (plugins.names, plugins.plugin):
        known.cache_clear()
    yield package / "my_package"
    for known in (plugins.names, plugins.plugin):
        known.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_package"]:
        del sys.modules[name]


def _space(folder: Path, model: Path, **more: object) -> str:
    return str(write_space(folder, model, STAGES, zero_shot={"languages": ["en", "de"]}, **more))


@pytest.mark.ray
@pytest.mark.slow
def test_a_searcher_a_rule_and_a_tracker_of_another_package(
    importable: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    more = {"search": {"algorithm": "bandit", "trials": 3}, "scheduler": {"name": "patient"}, "trackers": ["notes"]}
    ended = search(_space(tmp_path, tiny_encoder, **more), "--output", str(tmp_path / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    notes = (tmp_path / "runs/tiny/notes.txt").read_text().splitlines()
    scored = len(pq.read_table(tmp_path / "runs/tiny/scores.parquet").to_pandas()["trial"].unique())
    assert len({line for line in notes if line.startswith("scored: ")}) == scored > 0
    assert notes[-1] == "ended: finished"


@pytest.mark.ray
@pytest.mark.slow
def test_an_estimator_of_another_package(package: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    """It works in processes of Ray, which find the package as this one's do."""
    space = _space(tmp_path, tiny_encoder, preselection={"by": "leep", "rows": 32, "keep": 1.0})
    path = {**environment(), "PYTHONPATH": f"{ROOT}{os.pathsep}{package}"}
    ended = subprocess.run(
        typed(space, "--output", str(tmp_path / "runs")), capture_output=True, text=True, env=path, timeout=400
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = pq.read_table(tmp_path / "runs/tiny/preselection.parquet").to_pylist()
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
    importable: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    unknown = run("xit_ray.search", _space(tmp_path, tiny_encoder, scheduler={"name": "bandit"}))
    assert unknown.returncode == 2
    assert "patient" in unknown.stderr.splitlines()[-1]
    (importable / "patient.py").write_text("import no_such_library\n")
    broken = run("xit_ray.search", _space(tmp_path, tiny_encoder, scheduler={"name": "patient"}))
    assert broken.returncode == 2, broken.stdout + broken.stderr
    assert "'patient' cannot be loaded from my_package.patient:patient" in broken.stderr.splitlines()[-1]


def test_what_a_plugin_gives_is_looked_at(importable: Path, tmp_path: Path) -> None:
    (importable / "patient.py").write_text("def patient(settings):\n    return 5\n")
    (importable / "notes.py").write_text("def Notes(space, folder):\n    return space.name\n")
    (importable / "leep.py").write_text("def leep(context, recipe, trainings):\n    return 'high'\n")
    space = Space.model_validate(
        {"name": "s", "recipe": {"stages": STAGES}, "trackers": ["notes"], "mlflow": f"sqlite:///{tmp_path}/mlflow.db"}
    )
    wanted = "a function that gives a StoppingRule"
    with pytest.raises(UserError, match=f"plugin xit_ray.schedulers 'patient' is 5; wanted: {wanted}"):
        GroupedScheduler(Scheduler(name="patient"), lambda config: "")
    with pytest.raises(UserError, match=r"plugin xit_ray\.trackers 'notes' is 's'; wanted: .* that gives a Tracker"):
        trackers_of(space, tmp_path / "run")
    context: Any = None  # nothing looks at it
    with pytest.raises(UserError, match=r"plugin xit_ray\.estimators 'leep' is 'high'; wanted: .* its device-seconds"):
        estimate("leep", context, Recipe.model_validate({"stages": [{"mixture": "xnli"}]}), ())


def test_a_kind_without_its_parts_is_refused(importable: Path) -> None:
    about = importable.parent / "my_package-1.0.dist-info/entry_points.txt"
    about.write_text("[xit_ray.kinds]\nodd = my_package.odd\n")
    (importable / "odd.py").write_text("TASK = dict\n")
    with pytest.raises(UserError, match=r"xit_ray\.kinds 'odd' is <module .* \(no data there\)"):
        kinds.kinds()
