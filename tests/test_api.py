"""The Python side: a search from a notebook, its results as DataFrames, the winner as a model."""

import doctest
import importlib
import os
import re
from pathlib import Path
from typing import Any

import matplotlib.figure
import pytest
import ray

import xit_ray
from tests.search.searching import join_ray
from xit_ray.spec.errors import UserError
from xit_ray.spec.shipped import found, shipped

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.ray


def question(model: Path) -> dict[str, Any]:
    """A small space, as Python has it."""
    return {
        "name": "asked",
        "recipe": {
            "model": str(model),
            "stages": [
                {"mixture": {"grid": [None, {"task": "mini_nli", "examples": 128}]}},
                {"mixture": {"task": "mini_paraphrase", "examples": 128}},
            ],
        },
        "zero_shot": {"languages": ["en", "de"]},
        "resources": {"runs": 1},
    }


@pytest.fixture(scope="module")
def asked(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> xit_ray.Run:
    join_ray()
    before = [os.fstat(descriptor).st_ino for descriptor in (1, 2)]
    output = tmp_path_factory.mktemp("runs")
    run = xit_ray.search(question(tiny_encoder), output=str(output), quiet=True, replicates=2)
    assert isinstance(run, xit_ray.Run)
    assert [os.fstat(descriptor).st_ino for descriptor in (1, 2)] == before
    assert ray.is_initialized()
    return run


def test_results_are_dataframes(asked: xit_ray.Run) -> None:
    assert list(asked.matrix["intermediate"]) == ["none", "mini_nli#128"]
    assert len(asked.trials) == 4
    assert set(asked.trials["status"]) == {"done"}
    assert {"en", "de"} == set(asked.scores["language"])
    assert set(asked.ledger["role"]) == {"intermediate", "target"}
    assert asked.gains["language"].isin(["en", "de"]).all()
    assert asked.answers[0].startswith("mini_paraphrase: ")
    assert asked.report.is_file()
    assert "mini_paraphrase" in asked._repr_html_()


def test_the_matrix_is_a_figure(asked: xit_ray.Run) -> None:
    assert isinstance(asked.plot_matrix(), matplotlib.figure.Figure)


def test_a_run_is_loaded_and_gone_on_with(asked: xit_ray.Run) -> None:
    again = xit_ray.load_run(asked.folder)
    assert again.matrix.equals(asked.matrix)
    assert xit_ray.search(resume=str(asked.folder), quiet=True).folder == asked.folder
    with pytest.raises(UserError, match="is not the folder of a run"):
        xit_ray.load_run(asked.folder.parent)


def test_the_winner_is_exported_and_labels(asked: xit_ray.Run, tmp_path: Path) -> None:
    best = asked.best()
    assert best.trial in set(asked.trials["trial"])
    assert best.dev_en == asked.trials.set_index("trial").loc[best.trial, "dev_en"]
    assert set(best.scores["language"]) == {"en", "de"}
    model = best.export(tmp_path / "model")
    (tmp_path / "rows.tsv").write_text("text_a\ttext_b\nder Mann\tein Mann\n")
    ((_, answer),) = model.label(tmp_path / "rows.tsv", {})
    assert answer in ("same", "different")


def test_a_plan_is_a_row_for_each_stage(tiny_encoder: Path, tmp_path: Path) -> None:
    stages = xit_ray.plan(question(tiny_encoder), output=str(tmp_path))
    assert list(stages["stage"]) == ["mini_paraphrase#128", "mini_nli#128", "mini_paraphrase#128"]
    assert not stages["stored"].any()
    longer = xit_ray.plan(question(tiny_encoder), **{"output": str(tmp_path), "recipe.stages.1.epochs": 2})
    assert longer["steps"].sum() > stages["steps"].sum()


def test_what_is_not_allowed_is_told(tiny_encoder: Path) -> None:
    with pytest.raises(UserError, match=r"space: serach: unknown key; did you mean 'search'"):
        xit_ray.plan(question(tiny_encoder) | {"serach": {}})
    with pytest.raises(UserError, match="give a space, or the name of a run to 'resume'"):
        xit_ray.search()
    with pytest.raises(UserError, match="nothing of it can be overridden"):
        xit_ray.search(resume="absent", replicates=2)


@pytest.mark.slow
def test_examples_in_docstrings_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(importlib.import_module("xit_ray.api"))
    assert (found.failed, found.attempted > 2) == (0, True)


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_what_pages_show_in_python_is_there(page: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    code = "\n".join(block for block in blocks if "import xit_ray" in block)
    compile(code, page, "exec")
    shown = {owner: set(re.findall(rf"\b{owner}\.([a-z_]+)", code)) for owner in ("run", "best")}
    assert shown["run"]
    assert all(hasattr(xit_ray.Run, name) for name in shown["run"]), shown
    assert all(hasattr(xit_ray.Best, name) for name in shown["best"]), shown


def test_shipped_spaces_are_found_by_name_and_files_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "quickstart" in shipped()
    assert found("quickstart") == found("search_spaces/quickstart.yaml") == shipped()["quickstart"]
    assert found("other/quickstart.yaml") == "other/quickstart.yaml"
    (tmp_path / "quickstart").write_text("name: mine")
    assert found("quickstart") == "quickstart"
