"""``xit plan --prepare``: everything a search needs is tokenised before machines are rented."""

from pathlib import Path

from tests.running import run
from xit_ray.tasks import registry
from xit_ray.testing import files


def test_prepare_makes_every_token_a_search_needs(tmp_path: Path, tiny_encoder: Path) -> None:
    files.write_folder(registry.get("xquad"), tmp_path)
    files.write_folder(registry.get("tatoeba"), tmp_path)
    space = tmp_path / "space.yaml"
    space.write_text(
        f"name: s\ndata: {tmp_path}\nzero_shot: {{languages: [en, ar, af], embedding_tests: [tatoeba]}}\n"
        f"recipe: {{model: {tiny_encoder}, stages: [{{mixture: {{grid: [null, mini_nli]}}}}, {{mixture: xquad}}]}}\n"
    )
    found = run("xit_ray.plan", str(space), "--prepare", XIT_CACHE=str(tmp_path / "cache"))
    assert found.returncode == 0, found.stderr
    assert "tokens are ready" in found.stdout
    # mini_nli's train and dev, XQuAD's train and dev, its test in two languages, and Tatoeba's texts
    assert len(list((tmp_path / "cache" / "tokens").glob("*/about.json"))) == 7
