"""Every task trained and scored for real, in every language there is, after a short fixed budget: the table in docs/tasks.md.

Runs three searches (search_spaces/every_*_small.yaml) over the data folder, or reads those that have ended in the output
folder, and writes the table. The budget is too small for the scores to say how good a recipe is; they say that the task's
rows, head and metric work, and how far a language is from English at that point.
"""

import argparse
import datetime
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from benchmarks import report
from xit_ray.spec.load import load_space
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.recipe import Recipe
from xit_ray.tasks import registry

SPACES = ("every_target_small", "every_retrieval_small", "every_intermediate_small")
ROOT = Path(__file__).parent.parent
COLUMNS = (
    "task", "kind", "trained on", "test items", "languages", "metric", "English dev", "English",
    "mean of the others", "constant",
)  # fmt: skip
PAGE = """# Every task, trained and scored

Made by `python -m benchmarks.tasks --write`, {date}, {machine}, with the offline encoder
(multilingual-e5-small). The budgets are a few hundred rows: the figures show that rows, heads and metrics of every task
work in every language whose files were there, not how good a recipe is. Some of the data are subsets of the datasets,
so no figure here compares with a published one.

## Targets, and tasks without training data

{targets}

`constant` is what the best answer that is the same for all rows scores. Tasks without training data are scored before any
training, and after a little of it on pairs. Where only BUCC's dev collection is there, it is the one scored, and its
threshold is found crosswise on halves of it.

## Intermediates

{intermediates}

Every intermediate is followed by 8 steps of parts of speech; the last column is their F1 in German, on one seed.

## Every language

Main metric with its 95 % bootstrap interval.

{details}
"""


def run(name: str, output: Path) -> Path:
    """The folder of a search's run, which is made if it is not there."""
    folder = output / name
    if not (folder / "scores.parquet").is_file():
        command = [sys.executable, "-m", "xit_ray.search", f"search_spaces/{name}.yaml", "--output", str(output)]
        subprocess.run(command, cwd=ROOT, check=True)
    return folder


def rows_of(folder: Path, file: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / f"{file}.parquet").to_pylist()
    return found


def points(value: float) -> str:
    return f"{100 * value:.1f}"


def _points(value: float | None) -> str:
    return "–" if value is None else points(value)


def scored(scores: list[dict[str, Any]], task: str, trial: str) -> list[dict[str, Any]]:
    """A task's main scores of one trial."""
    metric = registry.get(task).metric
    return [s for s in scores if (s["task"], s["trial"], s["metric"]) == (task, trial, metric)]


def line(task: str, about: str, dev: str, found: list[dict[str, Any]]) -> str:
    english = next((points(s["value"]) for s in found if s["language"] == "en"), "–")
    others = [s for s in found if s["language"] != "en"]
    mean = sum(s["value"] for s in others) / len(others)
    majority = sum(s["majority"] for s in others) / len(others)
    items = sum(s["n"] for s in found)
    kind = registry.get(task)
    cells = (
        task,
        kind.kind,
        about,
        f"{items:,}",
        str(len(found)),
        kind.metric,
        dev,
        english,
        points(mean),
        points(majority),
    )
    return f"| {' | '.join(cells)} |"


def every_language(name: str, found: list[dict[str, Any]]) -> str:
    """A task's scores in all languages, with intervals."""
    texts = [f"{s['language']} {points(s['value'])} [{points(s['low'])}, {points(s['high'])}]" for s in found]
    return f"* **{name}**: {', '.join(texts)}"


def document(folders: dict[str, Path]) -> str:
    """The page."""
    targets, retrieval, intermediates = (folders[name] for name in SPACES)
    trials, scores = rows_of(targets, "trials"), rows_of(targets, "scores")
    head = f"| {' | '.join(COLUMNS)} |"
    lines = [head, "|---" * len(COLUMNS) + "|"]
    details = []
    for trial in (trial for trial in trials if trial["status"] == "done"):
        found = scored(scores, trial["target"], trial["trial"])
        mixture = Recipe.model_validate(yaml.safe_load(trial["recipe"])).stages[-1].mixture
        rows = f"{mixture.members[0].examples:,} rows" if mixture and mixture.members[0].examples else "all rows"
        lines.append(line(trial["target"], rows, points(trial["dev_en"]), found))
        details.append(every_language(trial["target"], found))
    scores = rows_of(retrieval, "scores")
    for name in dict.fromkeys(s["task"] for s in scores if not registry.get(s["task"]).trainable):
        for trial_key, about in (
            ("untrained", "nothing"),
            (rows_of(retrieval, "trials")[0]["trial"], "320 rows of pawsx"),
        ):
            found = scored(scores, name, trial_key)
            if found:
                lines.append(line(name, about, "–", found))
                details.append(every_language(f"{name}, trained on {about}", found))
    steps = ["| intermediate | kind | rows | steps | its English dev | udpos in German |", "|---" * 6 + "|"]
    zero_shot = {trial["intermediate"]: trial["zero_shot"] for trial in rows_of(intermediates, "trials")}
    steps.append(f"| none | – | – | – | – | {_points(zero_shot.get('none'))} |")
    for stage in rows_of(intermediates, "ledger"):
        if stage["role"] == "intermediate" and stage["steps"] is not None:
            label = stage["label"]
            name = label.split("[")[0].split("#")[0]
            dev = points(stage["dev_en"]) if stage["dev_en"] is not None else "not in English"
            about, _, count = label.rpartition("#")
            cells = (about, registry.get(name).kind, count, str(stage["steps"]), dev, _points(zero_shot.get(label)))
            steps.append(f"| {' | '.join(cells)} |")
    space = load_space(ROOT / "search_spaces" / f"{SPACES[0]}.yaml")
    wanted = [recipe.target_task for recipe in listed_recipes(space)]
    left = [name for name in wanted if name not in {trial["target"] for trial in trials if trial["status"] == "done"}]
    lines += ["", f"Not scored in this run, which was interrupted: {', '.join(left)}."] if left else []
    ended = sum(trial["status"] == "done" for trial in rows_of(intermediates, "trials"))
    planned = len(list(listed_recipes(load_space(ROOT / "search_spaces" / f"{SPACES[2]}.yaml"))))
    if ended < planned:
        steps += ["", f"This run was interrupted too: {ended} of {planned} trials ended."]
    facts = {"machine": report.machine(), "date": datetime.date.today().isoformat()}
    tables = {"targets": "\n".join(lines), "intermediates": "\n".join(steps), "details": "\n".join(details)}
    return PAGE.format(**facts, **tables)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "runs" / "every", help="folder of the runs")
    parser.add_argument("--write", action="store_true", help="write docs/tasks.md in place of printing it")
    arguments = parser.parse_args()
    report.data_folder()
    page = document({name: run(name, arguments.output.resolve()) for name in SPACES})
    if arguments.write:
        (ROOT / "docs" / "tasks.md").write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    report.run(main)
