"""What is allowed to overlap is told first: on the console, in the report, in its tables and in MLflow."""

from pathlib import Path

from tests.search.searching import easy_data, mlflow_runs, of_kind, search, table, write_space


def test_an_overlap_that_the_space_allows_heads_the_report(tiny_encoder: Path, tmp_path: Path) -> None:
    data = easy_data(tmp_path / "data")
    english = (data / "pawsx/dev-en.tsv").read_text().splitlines(keepends=True)
    with (data / "qqp/train.tsv").open("a") as file:
        file.writelines(line.upper().replace("\t", " !\t", 1) for line in english[:12])
    stages = [{"mixture": "qqp"}, {"mixture": "pawsx"}]
    space = write_space(tmp_path, tiny_encoder, stages, zero_shot={"languages": ["de"]}, allow_overlap=0.5)
    ended = search(str(space), "--data", str(data), "--output", str(tmp_path / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    said = "This space allows an overlap of 50% of a test set with what is trained on."
    found = "30% of the test rows of pawsx in 'de' are rows of qqp train in 'en'."
    assert ended.stdout.index(said) < ended.stdout.index(found) < ended.stdout.index("Transfer matrix")
    page = (tmp_path / "runs/tiny/report.html").read_text()
    assert page.index("allows an overlap of 50%") < page.index('class="answers"') < page.index("30% of the test rows")
    (row,) = table(tmp_path / "runs/tiny", "overlaps")
    assert (row["share"], row["by"], row["split"]) == (0.3, "text", "test")
    (parent,) = of_kind(mlflow_runs(f"sqlite:///{tmp_path}/runs/mlflow.db"), "search")
    assert parent.data.tags["xit.overlap"] == "0.3000"
    assert "pawsx" in parent.data.tags["xit.overlaps"]
