"""What is scored neither trains nor chooses, in any language, spelling or task; and what is no leak is let through."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from xit_ray.data.overlap import Overlap
from xit_ray.data.source import Source
from xit_ray.plan.planner import Planner
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space
from xit_ray.tasks import registry
from xit_ray.testing import files

LABELS = ["entailment", "neutral", "contradiction"]
ABOUT = {"kind": "classification", "labels": LABELS, "format": {"header": ["text_a", "text_b", "label"]}}
SENTENCE = "The river {} rose in the {} night and the town was flooded by its water."


def check(
    folder: Path, encoder: Path, stages: list[Any], root: Path, *own: dict[str, Any], **more: Any
) -> list[Overlap]:
    """Plan a space over some stages, each a task's name; what of the test sets is among its rows."""
    tree = {
        "name": "s",
        "tasks": list(own),
        "recipe": {"model": str(encoder), "stages": [{"mixture": stage} for stage in stages]},
        "zero_shot": {"languages": ["de"]},
        **more,
    }
    (folder / "space.yaml").write_text(yaml.safe_dump(tree))
    planner = Planner(load_space(folder / "space.yaml"), Source("folder", root), "space.yaml")
    planner.check()
    return planner.guard.shown


def xnli(root: Path) -> Path:
    """XNLI with test files in English and German, translations of each other, in other words than the training rows."""
    root.mkdir()
    files.write_folder(registry.get("xnli"), root)
    for language, words in (("en", "river"), ("de", "Fluss")):
        rows = [(SENTENCE.format(words, i), f"{words} {i} is high", LABELS[i % 3]) for i in range(40)]
        (root / f"xnli/test-{language}.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    return root


def written(folder: Path, name: str, lines: list[str]) -> str:
    (folder / name).write_text("".join(f"{line}\n" for line in lines))
    return name


def own(name: str, train: str, **more: Any) -> dict[str, Any]:
    """A task of a user's own files; its dev rows are another file."""
    return {"name": name, **ABOUT, "files": {"train": train, "dev": "dev.tsv"}, **more}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    written(tmp_path, "dev.tsv", ["something else\tentirely\tneutral"])
    return xnli(tmp_path / "data")


def english(root: Path) -> list[str]:
    return (root / "xnli/test-en.tsv").read_text().splitlines()


def test_another_language_of_scored_items_is_refused(root: Path, tmp_path: Path, tiny_encoder: Path) -> None:
    """German is scored alone; training on the English rows of the same items would teach them."""
    train = written(tmp_path, "train.tsv", english(root))
    with pytest.raises(
        UserError, match=r"100% of the test rows of xnli in 'de' are, .* rows of leak_text train in 'en'"
    ):
        check(tmp_path, tiny_encoder, ["leak_text", "xnli"], root, own("leak_text", train))


def test_a_translation_is_refused_by_its_ids(root: Path, tmp_path: Path, tiny_encoder: Path) -> None:
    """XNLI's test rows in a language that it does not have, and in another order."""
    lines = [f"jemo {i}\tkana {i}\tneutral\t{i}" for i in reversed(range(20, 60))]
    train = written(tmp_path, "train.tsv", lines)
    columns = {"header": ["text_a", "text_b", "label", "row"]}
    described = own("leak_ids", train, format=columns, columns={"train": {"item": "row"}}, items={"train": "xnli-test"})
    described["files"] = {"train": "train.tsv", "dev": "train.tsv"}
    with pytest.raises(
        UserError, match=r"50% of the test rows of xnli in 'de' are, in some language, items of leak_ids"
    ):
        check(tmp_path, tiny_encoder, ["leak_ids", "xnli"], root, described, allow_overlap=0.9)


@pytest.mark.parametrize(
    "changed", [lambda line: line.replace("rose", "rose "), str.upper, lambda line: line.replace(".", "…!")]
)
def test_spelling_hides_nothing(root: Path, tmp_path: Path, tiny_encoder: Path, changed: Any) -> None:
    pairs = [line.rsplit("\t", 1) for line in english(root)]
    train = written(tmp_path, "train.tsv", [f"{changed(text)}\t{label}" for text, label in pairs])
    name = f"leak_spelling_{abs(hash(changed('rose . a')))}"[:40]
    with pytest.raises(UserError, match=r"100% of the test rows of xnli in 'de'"):
        check(tmp_path, tiny_encoder, [name, "xnli"], root, own(name, train))


def test_a_word_more_hides_nothing(root: Path, tmp_path: Path, tiny_encoder: Path) -> None:
    train = written(tmp_path, "train.tsv", [line.replace("The ", "The old ", 1) for line in english(root)])
    with pytest.raises(UserError, match=r"100% of the test rows of xnli in 'de'"):
        check(tmp_path, tiny_encoder, ["leak_word", "xnli"], root, own("leak_word", train))


def swapped(line: str) -> str:
    first, second, label = line.split("\t")
    return f"{second}\t{first}\t{label}"


def joined(line: str) -> str:
    first, second, label = line.split("\t")
    return f"{first} {second}\t\t{label}"


@pytest.mark.parametrize("changed", [swapped, joined])
def test_other_columns_hide_nothing(root: Path, tmp_path: Path, tiny_encoder: Path, changed: Any) -> None:
    train = written(tmp_path, "train.tsv", [changed(line) for line in english(root)])
    name = f"leak_{changed.__name__}"
    with pytest.raises(UserError, match=r"100% of the test rows of xnli in 'de'"):
        check(tmp_path, tiny_encoder, [name, "xnli"], root, own(name, train))


@pytest.mark.parametrize("items", [{}, {"train": "xnli-test"}])
def test_masked_lm_on_an_own_task_is_guarded_as_the_task_is(
    root: Path, tmp_path: Path, tiny_encoder: Path, items: dict[str, str]
) -> None:
    """Its language is said to be English; its texts are the German test rows, or a translation that is named as one."""
    german = (root / "xnli/test-de.tsv").read_text().splitlines()
    lines = [f"jemo {i}\tkana {i}\tneutral" for i in range(40)] if items else german
    name = f"leak_masked_{len(items)}"
    described = own(name, written(tmp_path, "train.tsv", lines), items=items)
    with pytest.raises(UserError, match=rf"100% of the test rows of xnli in 'de' .* masked_lm/{name} train"):
        check(tmp_path, tiny_encoder, [f"masked_lm/{name}", "xnli"], root, described)


def test_parts_of_a_test_set_are_added_up(root: Path, tmp_path: Path, tiny_encoder: Path) -> None:
    """Five tasks with a twentieth of the test set each, in one mixture and in a stage before it."""
    parts = []
    for number in range(5):
        lines = [
            *english(root)[2 * number : 2 * number + 2],
            *(f"other {number} {i}\tmore\tneutral" for i in range(30)),
        ]
        parts.append(own(f"leak_part_{number}", written(tmp_path, f"train{number}.tsv", lines)))
    names = [part["name"] for part in parts]
    with pytest.raises(UserError, match=r"25% of the test rows of xnli in 'de' are, .* rows of 5 tasks together"):
        check(tmp_path, tiny_encoder, [names[0], names[1:], "xnli"], root, *parts)
    found = check(tmp_path, tiny_encoder, [names[:2], "xnli"], root, *parts)
    told = {one.used: one.share for one in found if one.split == "test"}
    assert max(told.values()) == pytest.approx(4 / 40)


def test_masked_lm_on_documents_of_test_texts_is_refused(root: Path, tmp_path: Path, tiny_encoder: Path) -> None:
    texts = [line.split("\t")[0] for line in english(root)]
    documents = [" ".join(texts[i : i + 5]) for i in range(0, len(texts), 5)]
    train = written(tmp_path, "documents.txt", documents)
    described = {"name": "leak_documents", "kind": "masked LM", "files": {"train": train, "dev": train}}
    with pytest.raises(UserError, match=r"100% of the test rows of xnli in 'de'"):
        check(tmp_path, tiny_encoder, ["leak_documents", "xnli"], root, described)


def test_masked_lm_on_test_texts_is_refused(root: Path, tmp_path: Path, tiny_encoder: Path) -> None:
    train = written(tmp_path, "texts.txt", [line.split("\t")[0] for line in english(root)])
    described = {"name": "leak_texts", "kind": "masked LM", "files": {"train": train, "dev": train}}
    with pytest.raises(UserError, match=r"100% of the test rows of xnli in 'de' .* rows of leak_texts train in 'en'"):
        check(tmp_path, tiny_encoder, ["leak_texts", "xnli"], root, described)


def test_dev_rows_that_are_scored_are_refused(root: Path, tmp_path: Path, tiny_encoder: Path) -> None:
    (root / "xnli/dev-en.tsv").write_text("".join(f"{line}\n" for line in english(root)))
    with pytest.raises(UserError, match=r"100% of the test rows of xnli in 'de' are, .* rows of xnli dev in 'en'"):
        check(tmp_path, tiny_encoder, ["xnli"], root)


def test_a_task_scored_beside_the_target_is_guarded_too(tmp_path: Path, tiny_encoder: Path) -> None:
    """LAReQA's questions are XQuAD's: by their ids, in a language that neither has."""
    root = xnli(tmp_path / "data")
    files.write_folder(registry.get("lareqa"), root, languages=("en", "de"))
    asked = [
        {"id": str(i), "question": f"q {i}", "context": "c", "answers": [{"text": "c", "start": 0}]} for i in range(12)
    ]
    written(tmp_path, "qa.jsonl", [json.dumps(row) for row in asked])
    splits = {"train": "qa.jsonl", "dev": "qa.jsonl"}
    described = {"name": "leak_qa", "kind": "span QA", "files": splits, "items": {"train": "xquad"}}
    also = {"languages": ["de"], "embedding_tests": ["lareqa"]}
    with pytest.raises(
        UserError, match=r"100% of the test rows of lareqa in 'de' are, in some language, items of leak_qa"
    ):
        check(tmp_path, tiny_encoder, ["leak_qa", "xnli"], root, described, zero_shot=also)


def test_an_overlap_that_is_allowed_is_told(root: Path, tmp_path: Path, tiny_encoder: Path) -> None:
    some = [*english(root)[:17], *(f"other words {i}\tand more\tneutral" for i in range(60))]
    train = written(tmp_path, "train.tsv", some)
    with pytest.raises(UserError, match=r"42% of the test rows .* allowed: 10%\. .*'allow_overlap: 0.43'"):
        check(tmp_path, tiny_encoder, ["leak_some", "xnli"], root, own("leak_some", train))
    (found,) = check(tmp_path, tiny_encoder, ["leak_some", "xnli"], root, own("leak_some", train), allow_overlap=0.5)
    assert found == Overlap("leak_some train in 'en'", "xnli", "de", 0.425, "text")
    few = written(tmp_path, "train.tsv", some[16:])
    (found,) = check(tmp_path, tiny_encoder, ["leak_some", "xnli"], root, own("leak_some", few))
    assert found.share == pytest.approx(1 / 40)


def test_what_benchmarks_publish_is_no_leak(xit_data: Path, tmp_path: Path, tiny_encoder: Path) -> None:
    """XNLI's own training and dev rows, SQuAD before XQuAD; PAN-X repeats some of its rows, which are counted."""
    for stages in (["snli", "xnli"], ["masked_lm/mnli", "xnli"], ["squad", "xquad"]):
        assert not [one for one in check(tmp_path, tiny_encoder, stages, xit_data) if one.split == "test"]
    found = check(tmp_path, tiny_encoder, ["panx"], xit_data, zero_shot={"languages": ["en", "de"]})
    assert [(one.used, one.tested, one.language, one.by) for one in found] == [
        ("panx train in 'en'", "panx", "en", "text")
    ]
    assert 0.03 < found[0].share < 0.05


def test_rows_that_are_also_scored_are_refused_in_their_own_benchmark(
    xit_data: Path, tmp_path: Path, tiny_encoder: Path
) -> None:
    """TyDiQA's dev files have no answers here, so its Korean training rows are scored."""
    stages = [{"task": "tydiqa", "language": "ko"}, "tydiqa"]
    with pytest.raises(
        UserError, match=r"9\d% of the test rows of tydiqa in 'ko' are, .* rows of tydiqa train in 'ko'; allowed: 50%"
    ):
        check(tmp_path, tiny_encoder, stages, xit_data, zero_shot={"languages": ["ko", "sw"]})
