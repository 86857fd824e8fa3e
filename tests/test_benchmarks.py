"""The benchmarks run, each in its smallest form; what they measure is not asserted here. ``studies`` and ``tasks`` are
run in ``tests/search/test_matrix_search.py``, on a search that has ended."""

import functools
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks import report
from tests.running import Ended, ended
from tests.search.searching import join_ray

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent


def benchmark(name: str, *words: str) -> Ended:
    """A benchmark in this process; what has to be alone for its figures starts processes of its own."""
    module = importlib.import_module(f"benchmarks.{name}")
    return ended(functools.partial(report.run, module.main), name, *words)


def result(name: str, *words: str) -> dict[str, object]:
    found = benchmark(name, *words)
    assert found.returncode == 0, found.stderr
    return result_of(found.stdout)


def result_of(printed: str) -> dict[str, object]:
    last = printed.splitlines()[-1]
    assert last.startswith("RESULT ")
    return dict(json.loads(last.removeprefix("RESULT ")))


def test_gpu_without_a_gpu_is_a_dry_run() -> None:
    assert result("gpu", "--dry-run") == {
        "device": "dry run",
        "large_mfu": None,
        "base_mfu": None,
        "large_vs_pad128": None,
        "large_vs_best": None,
    }


def test_packed_and_padded_training_lie_on_each_other(xit_data: Path) -> None:
    found = result("equivalence", "--steps", "4", "--seeds", "1", "--rows", "32")
    assert isinstance(found["max_loss_gap"], float)
    assert found["max_loss_gap"] < 1e-5


def test_throughput_has_its_ratios(xit_data: Path) -> None:
    found = result("throughput", "--warm-up", "1", "--steps", "2", "--rows", "4", "--turns", "1")
    assert set(found) == {
        "train_vs_pad128",
        "train_vs_best",
        "eval_vs_pad128",
        "eval_vs_best",
        "peak_memory_vs_best",
        "share_of_matmul_peak",
    }


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout: there are no other commits")
def test_throughput_against_another_commit(xit_data: Path) -> None:
    small = ("--warm-up", "1", "--steps", "2", "--rows", "2", "--turns", "1")
    found = result("throughput", "--against", "HEAD", *small)
    assert set(found) == {"train_vs_commit", "eval_vs_commit", "train_spread", "peak_memory_vs_commit"}


@pytest.mark.slow
def test_storage_is_told_with_and_without_the_policy() -> None:
    found = result("storage", "--layers", "1", "--examples", "8")
    assert found["trials"] == 24
    assert found["stored_mb"] < found["stored_mb_all"] / 4  # three intermediate and two target checkpoints of 27
    assert found["large_store_gb"] < found["large_store_gb_all"] / 4


def test_planning_over_a_large_file(xit_data: Path) -> None:
    found = result("data", "--rows", "3000")
    assert found["rows"] == 3000
    assert {"first_seconds", "first_mb", "cached_seconds_beside_imports", "cached_mb"} <= set(found)


def test_retrieval_gives_the_plain_answers(xit_data: Path) -> None:
    assert result("retrieval", "--languages", "1", "--sentences", "100")


def test_the_profile_adds_up(xit_data: Path) -> None:
    found = result("profile", "--steps", "1", "--rows", "1")
    for part in ("training", "scoring"):
        shares = found[part]
        assert isinstance(shares, dict)
        assert sum(shares.values()) == pytest.approx(1.0, abs=0.01)


def test_preselection_has_its_regrets(tiny_encoder: Path, tmp_path: Path) -> None:
    first, second, target = ({"task": name, "examples": 64} for name in ("mini_nli", "mini_roles", "mini_paraphrase"))
    stages = [{"mixture": {"grid": [None, first, second]}}, {"mixture": target}]
    recipe = {"model": str(tiny_encoder), "stages": stages}
    space = {"name": "small", "recipe": recipe, "zero_shot": {"languages": ["en", "de"]}}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(space))
    join_ray()
    assert result("preselection", "--space", str(tmp_path / "small.yaml"), "--rows", "16")


def test_a_simulated_cluster_does_all_its_trials() -> None:
    join_ray()
    found = result("scale", "--nodes", "4", "--trials", "40", "--seconds", "0.4")
    assert set(found) == {"busy_share", "driver_mb", "store_calls_per_second", "mlflow_calls_per_second"}


def test_overhead_has_its_parts() -> None:
    # It starts a Ray that believes to have as many CPUs as there are trials at a time, and so needs a process without one.
    words = [sys.executable, "-m", "benchmarks.overhead", "--at-a-time", "1", "--rounds", "2"]
    alone = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=600)
    assert alone.returncode == 0, alone.stderr
    found = result_of(alone.stdout)
    assert set(found) == {"seconds_per_trial_warm", "seconds_first_trial", "mb_per_trial"}


def test_simulated_coverage_has_its_shares() -> None:
    found = result("coverage", "--matrices", "4")
    assert found["verdicts_one_seed"] == 0
    assert {"coverage_3_seeds", "coverage_5_seeds", "false_verdicts"} <= set(found)


def test_bad_inputs_of_every_kind_are_refused_in_a_line() -> None:
    found = result("fuzz", "--inputs", "300")
    assert found == {"inputs": 300, "tracebacks": 0, "hangs": 0, "wrongly_accepted": 0}


def test_searches_share_what_the_naive_way_trains_again(xit_data: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    join_ray()
    found = result("search_cost", "--small", "--model", str(tiny_encoder), "--output", str(tmp_path / "runs"))
    ratios = ("device_seconds_ratio", "multi_study_ratio", "paper_scale_ratio")
    assert all(isinstance(found[name], float) for name in ratios)


def test_faults_are_counted() -> None:
    found = result("faults", "--kills", "1", "--faults", "1", "--epochs", "1")
    assert found == {"kills": 1, "hung": 0, "lost_trials": 0, "other_scores": 0, "stages_trained_twice": 0,
                     "mlflow_doubled": 0, "mlflow_lost": 0}  # fmt: skip


def test_logging_has_its_share() -> None:
    found = result("tracking", "--trials", "2", "--evaluations", "2", "--seconds", "1")
    assert set(found) == {"logging_share", "delivery_share"}


def test_a_benchmark_without_data_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XIT_DATA", raising=False)
    refused = benchmark("retrieval")
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1] == "error: XIT_DATA: must name a folder of real data in XTREME's layout"
