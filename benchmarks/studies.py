"""The small twin of every study, run to its end on real data: the page docs/studies.md.

Runs search_spaces/*_small.yaml one after the other into one output folder, where later ones take the stages of earlier ones
(a run that has ended is read, one that was interrupted goes on), and writes for each what it asked, its matrix, what its
recipes cost, how good the plan's forecast was, and its answer. Speeds for the forecast are measured before each search,
as ``plan --calibrate`` does. Two cores take about two hours for all of them.
"""

import argparse
import datetime
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.searches import left_of
from xit_ray.report.matrix import Cell
from xit_ray.report.summary import Summary, gain_text, summarise
from xit_ray.report.typology import GROUPS
from xit_ray.spec.load import load_space
from xit_ray.stages.store import Store
from xit_ray.track.journal import Journal

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/studies.md"
FORECAST = "Forecast against ledger"
TOO_SMALL = {
    "transfer_matrix_small": "Hundreds of rows a task and one seed: intermediates that need more rows to be learnt at all "
    "(questions about a text, completions) look worse than they are; no order of intermediates is meant.",
    "joint_vs_sequential_small": "One target and one seed. The joint stage takes more steps than the plain one, so a part of "
    "its gain may be the steps.",
    "cost_xcopa_small": "The offline encoder stays near chance on COPA at these budgets, so accuracy cannot rank the ways; "
    "what each costs is meant.",
    "scale_vs_multilingual_small": "Frozen layers stand in for a smaller model, as there is one encoder offline; one seed.",
    "non_english_small": "Each language comes with its own dataset, so language and dataset cannot be told apart but for the "
    "translated MNLI; one seed.",
    "size_vs_synthetic_small": "The generated rows come from a grammar of a few hundred words, not from a language model.",
    "paper_controls_small": "Seven of the nine tasks, a few hundred rows each; masked LM for a hundred steps says nothing of "
    "masked LM for thousands.",
}
"""What a study at this size cannot say."""


def run(name: str, output: Path) -> None:
    """Run a study, or go on with it, if it has not ended."""
    space = ROOT / f"search_spaces/{name}.yaml"
    left = left_of(space, output)
    if left is None:
        return
    _command(["-m", "xit_ray.plan", str(space), "--calibrate"], output / f"{name}.plan.log")
    _command(left, output / f"{name}.log")
    about = {"date": datetime.date.today().isoformat(), "machine": report.machine()}
    (output / f"{name}.about.json").write_text(json.dumps(about))


def _command(arguments: list[str], log: Path) -> None:
    """Run a door of the product; what it prints is kept, and shown if it fails."""
    with log.open("a") as file:
        ended = subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)
    if ended.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{log.read_text()[-3000:]}")


def section(name: str, output: Path) -> str:
    """What the page says of a study."""
    folder = output / name
    space = load_space(folder / "spec.yaml")
    summary = summarise(folder, Store(space.store_root))
    events = list(Journal(folder).read())
    about = json.loads((output / f"{name}.about.json").read_text())
    minutes = sum(_stretches([event["time"] for event in events])) / 60
    forecast = next(
        (line for line in (output / f"{name}.log").read_text().splitlines() if line.startswith(FORECAST)), ""
    )
    trained = [row for row in summary.ledger if row["trainings_begun"]]
    parts = [
        f"## {name}",
        f"*{space.question}* `python -m xit_ray.search search_spaces/{name}.yaml`, {about['date']}, {about['machine']}: "
        f"{len(summary.trials)} trials, {len(trained)} stages trained, {minutes:.0f} minutes.",
        _matrix(summary),
        _costs(summary, events),
        *_distances(summary),
        "**Answer.** " + " ".join(_answer(summary, target) for target in summary.targets),
        f"**Too small to say.** {TOO_SMALL[name]}",
        forecast,
    ]
    return "\n\n".join(part for part in parts if part)


