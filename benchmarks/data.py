"""Planning a search over a file of MultiNLI-sized rows: seconds and memory the first time, and when all is cached.

``XIT_DATA=DIR python -m benchmarks.data --rows 1104934`` is ANLI+'s size. The file has real MultiNLI rows over and over, each
with a number in its premise, so that no two rows are equal. The planned search trains XNLI after it, scored in 15 languages.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import yaml

from benchmarks import report
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.spec.recipe import Model

ROOT = Path(__file__).parent.parent
SAMPLE = 20_000
"""Rows whose tokenisation by the tokenizer alone is timed."""


def lines(data: Path) -> Iterator[str]:
    """MultiNLI's training rows without end, each round with a number of its own."""
    rows = (data / "mnli/train.tsv").read_text("utf-8").splitlines()
    for number in count():
        for row in rows:
            yield f"{number} {row}\n" if number else f"{row}\n"


def write(folder: Path, data: Path, rows: int) -> Path:
    """The file, its description as a task, and a space that trains on it; the path of the space."""
    with (folder / "train.tsv").open("w", encoding="utf-8") as file:
        file.writelines(islice(lines(data), rows))
    task = {
        "name": "many", "kind": "classification", "labels": ["entailment", "neutral", "contradiction"],
        "files": {"train": "train.tsv"}, "format": {"header": ["text_a", "text_b", "label"]},
    }  # fmt: skip
    (folder / "many.yaml").write_text(yaml.safe_dump(task))
    stages = [
        {"mixture": {"grid": [None, "many"]}, "learning_rate": {"grid": [1e-5, 2e-5, 3e-5]}},
        {"mixture": {"task": "xnli", "examples": 1000}},
    ]
    # The rows repeat XNLI's own training rows, not its test rows.
    space = {"name": "many", "tasks": ["many.yaml"], "recipe": {"stages": stages}, "data": str(data)}
    (folder / "space.yaml").write_text(yaml.safe_dump(space))
    return folder / "space.yaml"


def measured(*command: str, **environment: str) -> tuple[float, float]:
    """Seconds and peak MB of a Python process."""
    code = (
        "import resource, runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "try:\n    runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)\n"
        "finally:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    begun = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", code, *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - begun
    if ended.returncode:
        raise SystemExit(ended.stdout + ended.stderr)
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return seconds, int(ended.stderr.splitlines()[-1]) / unit


def imports() -> float:
    """Seconds that the imports of planning take."""
    code = "import xit_ray.plan.show, xit_ray.plan.forecast, xit_ray.plan.throughput"
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return time.perf_counter() - begun


def tokenizer_alone(file: Path) -> float:
    """Rows a second of the tokenizer, on all cores, with nothing done to what it gives."""
    tokenizer = load_tokenizer(Model()).backend_tokenizer
    with file.open(encoding="utf-8") as stream:
        pairs = [tuple(line.split("\t")[:2]) for line in islice(stream, SAMPLE)]
    begun = time.perf_counter()
    tokenizer.encode_batch_fast(pairs)
    return len(pairs) / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=392_702, help="of the file [MultiNLI's 392702]")
    arguments = parser.parse_args()
    data = report.data_folder()
    with tempfile.TemporaryDirectory(prefix="xit-data-") as name:
        folder = Path(name)
        space = write(folder, data, arguments.rows)
        size = (folder / "train.tsv").stat().st_size / 2**20
        cache = Path(os.environ.get("XIT_CACHE", Path.home() / ".cache/xit_ray"))
        own = folder / "cache"
        own.mkdir()
        for model in (
            path for path in cache.glob("*e5*") if path.is_dir()
        ):  # the encoder itself is not what is measured
            (own / model.name).symlink_to(model)
        alone = tokenizer_alone(folder / "train.tsv")
        first = measured("xit_ray.plan", str(space), XIT_CACHE=str(own))
        again = measured("xit_ray.plan", str(space), XIT_CACHE=str(own))
        start = imports()
    report.show(
        f"{report.machine()}: a file of {arguments.rows:,} rows, {size:,.0f} MB",
        ("plan", "seconds", "peak MB"),
        [
            ("the first time", *first),
            ("with everything cached", *again),
            ("imports alone", start, float("nan")),
            ("the tokenizer alone, on all cores", arguments.rows / alone, float("nan")),
        ],
    )
    report.result(
        rows=arguments.rows,
        first_seconds=first[0],
        first_mb=first[1],
        cached_seconds_beside_imports=again[0] - start,
        cached_mb=again[1],
        tokenizer_seconds=arguments.rows / alone,
    )


if __name__ == "__main__":
    report.run(main)
