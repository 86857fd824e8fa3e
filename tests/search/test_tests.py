"""One trained head scored on several test sets: each is a column of the matrix, and the stage is trained once."""

from pathlib import Path

from tests.search.searching import mlflow_runs, of_kind, search, table, write_space
from xit_ray.tasks import registry
from xit_ray.testing import files


def test_every_test_set_is_a_column_of_one_training(tiny_encoder: Path, tmp_path: Path) -> None:
    for name in ("squad", "xquad", "mlqa"):
        files.write_folder(registry.get(name), tmp_path / "data")
    first = {"mixture": {"grid": [None, {"task": "mini_nli", "examples": 32}]}, "evaluations": 1}
    last = {"mixture": {"grid": ["squad", "xquad"]}, "evaluations": 1, "batch_size": 8}
    zero_shot = {"languages": "present", "tests": ["mlqa", "xquad"]}
    space = write_space(tmp_path, tiny_encoder, [first, last], zero_shot=zero_shot, data=str(tmp_path / "data"))
    ended = search(str(space), "--output", str(tmp_path / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    run = tmp_path / "runs/tiny"
    ledger = table(run, "ledger")
    assert [row["role"] for row in ledger].count("target") == 2  # SQuAD's and XQuAD's stages are one after either first
    assert {tuple(row["tests"]) for row in table(run, "trials")} == {("mlqa", "xquad"), ("xquad", "mlqa")}
    cells = {(row["intermediate"], row["target"]): row for row in table(run, "matrix")}
    assert set(cells) == {(name, test) for name in ("none", "mini_nli#32") for test in ("mlqa", "xquad")}
    assert all(row["trials"] == 2 and row["zero_shot"] is not None for row in cells.values())
    (parent,) = of_kind(mlflow_runs(f"sqlite:///{tmp_path}/runs/mlflow.db"), "search")
    trials = of_kind(mlflow_runs(f"sqlite:///{tmp_path}/runs/mlflow.db"), "trial")
    assert parent is not None
    assert all(
        {"zeroshot/xquad/avg", "zeroshot/mlqa/avg", "zeroshot/mlqa/ar/f1"} <= set(r.data.metrics) for r in trials
    )
