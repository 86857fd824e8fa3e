"""The matrix: English dev alone chooses a cell's trial; gains are over the same target's baseline."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xit_ray.report.matrix import MatrixCell, matrix
from xit_ray.spec.recipe import Model, Recipe, Stage
from xit_ray.stages.store import Store
from xit_ray.stages.work import ITEMS
from xit_ray.tasks import registry

LANGUAGES = registry.get("mini_nli").languages


def evaluation(store: Store, tmp_path: Path, key: str, target: str, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    rows = [(language, bool(rng.random() < share)) for language in LANGUAGES for _ in range(50)]
    folder = tmp_path / key
    folder.mkdir(exist_ok=True)
    table = {
        "task": [target] * len(rows),
        "language": [language for language, _ in rows],
        "metric": ["accuracy"] * len(rows),
        "item": [f"mini_nli-test:{number % 50}" for number in range(len(rows))],
        "measure": ["ratio"] * len(rows),
        "parts": [[float(correct), 1.0] for _, correct in rows],
    }
    pq.write_table(pa.table(table), folder / ITEMS)
    store.publish(key, folder, {"kind": "evaluation"})


def trial(
    key: str, intermediate: str, target: str, dev: float | None, status: str = "done", *, rate: float = 1e-4,
    seed: int = 0, reseeded: bool = False, model: str = "folder/tiny",
) -> dict[str, Any]:  # fmt: skip
    stage = Stage.model_validate({"mixture": target, "learning_rate": rate, "seed": seed})
    return {
        "recipe": Recipe(stages=(stage,), model=Model(name=model)).model_dump_json(),
        "model": Model(name=model).label,
        "tests": [target],
        "reseeded": reseeded,
        "trial": key,
        "intermediate": intermediate,
        "target": target,
        "status": status,
        "dev_en": dev,
        "evaluation": f"e{key}" if status == "done" else None,
    }


def cells(tmp_path: Path, trials: list[dict[str, Any]], shares: dict[str, float]) -> dict[tuple[str, str], MatrixCell]:
    store = Store(str(tmp_path / "store"))
    for number, row in enumerate(trials):
        if row["evaluation"]:
            evaluation(store, tmp_path, row["evaluation"], row["target"], number, shares[row["trial"]])
    pq.write_table(pa.Table.from_pylist(trials), tmp_path / "trials.parquet")
    return {(cell.row, cell.target): cell for cell in matrix(tmp_path, store.root, 0.01)[0]}


def test_gain_is_the_difference_of_means_over_languages_other_than_english(tmp_path: Path) -> None:
    trials = [trial("b", "none", "mini_nli", 0.5), trial("a", "mnli", "mini_nli", 0.6)]
    found = cells(tmp_path, trials, {"a": 0.9, "b": 0.4})
    means = {}
    for key in ("a", "b"):
        with Store(str(tmp_path / "store")).open(f"e{key}") as folder:
            table = pq.read_table(folder / ITEMS).to_pydict()
        pairs = list(zip(table["language"], [parts[0] for parts in table["parts"]], strict=True))
        means[key] = np.mean([np.mean([c for x, c in pairs if x == y]) for y in LANGUAGES if y != "en"])
    cell = found["mnli", "mini_nli"]
    assert cell.zero_shot == pytest.approx(means["a"])
    assert cell.gain is not None
    assert cell.gain.value == pytest.approx(means["a"] - means["b"])
    assert found["none", "mini_nli"].gain is None


def test_one_seed_has_no_interval_and_no_verdict(tmp_path: Path) -> None:
    trials = [trial("b", "none", "mini_nli", 0.5), trial("a", "mnli", "mini_nli", 0.6)]
    gain = cells(tmp_path, trials, {"a": 0.9, "b": 0.4})["mnli", "mini_nli"].gain
    assert gain is not None
    assert (gain.low, gain.high, gain.q, gain.verdict) == (None, None, None, "one seed")


def replicated(names: dict[str, float], seeds: int) -> tuple[list[dict[str, Any]], dict[str, float]]:
    trials = [trial(f"{name}{s}", name, "mini_nli", 0.5, seed=s) for name in names for s in range(seeds)]
    return trials, {row["trial"]: names[row["intermediate"]] for row in trials}


def test_seeds_give_intervals_and_verdicts(tmp_path: Path) -> None:
    found = cells(tmp_path, *replicated({"none": 0.4, "good": 0.8, "bad": 0.1, "same": 0.4}, 3))
    verdicts = {name: cell.gain.verdict for (name, _), cell in found.items() if cell.gain}
    assert verdicts["good"] == "helps"
    assert verdicts["bad"] == "harms"
    assert verdicts["same"] in ("not known", "no larger difference")
    for cell in found.values():
        if cell.gain is not None:
            assert cell.gain.low is not None
            assert cell.gain.high is not None
            assert cell.gain.low < cell.gain.value < cell.gain.high
            assert cell.gain_by_language is not None
            assert set(cell.gain_by_language) == set(LANGUAGES) - {"en"}
            assert cell.gain_english is not None
            assert cell.gain_any_language is not None
            wide, narrow = cell.gain_any_language.interval, cell.gain.estimate.interval
            assert wide is not None
            assert narrow is not None
            assert wide[1] - wide[0] >= narrow[1] - narrow[0]


def test_seeds_of_other_cells_tell_the_variance_of_a_cell_with_one(tmp_path: Path) -> None:
    trials, shares = replicated({"none": 0.4, "good": 0.8}, 3)
    trials.append(trial("alone", "alone", "mini_nli", 0.5))
    found = cells(tmp_path, trials, {**shares, "alone": 0.8})
    single, several = found["alone", "mini_nli"].gain, found["good", "mini_nli"].gain
    assert single is not None
    assert several is not None
    assert single.verdict == "helps"
    assert single.estimate.seed_variance > several.estimate.seed_variance


def test_the_oracle_chooses_nothing_and_is_scored_on_items_it_did_not_choose_by(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    trials = [trial(key, "none", "mini_nli", dev, rate=rate) for key, dev, rate in (("p", 0.9, 1e-5), ("q", 0.1, 2e-5))]
    for number, (row, share) in enumerate(zip(trials, (0.3, 0.8), strict=True)):
        evaluation(store, tmp_path, row["evaluation"], "mini_nli", number, share)
    pq.write_table(pa.Table.from_pylist(trials), tmp_path / "trials.parquet")
    (cell,), (oracle,) = matrix(tmp_path, store.root, 0.01)
    assert cell.trial == "p"
    assert oracle.value == pytest.approx(0.8, abs=0.1)
    assert oracle.by_english_dev == pytest.approx(cell.zero_shot, abs=0.02)  # halves are not quite of one size


@given(st.lists(st.floats(0.1, 0.9), min_size=3, max_size=3))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_zero_shot_score_can_choose(tmp_path_factory: pytest.TempPathFactory, shares: list[float]) -> None:
    trials = [
        trial(key, "mnli", "mini_nli", dev, rate=rate)
        for key, dev, rate in (("x", 0.5, 1e-5), ("y", 0.7, 2e-5), ("z", 0.6, 3e-5))
    ]
    found = cells(tmp_path_factory.mktemp("m"), trials, dict(zip("xyz", shares, strict=True)))
    assert found["mnli", "mini_nli"].trial == "y"


def test_equal_dev_is_settled_by_key_not_by_order(tmp_path: Path) -> None:
    trials = [trial(key, "mnli", "mini_nli", 0.5, rate=rate) for key, rate in (("q", 1e-5), ("p", 2e-5))]
    assert cells(tmp_path, trials, {"p": 0.5, "q": 0.5})["mnli", "mini_nli"].trial == "p"


def test_a_cell_whose_trials_did_not_finish_stays_empty(tmp_path: Path) -> None:
    trials = [trial("b", "none", "mini_nli", 0.5), trial("a", "mnli", "mini_nli", 0.9, "stopped")]
    cell = cells(tmp_path, trials, {"b": 0.5})["mnli", "mini_nli"]
    assert (cell.trial, cell.zero_shot, cell.gain, cell.trials) == (None, None, None, 1)


def test_replicates_over_seeds_stand_for_one_recipe_with_their_means(tmp_path: Path) -> None:
    trials = [
        trial("lucky", "mnli", "mini_nli", 0.80, rate=1e-5, seed=0),
        trial("unlucky", "mnli", "mini_nli", 0.50, rate=1e-5, seed=1),
        trial("steady", "mnli", "mini_nli", 0.70, rate=2e-5, seed=0),
        trial("steadier", "mnli", "mini_nli", 0.72, rate=2e-5, seed=1),
    ]
    shares = {"lucky": 0.9, "unlucky": 0.1, "steady": 0.6, "steadier": 0.7}
    cell = cells(tmp_path, trials, shares)["mnli", "mini_nli"]
    assert set(cell.replicates) == {"steady", "steadier"}
    assert cell.dev_en == pytest.approx(0.71)
    alone = [cells(tmp_path, [row], shares)["mnli", "mini_nli"].zero_shot for row in trials[2:]]
    assert cell.zero_shot == pytest.approx(np.mean([score for score in alone if score is not None]))


def test_finalists_stand_for_a_cell_by_their_fresh_seeds_alone(tmp_path: Path) -> None:
    trials = [
        trial("lucky", "mnli", "mini_nli", 0.95, rate=1e-5),
        trial("first", "mnli", "mini_nli", 0.90, rate=2e-5),
        trial("again", "mnli", "mini_nli", 0.60, rate=2e-5, seed=7, reseeded=True),
        trial("once more", "mnli", "mini_nli", 0.70, rate=2e-5, seed=8, reseeded=True),
    ]
    cell = cells(tmp_path, trials, dict.fromkeys(("lucky", "first", "again", "once more"), 0.5))["mnli", "mini_nli"]
    assert (cell.reseeded, cell.replicates, cell.trials) == (True, ("again", "once more"), 4)
    assert cell.dev_en == pytest.approx(0.65)


def test_every_model_has_rows_of_its_own_and_gains_are_over_its_own_baseline(tmp_path: Path) -> None:
    trials = [
        trial(f"{model[-5:]}{intermediate}", intermediate, "mini_nli", 0.5, model=model)
        for model in ("folder/small", "folder/large")
        for intermediate in ("none", "mnli")
    ]
    shares = {"smallnone": 0.4, "smallmnli": 0.6, "largenone": 0.8, "largemnli": 0.9}
    found = cells(tmp_path, trials, shares)
    names = ["none (large)", "mnli (large)", "none (small)", "mnli (small)"]
    assert [name for name, _ in found] == names
    for model in ("small", "large"):
        base, other = found[f"none ({model})", "mini_nli"], found[f"mnli ({model})", "mini_nli"]
        assert base.cell.is_baseline
        assert not other.cell.is_baseline
        assert base.zero_shot is not None
        assert other.zero_shot is not None
        assert other.gain is not None
        assert other.gain.value == pytest.approx(other.zero_shot - base.zero_shot)
