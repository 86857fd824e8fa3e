"""The small twin of every study, run to its end on real data: the page docs/studies.md.

Runs search_spaces/*_small.yaml one after the other into one output folder, where later ones take the stages of earlier ones
(a run that has ended is read, one that was interrupted goes on), and writes for each what it asked, its matrix, what its
recipes cost, how good the plan's forecast was, and its answer. Speeds for the forecast are measured before each search,
as ``plan --calibrate`` does. Two cores take about three hours for all of them.
"""

import argparse
import datetime
import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from benchmarks import report
from benchmarks.searches import left_of
from xit_ray.report.summary import Summary, summarise
from xit_ray.report.typology import GROUPS
from xit_ray.report.words import cell_text, points, score_text, seeds_text, settle_text
from xit_ray.spec.load import load_space
from xit_ray.track.events import Event, TrialScored
from xit_ray.track.journal import Journal

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/studies.md"
FORECAST = "Forecast against ledger"
TOO_SMALL = {
    "transfer_matrix_small": "Hundreds of rows per task: intermediates that need more rows to be learnt at all "
    "(questions about a text, completions) look worse than they are; no order of intermediates is meant.",
    "joint_vs_sequential_small": "One target. The joint stage takes more steps than the plain one, so a part of "
    "its gain may be the steps.",
    "cost_xcopa_small": "The offline encoder stays near chance on COPA at these budgets, so accuracy cannot rank the ways; "
    "what each costs is meant.",
    "scale_vs_multilingual_small": "Frozen layers stand in for a smaller model, as there is one encoder offline.",
    "non_english_small": "Each language comes with its own dataset, so language and dataset cannot be told apart but for the "
    "translated MNLI.",
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
    summary = summarise(folder, space.store_root)
    events = list(Journal(folder).read())
    about = json.loads((output / f"{name}.about.json").read_text())
    minutes = sum(_stretches([event.time for event in events])) / 60
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


def sections_of(page: str) -> dict[str, str]:
    """What a page says of each study."""
    _, *parts = page.split("\n## ")
    return {part.split("\n", 1)[0]: f"## {part.strip()}" for part in parts}


def _stretches(times: list[float]) -> list[float]:
    """Seconds between events; a pause between a run and its resume is none."""
    return [gap for before, after in itertools.pairwise(times) if (gap := after - before) < 600]


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _matrix(summary: Summary) -> str:
    rows = [
        [name, *(cell_text(summary.cells.get((name, target)), summary.margin) for target in summary.targets)]
        for name in summary.rows
    ]
    return _table(["intermediate", *summary.targets], rows)


def _costs(summary: Summary, events: list[Event]) -> str:
    """A row for every cell: English dev and test, and what its recipe costs by itself."""
    trials = {row["trial"]: row for row in summary.trials}
    scoring = {e.trial: e.record for e in events if isinstance(e, TrialScored)}
    rows = []
    for cell in (cell for cell in summary.cells.values() if cell.trial is not None):
        cost = scoring[str(cell.trial)].cost
        items = sum(score.n for score in scoring[str(cell.trial)].scores)
        row = trials[cell.trial]
        rows.append(
            [
                f"{cell.row} → {cell.target}",
                f"{100 * (cell.dev_en or 0):.1f}",
                score_text(cell),
                seeds_text(cell),
                f"{row['device_seconds'] - cost.device_seconds:.0f}",
                f"{row['peak_memory_mb']:.0f}",
                f"{1000 * cost.seconds / items:.1f}",
            ]
        )
    return _table(
        ["recipe", "English dev", "zero-shot mean", "seeds", "training, s", "peak MB", "ms per test row"], rows
    )


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
    """By English dev, in a sentence or two."""
    best = summary.best[target]
    what = "no intermediate stage is best" if best.cell.is_baseline else f"{best.row} is best"
    said = f"On {target}, by English dev, {what}, zero-shot {points(best.zero_shot)}"
    if best.gain is not None:
        said += f", gain {cell_text(best, summary.margin)}"
    hours = summary.device_hours[best.cell]
    needed = settle_text(best, summary.margin, hours)
    counts = Counter(cell.gain.verdict for cell in summary.cells.values() if cell.target == target and cell.gain)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    return f"{said}{f' ({needed})' if needed else ''}. Of {counts.total()} recipes beside the baseline: {told}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("runs/studies"), help="folder of the runs [runs/studies]")
    parser.add_argument("--studies", nargs="+", choices=sorted(TOO_SMALL), default=sorted(TOO_SMALL))
    parser.add_argument(
        "--write",
        action="store_true",
        help="write docs/studies.md; what it says of runs that are not there stays as it is",
    )
    arguments = parser.parse_args()
    report.data_folder()
    output: Path = arguments.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    for name in arguments.studies:
        run(name, output)
    ended = [name for name in TOO_SMALL if left_of(ROOT / f"search_spaces/{name}.yaml", output) is None]
    sections = sections_of(PAGE.read_text()) | {name: section(name, output) for name in ended}
    page = (
        "\n\n".join(["# Every study, small", PREFACE, *(sections[name] for name in TOO_SMALL if name in sections)])
        + "\n"
    )
    if arguments.write:
        PAGE.write_text(page)
    print(page)


PREFACE = """Made by `python -m benchmarks.studies --write`: the small twins of the studies' search spaces, each run
to its end on real data (subsets of the datasets) with the offline encoder (multilingual-e5-small). They show that every
question can be asked and answered; at a few hundred rows a task their answers are about this size and this encoder. A
matrix has gains in points of mean zero-shot score over the baseline (in brackets: its own score), with 95 % intervals over
training seeds and test items and a verdict that is corrected for the number of cells; a cell of one seed says so instead.
Training seconds are of the recipe alone, whoever trained its stages."""


if __name__ == "__main__":
    report.run(main)
