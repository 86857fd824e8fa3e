"""``python -m xit_ray.data``: what a newcomer sees of a folder."""

from pathlib import Path

from tests.running import Ended, run
from xit_ray.tasks import registry
from xit_ray.testing import files


def data(*arguments: str, root: Path) -> Ended:
    return run("xit_ray.data", *arguments, XIT_CACHE=str(root / "cache"))


def test_list_says_what_is_there_and_what_is_missing(tmp_path: Path) -> None:
    files.write_folder(registry.get("xnli"), tmp_path)
    found = data("list", "--data", str(tmp_path), root=tmp_path)
    assert found.returncode == 0, found.stderr
    lines = {line.split()[0]: line for line in found.stdout.splitlines() if line.strip()}
    assert "12 rows" in lines["xnli"]
    assert "24 rows, 2 of 15" in lines["xnli"]
    assert "missing" in lines["panx"]
    suite = data("list", "--suite", "xtreme", "--data", str(tmp_path), root=tmp_path).stdout
    assert "tydiqa" in suite
    assert "xcopa" not in suite


def test_check_counts_and_fails_on_bad_rows(tmp_path: Path) -> None:
    files.write_folder(registry.get("xnli"), tmp_path)
    train = tmp_path / "xnli" / "train-en.tsv"
    test = (tmp_path / "xnli" / "test-en.tsv").read_text()
    train.write_text(train.read_text() + test + "same\tpair\tneutral\nsame\tpair\tentailment\n")
    found = data("check", str(tmp_path), root=tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "100% of the test rows of xnli in 'en' are rows of xnli train in 'en'" in found.stdout
    assert "1 duplicates with another label" in found.stdout
    assert "entailment 3" in found.stdout
    (tmp_path / "xnli" / "test-ar.tsv").write_text("a\tb\tmaybe\n")
    found = data("check", str(tmp_path), root=tmp_path)
    assert found.returncode == 1
    assert "test-ar.tsv" in found.stdout
    assert "1 splits have bad rows" in found.stdout


def test_show_says_where_rows_come_from(tmp_path: Path) -> None:
    files.write_folder(registry.get("xquad"), tmp_path)
    found = data("show", "xquad", "en", "--data", str(tmp_path), root=tmp_path)
    assert found.returncode == 0, found.stderr
    assert "google/xquad@51adfef1" in found.stdout
    assert "xquad.en.json: 12 rows" in found.stdout
