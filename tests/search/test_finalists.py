"""The final stage: who is trained again, and a real search that ends with it and resumes into it."""

from pathlib import Path

from tests.search.searching import events, search, table, write_space
from xit_ray.search.finalists import finalists
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Finalists
from xit_ray.track.state import Status, TrialState


def tried(
    rate: float,
    dev: float,
    *,
    seed: int = 0,
    before: str | None = "mnli",
    status: Status = "done",
    reseeded: bool = False,
) -> TrialState:
    stages = [{"mixture": before, "seed": seed}, {"mixture": "xnli", "learning_rate": rate, "seed": seed}]
    recipe = Recipe.model_validate({"stages": stages})
    return TrialState(f"{rate}-{seed}-{before}", recipe, (), ("xnli",), status, dev=dev, reseeded=reseeded)


def about(recipe: Recipe) -> tuple[float, str, int]:
    assert len({stage.seed for stage in recipe.stages}) == 1
    return recipe.stages[-1].learning_rate, recipe.intermediate, recipe.stages[-1].seed


def test_the_best_by_mean_english_dev_and_the_baseline_are_trained_again() -> None:
    trials = [
        tried(1e-5, 0.9),
        tried(1e-5, 0.1, seed=1),  # mean 0.5
        tried(2e-5, 0.7),
        tried(3e-5, 0.6),
        tried(4e-5, 0.3, before=None),
        tried(5e-5, 0.2, before=None),
        tried(6e-5, 0.99, status="stopped"),
        tried(7e-5, 0.99, reseeded=True),
    ]
    found = [about(recipe) for recipe in finalists(trials, Finalists(top=2, seeds=2))]
    assert {(rate, name) for rate, name, _ in found} == {(2e-5, "mnli"), (3e-5, "mnli"), (4e-5, "none")}
    seeds = {seed for *_, seed in found}
    assert len(seeds) == 2
    assert len(found) == 6
    assert not seeds & {0, 1}
    assert found == [about(recipe) for recipe in finalists(trials[::-1], Finalists(top=2, seeds=2))]


def test_a_search_ends_with_its_finalists_whatever_happens_during_them(tiny_encoder: Path, tmp_path: Path) -> None:
    rows = {"task": "mini_paraphrase", "examples": 64}
    stages = [{"mixture": rows, "learning_rate": {"grid": [1e-5, 1e-4]}, "batch_size": 16}]
    space = write_space(
        tmp_path, tiny_encoder, stages, search={"finalists": {"top": 1, "seeds": 2}}, zero_shot={"languages": ["de"]}
    )
    ended = search(str(space), "--output", str(tmp_path / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    run = tmp_path / "runs/tiny"
    trials = table(run, "trials")
    assert sorted((row["reseeded"], row["status"]) for row in trials) == [(False, "done")] * 2 + [(True, "done")] * 2
    first = [row for row in trials if not row["reseeded"]]
    best = [row["recipe"] for row in first if row["dev_en"] == max(row["dev_en"] for row in first)]
    (again,) = {Recipe.model_validate_json(row["recipe"]).with_seed(0) for row in trials if row["reseeded"]}
    assert again in [Recipe.model_validate_json(recipe).with_seed(0) for recipe in best]
    (cell,) = table(run, "matrix")
    assert set(cell["replicates"]) == {row["trial"] for row in trials if row["reseeded"]}
    assert "mean of 2 fresh seeds" in ended.stdout

    before = len(events(run))
    resumed = search("--resume", str(run))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert [event.kind for event in events(run)[before:]] == ["search_started", "search_ended"]

    # Killed while a finalist was scored: the journal ends there.
    journal, written = run / "events.jsonl", events(run)
    cut = max(place for place, event in enumerate(written) if event.kind == "scoring_started")
    journal.write_text("".join(line + "\n" for line in journal.read_text().splitlines()[: cut + 2]))
    resumed = search("--resume", str(run))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert {row["trial"]: row["status"] for row in table(run, "trials")} == {row["trial"]: "done" for row in trials}
    assert table(run, "matrix") == [cell]
