"""One search over every kind of task, a user's own among them: all are trained, scored and reported alike."""

from pathlib import Path

import pytest

from tests.search.searching import mlflow_runs, of_kind, search, table, write_space
from xit_ray.tasks import registry
from xit_ray.testing import files

FAST = {"head_learning_rate": 1e-2, "batch_size": 4, "evaluations": 1}
HEADLESS = ["tatoeba", "bucc2018", "lareqa"]


@pytest.fixture(scope="module")
def run(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kinds")
    for name in ("panx", "mlqa", "xcopa", "ccg", *HEADLESS):
        files.write_folder(registry.get(name), folder / "data")
    own = "name: reviews\nkind: classification\nlabels: [bad, good]\nlanguages: [sw]\ncolumns: {text_a: said, label: meant}\n"
    (folder / "reviews.yaml").write_text(own + "files: {train: train.csv, test: test.csv}\n")
    for split in ("train", "test"):
        rows = "".join(f"{split} {i},{'bad' if i % 2 else 'good'}\n" for i in range(24))
        (folder / f"{split}.csv").write_text("said,meant\n" + rows)
    likeness = "name: likeness\nkind: regression\nrange: [1, 5]\nlanguages: [de, sw]\n"
    likeness += "format: {header: [text_a, text_b, label]}\n"
    (folder / "likeness.yaml").write_text(likeness + "files: {train: pairs.tsv, test: 'pairs.{lang}.tsv'}\n")
    for language in ("", ".de", ".sw"):
        pairs = "".join(f"one {i}{language}\ttwo {i}\t{1 + i % 5}\n" for i in range(40))
        (folder / f"pairs{language}.tsv").write_text(pairs)
    before = {"mixture": [{"task": "masked_lm/squad"}, {"task": "ccg"}], **FAST}
    targets = ["panx", "mlqa", "xcopa", "reviews", "likeness", {"task": "mini_mentions", "examples": 64}]
    space = write_space(
        folder,
        tiny_encoder,
        [before, {"mixture": {"grid": targets}, **FAST}],
        tasks=["reviews.yaml", "likeness.yaml"],
        zero_shot={"languages": "present", "embedding_tests": HEADLESS, "untrained": True},
        data=str(folder / "data"),
    )
    ended = search(str(space), "--output", str(folder / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder / "runs" / "tiny"


def test_every_score_has_its_items_and_interval(run: Path) -> None:
    scores = table(run, "scores")
    found = {(s["task"], s["metric"]) for s in scores}
    wanted = {(name, metric) for name in ("panx", "mlqa", "xcopa", *HEADLESS) for metric in registry.get(name).metrics}
    others = {("reviews", "accuracy"), ("likeness", "spearman"), ("likeness", "pearson")}
    assert found == wanted | others | {("mini_mentions", "f1_micro"), ("mini_mentions", "f1_macro")}
    assert all(-1 <= s["low"] <= s["value"] <= s["high"] <= 1 and s["n"] > 0 for s in scores)
    languages = {s["task"]: {t["language"] for t in scores if t["task"] == s["task"]} for s in scores}
    assert languages["mlqa"] == {"en", "ar"}
    assert languages["reviews"] == {"sw"}
    assert {s["trial"] for s in scores if s["task"] == "lareqa"} >= {"untrained"}


def test_the_matrix_has_a_column_for_each(run: Path) -> None:
    cells = table(run, "matrix")
    assert {cell["target"] for cell in cells} == {"panx", "mlqa", "xcopa", "reviews", "likeness", "mini_mentions"}
    assert {cell["intermediate"] for cell in cells} == {"masked_lm/squad+ccg"}
    assert all(-1 <= cell["zero_shot"] <= 1 for cell in cells)
    assert {(cell["seeds"], cell["zero_shot_low"]) for cell in cells} == {(1, None)}  # one seed has no interval
    assert sum(row["role"] == "intermediate" for row in table(run, "ledger")) == 1
    page = (run / "report.html").read_text()
    assert "f1 in percent" in page
    assert "map_at_20 in percent" in page


def test_mlflow_has_every_metric(run: Path) -> None:
    trials = of_kind(mlflow_runs(f"sqlite:///{run.parent}/mlflow.db"), "trial")
    names = {name for trial in trials for name in trial.data.metrics}
    assert {
        "zeroshot/mlqa/ar/exact_match",
        "zeroshot/mlqa/ar/f1",
        "zeroshot/bucc2018/de/f1_oracle",
        "dev/en/f1",
    } <= names
