"""The wheel has what the package needs where there is no checkout."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_it_holds_the_shipped_spaces_and_the_templates(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--quiet", "--wheel-dir", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    spaces = {name.rpartition("/")[2] for name in names if "/share/xit_ray/search_spaces/" in name}
    assert spaces == {file.name for file in (ROOT / "search_spaces").glob("*.yaml")}
    for needed in (
        "py.typed",
        "report/report.html.j2",
        "export/card.md.j2",
        "plan/prices.yaml",
        "report/languages.yaml",
    ):
        assert f"xit_ray/{needed}" in names
    # In an environment of its own, away from the checkout, the spaces are found by name.
    venv.create(tmp_path / "there", with_pip=False)
    python = tmp_path / "there/bin/python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, env=os.environ | {"PYTHONPATH": ""})
    code = "import xit_ray; from xit_ray.spec.shipped import found; print(xit_ray.__file__, found('quickstart'))"
    ran = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd=tmp_path, env={})
    assert ran.returncode == 0, ran.stderr
    package, space = ran.stdout.split()
    assert package.startswith(str(tmp_path / "there"))
    assert (Path(space).is_relative_to(tmp_path / "there"), Path(space).name) == (True, "quickstart.yaml")