def _stretches(times: list[float]) -> list[float]:
    """Seconds between events; a pause between a run and its resume is none."""
    return [gap for before, after in itertools.pairwise(times) if (gap := after - before) < 600]


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _matrix(summary: Summary) -> str:
    rows = [
        [name, *(gain_text(summary.cells.get((name, target))) for target in summary.targets)]
        for name in summary.intermediates
    ]
    return _table(["intermediate", *summary.targets], rows)


def _costs(summary: Summary, events: list[dict[str, Any]]) -> str:
    """A row for every cell: English dev and test, and what its recipe costs by itself."""
    trials = {row["trial"]: row for row in summary.trials}
    scoring = {e["trial"]: e["description"] for e in events if e["kind"] == "scored"}
    rows = []
    for cell in (cell for cell in summary.cells.values() if cell.trial is not None):
        cost = scoring[str(cell.trial)]["cost"]
        items = sum(score["n"] for score in scoring[str(cell.trial)]["scores"])
        row = trials[cell.trial]
        rows.append(
            [
                f"{cell.intermediate} → {cell.target}",
                f"{100 * (cell.dev_en or 0):.1f}",
                _score(cell),
                f"{row['device_seconds'] - cost['device_seconds']:.0f}",
                f"{row['peak_memory_mb']:.0f}",
                f"{1000 * cost['seconds'] / items:.1f}",
            ]
        )
    return _table(["recipe", "English dev", "zero-shot mean", "training, s", "peak MB", "ms a test row"], rows)


def _score(cell: Cell) -> str:
    low, high = cell.zero_shot_low, cell.zero_shot_high
    if cell.zero_shot is None or low is None or high is None:
        return "–"
    return f"{100 * cell.zero_shot:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _distances(summary: Summary) -> list[str]:
    """Mean gains by typological distance, where the search is about that."""
    if "non_english" not in summary.name:
        return []
    rows = [
        [row.intermediate, *("–" if gain is None else f"{100 * gain:+.1f}" for gain in (*row.means, row.correlation))]
        for row in summary.typology
    ]
    columns = ["intermediate", *(f"distance {name}" for _, name in GROUPS), "100 x rank correlation"]
    return ["Mean gain in points by distance from English in word order:", _table(columns, rows)]


def _answer(summary: Summary, target: str) -> str:
    """By English dev, in a sentence."""
    best = summary.best[target]
    if best.is_baseline:
        found = "no intermediate stage is best"
    else:
        found = f"{best.intermediate} is best: {gain_text(best)} points of mean zero-shot score over the target alone"
    others = [cell for cell in summary.cells.values() if cell.target == target and cell.gain is not None]
    sure = sum(cell.gain_low is not None and cell.gain_low > 0 for cell in others)
    worse = sum(cell.gain_high is not None and cell.gain_high < 0 for cell in others)
    return (
        f"On {target}, by English dev, {found}; of {len(others)} recipes beside the baseline {sure} gain and {worse} lose "
        "beyond their intervals."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("runs/studies"), help="folder of the runs [runs/studies]")
    parser.add_argument("--studies", nargs="+", choices=sorted(TOO_SMALL), default=sorted(TOO_SMALL))
    parser.add_argument("--write", action="store_true", help="write docs/studies.md, from all runs that have ended")
    arguments = parser.parse_args()
    report.data_folder()
    output: Path = arguments.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    for name in arguments.studies:
        run(name, output)
    ended = [name for name in TOO_SMALL if left_of(ROOT / f"search_spaces/{name}.yaml", output) is None]
    page = "\n\n".join(["# Every study, small", PREFACE, *(section(name, output) for name in ended)]) + "\n"
    if arguments.write:
        PAGE.write_text(page)
    print(page)


PREFACE = """Made by `python -m benchmarks.studies --write`: the small twins of the studies' search spaces, each run
to its end on real data (subsets of the datasets) with the offline encoder (multilingual-e5-small). They show that every
question can be asked and answered; at a few hundred rows a task their answers are about this size and this encoder. A
matrix has gains in points of mean zero-shot score over the baseline (in brackets: its own score), with 95 % bootstrap
intervals over test items. Training seconds are of the recipe alone, whoever trained its stages."""


if __name__ == "__main__":
    report.run(main)
