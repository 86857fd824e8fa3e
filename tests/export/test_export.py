"""A winner as a model folder answers every test row as the trial did, by other libraries and by ``xit predict``."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from tests.running import run
from tests.search.searching import search, write_space
from xit_ray.core import device
from xit_ray.data import rows
from xit_ray.data.source import Source
from xit_ray.export.folder import ABOUT, write
from xit_ray.export.predict import Predictor
from xit_ray.export.winner import Winner, winner
from xit_ray.spec.errors import UserError
from xit_ray.stages.work import PREDICTIONS
from xit_ray.tasks import registry

pytestmark = [pytest.mark.slow, pytest.mark.ray]
TARGETS = ("mini_paraphrase", "mini_choice", "mini_mentions", "mini_names", "mini_qa", "mini_similarity")
"""One of every kind that has a head and can be a target."""
POOLED = ("mini_paraphrase", "mini_choice", "mini_mentions", "mini_similarity")
LANGUAGES = ("en", "de")
PLAIN = Path(__file__).parent / "plain.py"


def searched(folder: Path, model: dict[str, Any], targets: tuple[str, ...], **more: Any) -> Path:
    """The run of a search over some targets; in float32, in which other libraries compute alike."""
    stages = [{"mixture": {"grid": list(targets)}, "learning_rate": 1e-3, "epochs": 3}]
    space = write_space(folder, Path("unused"), stages, zero_shot={"languages": list(LANGUAGES), "items": 60}, **more)
    tree = yaml.safe_load(space.read_text())
    tree["recipe"]["model"] = model
    space.write_text(yaml.safe_dump(tree))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "multiplies_in_bfloat16", lambda: False)
        ended = search(str(space), "--output", str(folder / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder / "runs/tiny"


@pytest.fixture(scope="module")
def linear(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return searched(tmp_path_factory.mktemp("linear"), {"name": str(tiny_encoder)}, TARGETS)


@pytest.fixture(scope="module")
def native(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = {"name": str(tiny_encoder), "head": "transformers"}
    return searched(tmp_path_factory.mktemp("native"), model, POOLED)


def test_rows(target: str) -> list[dict[str, Any]]:
    source = Source("none", None)
    loaded = [rows.load(registry.get(target), "test", language, source) for language in LANGUAGES]
    return [row for one in loaded for row in rows.sample(one, 60).to_pylist()]


test_rows.__test__ = False  # type: ignore[attr-defined]


def recorded(best: Winner) -> list[str]:
    """What the trial answered."""
    assert best.trial.evaluation is not None
    with best.store.open(best.trial.evaluation) as folder:
        table = pq.read_table(folder / PREDICTIONS).to_pylist()
    order = {language: place for place, language in enumerate(LANGUAGES)}
    return [row["predicted"] for row in sorted(table, key=lambda row: (order[row["language"]], row["row"]))]


@pytest.mark.parametrize("heads", ["linear", "native"])
def test_other_libraries_answer_every_row_as_the_trial_did(
    heads: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    ran: Path = request.getfixturevalue(heads)
    asked, wanted, loaders = {}, {}, {}
    for target in TARGETS if heads == "linear" else POOLED:
        best, folder = winner(ran, target), tmp_path / target
        loaders[target] = write(best, folder)
        asked[str(folder)] = {"kind": registry.get(target).kind, "rows": test_rows(target)}
        wanted[str(folder)] = recorded(best)
    (tmp_path / "request.json").write_text(json.dumps(asked))
    ended = subprocess.run(
        [sys.executable, "-P", str(PLAIN), str(tmp_path / "request.json")], capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    given = json.loads(ended.stdout.split("ANSWERS ")[-1])
    for folder, answers in wanted.items():
        assert given[folder] == answers, folder
    assert sum(len(set(answers)) > 1 for answers in wanted.values()) >= 3, "constants tell nothing"
    pooled = {"SentenceTransformer"}
    if heads == "native":
        pooled = {"AutoModelForSequenceClassification", "AutoModelForMultipleChoice"}
    assert {loaders[target] for target in POOLED} == pooled


def test_predict_labels_rows_without_labels(linear: Path, tmp_path: Path) -> None:
    for target in TARGETS:
        best = winner(linear, target)
        write(best, tmp_path / target)
        file = tmp_path / f"{target}.jsonl"
        unlabelled = [
            {name: value for name, value in row.items() if name not in ("label", "labels", "tags", "answers", "item")}
            for row in test_rows(target)
        ]
        file.write_text("\n".join(json.dumps(row) for row in unlabelled))
        ended = run("xit_ray.export", "predict", str(tmp_path / target), str(file))
        assert ended.returncode == 0, ended.stdout + ended.stderr
        lines = (tmp_path / f"{target}.labelled.jsonl").read_text().splitlines()
        labelled = [json.loads(line) for line in lines]
        assert [row.pop("predicted") for row in labelled] == recorded(best), target
        assert labelled == unlabelled


@pytest.mark.parametrize("target", ["mini_paraphrase", "mini_names", "mini_qa"])
def test_a_winner_is_logged_in_mlflow_with_signature_example_and_card(
    linear: Path, target: str, tmp_path: Path
) -> None:
    ended = run("xit_ray.export", "export", str(linear), target, str(tmp_path / "model"), "--mlflow")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    address = ended.stdout.partition("In MLflow:  ")[2].split()[0]
    best = winner(linear, target)
    mlflow.set_tracking_uri(best.space.mlflow)
    loaded = mlflow.pyfunc.load_model(address)
    signature, asked = loaded.metadata.signature, Predictor.asked(registry.get(target))
    assert signature.inputs.input_names() == asked
    questions = pd.DataFrame(test_rows(target))[asked]
    if target == "mini_names":  # lists are compared with their type
        questions["tokens"] = questions["tokens"].map(list)
    assert list(loaded.predict(questions)) == recorded(best)
    assert len(loaded.input_example) == 3
    client = mlflow.MlflowClient(best.space.mlflow)
    model = client.get_logged_model(address.removeprefix("models:/"))
    assert "accuracy" in model.tags["mlflow.note.content"] or "f1" in model.tags["mlflow.note.content"]
    assert model.source_run_id is not None
    trained = client.get_run(model.source_run_id)
    assert trained.data.tags["xit.key"] == best.trial.key
    assert model.experiment_id == trained.info.experiment_id
    again = run("xit_ray.export", "export", str(linear), target, str(tmp_path / "model"), "--mlflow")
    assert again.returncode == 0, again.stderr  # the folder is there already, and is this winner's
    assert int(mlflow.register_model(address, f"best-{target}").version) == 1


def test_without_the_trials_record_nothing_is_written(linear: Path, tmp_path: Path) -> None:
    copied = tmp_path / "tiny"
    shutil.copytree(linear, copied)
    spec = copied / "spec.yaml"
    spec.write_text(re.sub(r"mlflow: .*", f"mlflow: sqlite:///{tmp_path}/lost.db", spec.read_text()))
    told = run("xit_ray.export", "export", str(copied), "mini_qa", str(tmp_path / "new"), "--mlflow")
    assert (told.returncode, "--anew makes the records anew" in told.stderr) == (2, True)
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "lost.db").exists()
    away = re.sub(r"mlflow: .*", "mlflow: http://127.0.0.1:9", spec.read_text())
    kept, _ = spec.read_text(), spec.write_text(away)
    told = run("xit_ray.export", "export", str(copied), "mini_qa", str(tmp_path / "new"), "--mlflow")
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "http://127.0.0.1:9: does not answer" in told.stderr
    assert not (tmp_path / "new").exists()
    spec.write_text(kept)
    assert run("xit_ray.track", str(copied), "--anew").returncode == 0
    assert run("xit_ray.export", "export", str(copied), "mini_qa", str(tmp_path / "new"), "--mlflow").returncode == 0


@pytest.fixture(scope="module")
def paraphrase(linear: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "model"
    write(winner(linear, "mini_paraphrase"), folder)
    return folder


def test_predict_takes_columns_by_other_names_and_tells_what_lacks(paraphrase: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("eins,zwei\nder Mann kauft ein Buch,ein Mann kaufte ein Buch\n")
    told = run("xit_ray.export", "predict", str(paraphrase), str(file))
    assert (told.returncode, "row 2 has eins, zwei; the model was trained on pairs of texts" in told.stderr) == (
        2,
        True,
    )
    assert not list(tmp_path.glob("*labelled*"))
    columns = ("--column", "text_a=eins", "--column", "text_b=zwei")
    assert run("xit_ray.export", "predict", str(paraphrase), str(file), *columns).returncode == 0
    again = run("xit_ray.export", "predict", str(paraphrase), str(file), *columns)
    assert (again.returncode, "own.labelled.jsonl: exists" in again.stderr) == (2, True)
    half = run("xit_ray.export", "predict", str(paraphrase), str(file), "--column", "text_a=eins", "--output", "half")
    assert "trained on pairs of texts, text_a and text_b" in half.stderr
    other = run("xit_ray.export", "predict", str(paraphrase), str(file), "--column", "texta=eins", "--output", "half")
    assert "--column: found 'texta'; allowed: text_a, text_b" in other.stderr
    (row,) = map(json.loads, (tmp_path / "own.labelled.jsonl").read_text().splitlines())
    assert (row["eins"], row["predicted"] in ("same", "different")) == ("der Mann kauft ein Buch", True)
    for wrong, words in (
        (tmp_path, "is no model that this version's xit export wrote"),
        (tmp_path / "absent", "neither a folder nor"),
    ):
        assert (
            words in run("xit_ray.export", "predict", str(wrong), str(file), "--output", str(tmp_path / "new")).stderr
        )


def test_the_card_says_what_a_reader_asks(linear: Path, paraphrase: Path) -> None:
    text = (paraphrase / "README.md").read_text()
    _, metadata, body = text.split("---\n", 2)
    about = yaml.safe_load(metadata)
    assert about["library_name"] == "sentence-transformers"
    assert set(LANGUAGES) <= set(about["language"])
    best = winner(linear, "mini_paraphrase")
    for score in best.trial.scores:
        if score.metric == "accuracy":
            assert f"| {score.language}" in body
            assert f"| {100 * score.value:.1f} | {100 * score.low:.1f} to {100 * score.high:.1f} | {score.n} |" in body
    for words in ("different, same", best.trial.key, "same as xit_ray", "learning_rate: 0.001", "command: "):
        assert words in body
    assert json.loads((paraphrase / ABOUT).read_text())["dtype"] == "float32"


def test_what_cannot_be_exported_is_told(linear: Path, paraphrase: Path, tmp_path: Path) -> None:
    def told(*words: str) -> str:
        ended = run("xit_ray.export", "export", *words)
        assert ended.returncode == 2, ended.stdout
        return ended.stderr

    assert "has several targets; name one: mini_choice" in told(str(linear), str(tmp_path / "new"))
    assert "unknown target 'mini_nil'" in told(str(linear), "mini_nil", str(tmp_path / "new"))
    assert "is not the folder of a run" in told(str(tmp_path), str(tmp_path / "new"))
    assert "exists; name a folder that does not" in told(str(linear), "mini_qa", str(paraphrase))
    assert not (tmp_path / "new").exists()
    best = winner(linear, "mini_names")
    best.store.drop_files(best.checkpoint)
    assert "Search again with --set keep=all" in told(str(linear), "mini_names", str(tmp_path / "new"))


def test_an_architecture_with_another_head_is_refused(tiny_modernbert: Path, tmp_path: Path) -> None:
    model = {"name": str(tiny_modernbert), "head": "transformers"}
    ran = searched(tmp_path, model, ("mini_paraphrase",))
    with pytest.raises(UserError, match=r"is exported with model.head: linear"):
        write(winner(ran), tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.fixture
def predictor(paraphrase: Path) -> Predictor:
    return Predictor(paraphrase)


def test_files_of_several_forms_are_read(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "rows.tsv").write_text("text_a\ttext_b\nder Mann\tein Mann\n")
    (tmp_path / "rows.txt").write_text("der Mann kauft ein Buch\n")
    assert len(list(predictor.label(tmp_path / "rows.tsv", {}))) == 1
    with pytest.raises(UserError, match="trained on pairs of texts"):  # which a line of text is not
        list(predictor.label(tmp_path / "rows.txt"))
    with pytest.raises(UserError, match=r"allowed suffixes: \.jsonl, \.csv"):
        list(predictor.label(tmp_path / "rows.xlsx", {}))


def test_columns_of_every_kind_may_have_other_names(linear: Path, tmp_path: Path) -> None:
    write(winner(linear, "mini_qa"), tmp_path / "qa")
    (tmp_path / "asked.jsonl").write_text(json.dumps({"frage": "Wer kauft?", "passage": "Der Mann kauft ein Buch."}))
    names = {"question": "frage", "context": "passage"}
    predictor = Predictor(tmp_path / "qa")
    ((_, answer),) = predictor.label(tmp_path / "asked.jsonl", names)
    assert answer in "Der Mann kauft ein Buch."
    with pytest.raises(UserError, match=r"^row 2 has a context without text"):
        predictor.answers([{"question": "Wer?", "context": context} for context in ("Der Mann.", " ")])
    write(winner(linear, "mini_choice"), tmp_path / "choice")
    (tmp_path / "rows.csv").write_text("text,eins,zwei\nDer Mann kauft,ein Buch,einen Baum\n")
    ((_, answer),) = Predictor(tmp_path / "choice").label(tmp_path / "rows.csv", {"options": "eins,zwei"})
    assert answer in ("0", "1")


def test_a_run_that_is_not_finished_has_a_winner_so_far(linear: Path, tmp_path: Path) -> None:
    """Its tables are those of the journal, whenever they were written last."""
    half = tmp_path / "half"
    half.mkdir()
    (half / "spec.yaml").write_text((linear / "spec.yaml").read_text())
    lines = (linear / "events.jsonl").read_text().splitlines(keepends=True)
    first = next(place for place, line in enumerate(lines) if '"trial_ended"' in line)
    (half / "events.jsonl").write_text("".join(lines[: first + 1]))
    best = winner(half)
    assert best.summary.progress.startswith("So far: 1 of 6 trials")
