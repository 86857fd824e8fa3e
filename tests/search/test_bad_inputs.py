"""Bad inputs to the search: one line on standard error, exit code 2, no traceback, nothing left behind."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.running import Ended, run
from tests.search.searching import easy_data, write_space

TARGET = {"mixture": "pawsx"}


def search(*arguments: str) -> Ended:
    """The command within this process: what is refused is refused before Ray starts."""
    return run("xit_ray.search", *arguments)


def stages(**values: Any) -> list[dict[str, Any]]:
    return [{**TARGET, **values}]


BAD: dict[str, tuple[list[dict[str, Any]], dict[str, Any], list[str], str]] = {
    "misspelt key": (stages(learnign_rate=1), {}, [], "learnign_rate: unknown key; did you mean 'learning_rate'"),
    "impossible value": (stages(epochs=0), {}, [], "stages[0].epochs: found 0; allowed: more than 0"),
    "impossible option": (stages(batch_size={"grid": [8, "many"]}), {}, [], "found 'many'; allowed: a whole number"),
    "unknown task": (stages(mixture="pawsy"), {}, [], "unknown task 'pawsy'; did you mean 'pawsx'"),
    "task without test": (stages(mixture="qqp"), {}, [], "'qqp' has no test rows of its own, so it cannot be a target"),
    "unknown language": (stages(), {"zero_shot": {"languages": ["xx"]}}, [], "unknown language 'xx'"),
    "missing data folder": (stages(), {}, ["--data", "/no/such/folder"], "/no/such/folder is not a folder"),
    "absent dataset": (stages(mixture="xnli"), {}, [], "lacks data of task 'xnli'; missing: xnli"),
    "unknown model": (stages(), {"model": "./nowhere"}, [], "found './nowhere', which is no folder"),
    "bad override": (stages(), {}, ["--set", "search.algorithm=gird"], "search.algorithm: found 'gird'"),
    "unknown option": (stages(), {}, ["--fast"], "--fast"),
    "a file beside a run": (
        stages(),
        {},
        ["--resume", "absent"],
        "a file, --set, --data and --mlflow-uri are for new runs",
    ),
    "no MLflow address": (
        stages(),
        {},
        ["--mlflow-uri", "htp://127.0.0.1:9"],
        "mlflow: 'htp://127.0.0.1:9' cannot be used",
    ),
    "too many GPUs": (
        stages(),
        {"resources": {"gpus": 1, "workers": 64}},
        [],
        "a run needs 64 CPUs and 64 GPUs",
    ),
    "a store that cannot be written to": (
        stages(),
        {"store": "/proc/none"},
        [],
        "store: '/proc/none' cannot be written to",
    ),
    "a hub model without a hub": (
        stages(),
        {"model": "owner/model", "revision": "0" * 40},
        [],
        "model.name: the hub does not give 'owner/model' at 00000000",
    ),
    "more rows than there are": (
        stages(mixture={"task": "pawsx", "examples": 5000}),
        {},
        [],
        "recipe.stages[0].mixture: examples: found 5000; pawsx has 146 training rows in 'en'",
    ),
    "more looks at dev than steps": (
        stages(evaluations=500),
        {},
        [],
        "recipe.stages[0].evaluations: found 500; the stage has 5 steps",
    ),
    "more finalists than recipes": (
        stages(),
        {"search": {"finalists": {"top": 4}}},
        [],
        "search.finalists.top: found 4; the space has 1 recipes of pawsx",
    ),
    "two ways to repeat seeds": (
        stages(),
        {"replicates": 2, "search": {"finalists": {"top": 1}}},
        [],
        "replicates and search.finalists both train recipes again",
    ),
    "several GPUs a worker": (stages(), {"resources": {"gpus": 2}}, [], "resources.gpus: found 2; allowed: 1 or less"),
    "one GPU for two workers": (
        stages(),
        {"resources": {"gpus": 0.5, "workers": 2}},
        [],
        "2 workers with 0.5 GPUs each could meet on one GPU",
    ),
    "compiling without a GPU": (stages(), {"resources": {"compile": True}}, [], "compile is for GPUs; give 'gpus'"),
    "more frozen layers than layers": (
        stages(),
        {"frozen_layers": 3},
        [],
        "model.frozen_layers: found 3; allowed: at most 2, the layers of",
    ),
    "too long for the model": (
        stages(),
        {"max_length": 4000},
        [],
        "model.max_length: found 4000; allowed: at most 128",
    ),
    "suite misspelt": (stages(), {"zero_shot": {"languages": "extreme"}}, [], "allowed: a list of languages, xtreme,"),
    "untrained with nothing to score": (
        stages(),
        {"zero_shot": {"untrained": True}},
        [],
        "untrained scores ",
    ),
    "a task beside named twice": (
        stages(),
        {"zero_shot": {"embedding_tests": ["tatoeba", "tatoeba"]}},
        [],
        "embedding_tests: 'tatoeba' is named twice",
    ),
    "ranking draws": (
        stages(),
        {"preselection": {}, "search": {"algorithm": "random"}},
        [],
        "preselection compares intermediates under the same hyperparameters; found algorithm 'random'; allowed: grid",
    ),
    "logme of a joint stage": (
        [{"mixture": ["pawsx", "qqp"]}],
        {"preselection": {"by": "logme"}},
        ["--set", "recipe.target=pawsx"],
        "preselection.by: 'logme' looks at the encoder before the target's own stage",
    ),
    "a front without tpe": (
        stages(),
        {"search": {"objective": "dev_against_gpu_hours"}},
        [],
        "objective 'dev_against_gpu_hours' is for algorithm 'tpe', found 'grid'",
    ),
    "sharding one worker": (stages(), {"resources": {"sharded": True}}, [], "sharded divides a model among workers"),
    "progress without English dev": (
        [
            {"mixture": {"members": ["mini_nli", {"task": "ocnli", "language": "zh"}], "sampling": "progress"}},
            *stages(),
        ],
        {},
        [],
        "sampling 'progress' goes by the English dev of every member; ocnli has none",
    ),
    "no such language to train in": (
        [{"mixture": "ocnli"}, {"mixture": "pawsx"}],
        {},
        [],
        "unknown training language of ocnli 'en' (allowed: zh)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_one_line_and_exit_code_2(name: str, tiny_encoder: Path, tmp_path: Path) -> None:
    recipe, more, arguments, said = BAD[name]
    more = dict(more)
    space = write_space(tmp_path, Path(more.pop("model", tiny_encoder)), recipe, **more)
    of_model = {"frozen_layers", "max_length", "revision"} & more.keys()
    if of_model:
        tree = yaml.safe_load(space.read_text())
        tree["recipe"]["model"] = {"name": tree["recipe"]["model"]} | {key: tree.pop(key) for key in of_model}
        space.write_text(yaml.safe_dump(tree))
    if name == "unknown model":
        space.write_text(space.read_text().replace("nowhere", "./nowhere"))
    data = [] if {"--data", "--resume"} & set(arguments) else ["--data", str(easy_data(tmp_path / "data"))]
    ended = search(str(space), "--output", str(tmp_path / "runs"), *data, *arguments)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("error: ")
    assert said in lines[0]
    assert not list((tmp_path / "runs").glob("tiny*"))


def test_no_run_to_resume(tmp_path: Path) -> None:
    ended = search("--resume", "absent", "--output", str(tmp_path / "runs"))
    assert ended.returncode == 2
    assert ended.stderr.strip().startswith("error: --resume absent: found no run in ")


def test_no_such_file(tmp_path: Path) -> None:
    ended = search(str(tmp_path / "absent.yaml"))
    assert (ended.returncode, ended.stderr.strip()) == (2, f"error: {tmp_path}/absent.yaml: there is no such file")


def test_a_bad_row_is_found_before_ray_starts(tiny_encoder: Path, tmp_path: Path) -> None:
    data = easy_data(tmp_path / "data")
    with (data / "pawsx/dev-ko.tsv").open("a") as file:
        file.write("only one column\n")
    space = write_space(tmp_path, tiny_encoder, stages())
    ended = search(str(space), "--output", str(tmp_path / "runs"), "--data", str(data))
    assert ended.returncode == 2
    assert "pawsx/dev-ko.tsv: row 41 has 1 columns; allowed: 3 (text, text, label)" in ended.stderr
    assert not (tmp_path / "runs").exists()
