"""One search over every kind of task, a user's own and one without English among them, and several test sets for one head:
all are trained, scored and reported alike."""

from pathlib import Path

import pytest

from tests.search.searching import mlflow_runs, of_kind, search, table, write_space
from xit_ray.tasks import registry
from xit_ray.testing import files

FAST = {"head_learning_rate": 1e-2, "batch_size": 4, "evaluations": 1}
HEADLESS = ["tatoeba", "bucc2018", "lareqa"]
TESTS = ["mlqa", "xquad"]
COLUMNS = {"panx", "mlqa", "xquad", "xcopa", "reviews", "likeness", "mini_mentions"}


@pytest.fixture(scope="module")
def run(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kinds")
    for name in ("panx", "squad", "xquad", "mlqa", "xcopa", "ccg", "ocnli", *HEADLESS):
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
    before = [{"task": "masked_lm/squad"}, {"task": "ccg"}], {"task": "ocnli", "language": "zh"}
    targets = ["panx", "squad", "mlqa", "xcopa", "reviews", "likeness", {"task": "mini_mentions", "examples": 64}]
    space = write_space(
        folder,
        tiny_encoder,
        [{"mixture": {"grid": before}, **FAST}, {"mixture": {"grid": targets}, **FAST}],
        tasks=["reviews.yaml", "likeness.yaml"],
        zero_shot={"languages": "present", "tests": TESTS, "embedding_tests": HEADLESS, "untrained": True},
        data=str(folder / "data"),
    )
    ended = search(str(space), "--output", str(folder / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder / "runs" / "tiny"


def test_every_score_has_its_items_and_interval(run: Path) -> None:
    scores = table(run, "scores")
    found = {(s["task"], s["metric"]) for s in scores}
    wanted = {
        (name, metric)
        for name in ("panx", "mlqa", "xquad", "xcopa", *HEADLESS)
        for metric in registry.get(name).metrics
    }
    others = {("reviews", "accuracy"), ("likeness", "spearman"), ("likeness", "pearson")}
    assert found == wanted | others | {("mini_mentions", "f1_micro"), ("mini_mentions", "f1_macro")}
    assert all(-1 <= s["low"] <= s["value"] <= s["high"] <= 1 and s["n"] > 0 for s in scores)
    languages = {s["task"]: {t["language"] for t in scores if t["task"] == s["task"]} for s in scores}
    assert languages["mlqa"] == {"en", "ar"}
    assert languages["reviews"] == {"sw"}
    assert {s["trial"] for s in scores if s["task"] == "lareqa"} >= {"untrained"}


def test_the_matrix_has_a_column_for_each(run: Path) -> None:
    cells = table(run, "matrix")
    assert {cell["target"] for cell in cells} == COLUMNS
    assert {cell["intermediate"] for cell in cells} == {"masked_lm/squad+ccg", "ocnli[zh]"}
    assert all(-1 <= cell["zero_shot"] <= 1 for cell in cells)
    assert {(cell["seeds"], cell["zero_shot_low"]) for cell in cells} == {(1, None)}  # one seed has no interval
    page = (run / "report.html").read_text()
    assert "f1 in percent" in page
    assert "map_at_20 in percent" in page


def test_every_test_set_is_a_column_of_one_training(run: Path) -> None:
    """SQuAD's target stage is MLQA's: its rows are the same."""
    roles = [row["role"] for row in table(run, "ledger")]
    assert (roles.count("intermediate"), roles.count("target")) == (2, 12)
    tests = {row["target"]: set(row["tests"]) for row in table(run, "trials")}
    assert tests["squad"] == tests["mlqa"] == set(TESTS)
    assert tests["panx"] == {"panx"}
    trials = {(row["target"], row["trials"]) for row in table(run, "matrix")}
    assert {("mlqa", 2), ("xquad", 2), ("panx", 1)} <= trials


def test_without_english_there_is_no_dev_and_the_last_weights_pass_on(run: Path) -> None:
    ledger = table(run, "ledger")
    assert {row["label"]: row["dev_en"] is None for row in ledger if row["role"] == "intermediate"} == {
        "masked_lm/squad+ccg": False,
        "ocnli[zh]": True,
    }
    assert all(row["dev_en"] is not None for row in ledger if row["role"] == "target")
    assert {row["status"] for row in table(run, "trials") if row["intermediate"] == "ocnli[zh]"} == {"done"}


def test_mlflow_has_every_metric(run: Path) -> None:
    trials = of_kind(mlflow_runs(f"sqlite:///{run.parent}/mlflow.db"), "trial")
    names = {name for trial in trials for name in trial.data.metrics}
    assert {
        "zeroshot_mlqa_exact_match/ar",
        "zeroshot_mlqa/ar",
        "zeroshot_xquad/avg",
        "zeroshot_bucc2018_f1_oracle/de",
        "dev/en/f1",
    } <= names
