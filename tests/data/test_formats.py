"""Files as their datasets write them, and what is said of files that are not."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from xit_ray.data import rows
from xit_ray.data.conllu import sentences
from xit_ray.data.formats import records
from xit_ray.data.source import Source
from xit_ray.spec.errors import UserError
from xit_ray.tasks import registry
from xit_ray.tasks.base import Written

CONLLU = """# text = Vamos al mar
1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2-3\tal\t_\t_\t_\t_\t_\t_\t_\t_
2\ta\ta\tADP\t_\t_\t4\tcase\t_\t_
3\tel\tel\tDET\t_\t_\t4\tdet\t_\t_
3.1\tnull\t_\tVERB\t_\t_\t_\t_\t_\t_
4\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\t_

1\t_\t_\tNOUN\t_\t_\t0\troot\t_\t_
2\t_\t_\tVERB\t_\t_\t0\troot\t_\t_

"""


def write(root: Path, name: str, content: str | bytes) -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_contractions_are_one_word_and_emptied_sentences_are_counted(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write(tmp_path, f"udpos/UD_Spanish-GSD/es_gsd-ud-{split}.conllu", CONLLU)
    found = rows.load(registry.get("udpos"), "test", "es", Source("folder", tmp_path))
    labels = registry.get("udpos").labels  # type: ignore[attr-defined]
    (row,) = found.table.to_pylist()
    assert row["tokens"] == ["Vamos", "al", "mar"]
    assert [labels[tag] for tag in row["tags"]] == ["VERB", "ADP", "NOUN"]  # Spanish prefers the preposition
    assert found.notes == {"sentences without words left out": 1}


@pytest.mark.parametrize(
    ("heads", "enhanced", "wanted"),
    [
        ((3, 0), ("_", "_"), "PART"),  # the part nearest to the root, whatever precedes what
        ((1, 1), ("_", "_"), "VERB"),  # as near: the one that comes first in the list
        ((3, 0), ("_", "1:dep|2:dep"), "VERB"),  # further heads by enhanced dependencies count as well
    ],
)
def test_a_contraction_goes_by_its_part_highest_in_the_graph(heads: Any, enhanced: Any, wanted: str) -> None:
    lines = ["1\tx\tx\tNOUN\t_\t_\t0\troot\t_\t_", "2-3\tyz\t_\t_\t_\t_\t_\t_\t_\t_"]
    for number, tag, head, more in zip((2, 3), ("VERB", "PART"), heads, enhanced, strict=True):
        lines.append(f"{number}\ty\ty\t{tag}\t_\t_\t{head}\tdep\t{more}\t_")
    ((_, sentence),) = sentences(lines, "ta_ttb-ud-test.conllu")
    assert sentence == {"tokens": ["x", "yz"], "tags": ["NOUN", wanted]}


def read(written_as: str, *files: Path, **written: Any) -> tuple[list[dict[str, Any]], Counter[str]]:
    notes: Counter[str] = Counter()
    found = [record for _, record in records(written_as, list(files), Written(**written), notes)]
    return found, +notes


def qa(**answer: Any) -> str:
    paragraph = {"context": "Es war 1900 in Rom.", "qas": [{"id": "q", "question": "Wann?", "answers": [answer]}]}
    return json.dumps({"data": [{"paragraphs": [paragraph]}]})


def test_answers_that_are_elsewhere_are_moved_and_said(tmp_path: Path) -> None:
    write(tmp_path, "xquad/xquad.de.json", qa(text="1900", answer_start=2))
    found = rows.load(registry.get("xquad"), "test", "de", Source("folder", tmp_path))
    assert found.table.to_pylist()[0]["answers"] == [{"text": "1900", "start": 7}]
    assert found.notes == {"answers moved to where they are in their context": 1}


def test_a_word_that_is_nothing_still_has_its_tag(tmp_path: Path) -> None:
    """XTREME's PAN-X has some."""
    for name in ("train-en", "dev-en", "test-de"):
        write(tmp_path, f"panx/{name}.tsv", "Rom\tB-LOC\n\tO\n\n\nda\tO\n")
    found = rows.load(registry.get("panx"), "test", "de", Source("folder", tmp_path))
    assert found.table.column("tokens").to_pylist() == [["Rom", ""], ["da"]]


def test_entities_that_begin_inside_are_counted_not_changed(tmp_path: Path) -> None:
    for name in ("train-en", "dev-en", "test-de"):
        write(tmp_path, f"panx/{name}.tsv", "Rom\tI-LOC\nist\tO\nda\tO\n\n")
    found = rows.load(registry.get("panx"), "test", "de", Source("folder", tmp_path))
    assert found.table.column("tags").to_pylist() == [[6, 0, 0]]
    assert found.notes == {"entities that begin with I- read as beginning there": 1}


XQUAD, PANX, XCOPA = "xquad/xquad.de.json", "panx/test-de.tsv", "xcopa/it/test.it.jsonl"
CHOICE = {"premise": "a", "choice1": "b", "choice2": "c", "question": "cause", "label": 0}


@pytest.mark.parametrize(
    ("task", "language", "name", "content", "said"),
    [
        (
            "xquad",
            "de",
            XQUAD,
            qa(text="1999", answer_start=7),
            "row 1 has the answer '1999', which is not in its context",
        ),
        ("xquad", "de", XQUAD, "{", "is not JSON: .* at line 1"),
        ("xquad", "de", XQUAD, '{"data": [{"paragraphs": [{}]}]}', "question 1 is not as SQuAD"),
        ("xquad", "de", XQUAD, "", "is empty"),
        ("panx", "de", PANX, "Rom\tB-CITY\n\n", "row 1 has the tag 'B-CITY'; allowed: O, B-PER"),
        ("panx", "de", PANX, "Rom\tB-LOC\n\nist\n\n", "row 3 has no tag"),
        ("panx", "de", PANX, "Rom\tO\nRom\tB\tC\n\n", r"row 2 has 3 columns; those before have 2"),
        ("panx", "de", PANX, "Rom\tO\n\nGrüße\tO\n".encode() + b"gr\xfc\xdfe\tO\n", "row 4 is not UTF-8"),
        (
            "udpos",
            "en",
            "udpos/UD_English-EWT/en_ewt-ud-test.conllu",
            "1\ta\tb\n",
            "row 1 has 3 columns; CoNLL-U has 10",
        ),
        ("tatoeba", "de", "tatoeba/tatoeba.deu-eng.deu", "eins\nzwei\n", "has 2 rows, but its translation .* has 1"),
        ("xcopa", "it", XCOPA, json.dumps(CHOICE | {"question": "why"}), "question 'why'; allowed: cause, effect"),
        ("xcopa", "it", XCOPA, json.dumps(CHOICE | {"label": 2}), "row 1 has the label 2; allowed: 0 to 1"),
        ("xcopa", "it", XCOPA, json.dumps(CHOICE | {"premise": 3}), "row 1 has 3 as text; wanted: a text"),
        (
            "xcopa",
            "it",
            XCOPA,
            json.dumps({k: v for k, v in CHOICE.items() if k != "choice2"}),
            "has no field 'choice2'",
        ),
        (
            "bucc2018",
            "de",
            "bucc2018/de-en.test.gold",
            "de-9\ten-1\n",
            "names the sentence 'de-9', which is in neither",
        ),
        ("bucc2018", "de", "bucc2018/de-en.test.de", "de-1 eins\n", "row 1 has no tab"),
        (
            "lareqa",
            "de",
            "lareqa/xquad-r/de.json",
            qa(text="1900", answer_start=7),
            "question 1 has no 'sentence_breaks'",
        ),
    ],
)
def test_bad_files_name_file_and_row(
    tmp_path: Path, task: str, language: str, name: str, content: str | bytes, said: str
) -> None:
    good = {
        "panx/train-en.tsv": "a\tO\n\n",
        "panx/dev-en.tsv": "a\tO\n\n",
        "udpos/UD_English-EWT/en_ewt-ud-train.conllu": CONLLU,
        "udpos/UD_English-EWT/en_ewt-ud-dev.conllu": CONLLU,
        "tatoeba/tatoeba.deu-eng.eng": "one\n",
        "bucc2018/de-en.dev.de": "de-1\teins\n",
        "bucc2018/de-en.dev.en": "en-1\tone\n",
        "bucc2018/de-en.dev.gold": "de-1\ten-1\n",
        "bucc2018/de-en.test.de": "de-1\teins\n",
        "bucc2018/de-en.test.en": "en-1\tone\n",
        "bucc2018/de-en.test.gold": "de-1\ten-1\n",
    }
    for each, text in good.items():
        write(tmp_path, each, text)
    write(tmp_path, name, content)
    with pytest.raises(UserError, match=said) as error:
        rows.load(registry.get(task), "test", language, Source("folder", tmp_path))
    assert str(tmp_path / name).rsplit(".", 1)[0] in str(error.value)


def test_unlabelled_test_answers_are_refused(xit_data: Path) -> None:
    """The data's TyDiQA has no answers in its dev files: another layout is scored, and English has no test rows there."""
    source = Source("folder", xit_data)
    assert "train" in rows.load(registry.get("tydiqa"), "test", "ko", source).origin
    with pytest.raises(UserError, match="no labelled test data of task 'tydiqa' in 'en'"):
        rows.load(registry.get("tydiqa"), "test", "en", source)


def test_sentences_that_answer_are_found_again(xit_data: Path) -> None:
    """LAReQA: every question has its one sentence in each language's own contexts."""
    table = rows.load(registry.get("lareqa"), "test", "th", Source("folder", xit_data)).table.to_pylist()
    queries, candidates = ([row for row in table if row["side"] == side] for side in "ab")
    sought = [key for row in candidates for key in row["keys"]]
    assert len(queries) == 1190
    assert sorted(sought) == sorted(row["keys"][0] for row in queries)
    assert len({row["text"] for row in candidates}) > 800


def test_mentions_are_marked_in_their_sentence(tmp_path: Path) -> None:
    text = "Vorher. Die Wahl in Rom endet. Danach."
    span = {"start": 20, "end": 23, "text": "Rom"}
    spans = [{"start": 0, "end": 7}, {"start": 8, "end": 30}, {"start": 31, "end": 38}]
    mention = {
        "context": {"text": text, "sentence_spans": spans},
        "mentions": [{"mention_span": span, "entity_id": "Q220"}],
    }
    entity = {"entity_id": "Q220", "description": "Rome is a city. Old.", "sentence_spans": [{"start": 0, "end": 15}]}
    files = (
        write(tmp_path, "m.jsonl", json.dumps(mention) + "\n"),
        write(tmp_path, "e.jsonl", json.dumps(entity) + "\n"),
    )
    query, candidate = read("mewsli-x", *files)[0]
    assert query == {"side": "a", "text": "Rom: Die Wahl in { Rom } endet.", "keys": ["Q220"]}
    assert candidate == {"side": "b", "text": "Rome is a city.", "keys": ["Q220"]}


def test_quoted_tables(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", 'text,stars\n"good, ""very""\nindeed",5\nbad,1\n')
    assert read("csv", file) == (
        [{"text": 'good, "very"\nindeed', "stars": "5"}, {"text": "bad", "stars": "1"}],
        {"rows that go over several lines": 1},
    )
    with pytest.raises(UserError, match="row 2 has 1 columns; its header has 2"):
        read("csv", write(tmp_path, "b.csv", "text,stars\nbad\n"))
    with pytest.raises(UserError, match=r"c\.csv: the column 'text' is in its header twice"):
        read("csv", write(tmp_path, "c.csv", "text,stars,text\nbad,1,worse\n"))


def test_a_mark_is_a_mark_in_tab_separated_tables(tmp_path: Path) -> None:
    """Four rows are four rows, however many quotation marks they begin with."""
    text = 'text\tlabel\n"Yes\ta\nno"\tb\n"\ta\nsaid "so"\tb\n'
    file = write(tmp_path, "a.tsv", text)
    found, notes = read("tsv", file)
    assert [row["text"] for row in found] == ['"Yes', 'no"', '"', 'said "so"']
    assert not notes
    with pytest.raises(UserError, match=r"row \d cannot be read.*format: \{quotes: false\}"):
        read("tsv", file, quotes=True)
    quoted = write(tmp_path, "b.tsv", 'text\tlabel\n"a\ttab"\tb\n')
    assert read("tsv", quoted, quotes=True)[0] == [{"text": "a\ttab", "label": "b"}]
    with pytest.raises(UserError, match=r"row 2 has 3 columns; its header has 2 .*format: \{quotes: true\}"):
        read("tsv", quoted)


def test_names_for_columns_without_a_header(tmp_path: Path) -> None:
    file = write(tmp_path, "a.tsv", "good\t5\nbad\t1\n")
    assert read("tsv", file, names=("text", "stars"))[0][0] == {"text": "good", "stars": "5"}


def test_tags_between_spaces_and_documents(tmp_path: Path) -> None:
    """As CoNLL-2003 and MasakhaNER are written; the tag is the last column."""
    text = "\ufeff-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n\nPeter NNP B-NP B-PER\n"
    found, notes = read("conll", write(tmp_path, "train.txt", text))
    assert found == [{"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]}, {"tokens": ["Peter"], "tags": ["B-PER"]}]
    assert notes == {"lines that begin a document left out": 1}
    found, notes = read("conll", write(tmp_path, "c.txt", "# a comment\nbuy O\n# O\n5 O\n"))
    assert (found, notes) == ([{"tokens": ["buy", "#", "5"], "tags": ["O", "O", "O"]}], {"comments left out": 1})
    with pytest.raises(UserError, match="row 2 has 2 columns; those before have 3"):
        read("conll", write(tmp_path, "b.txt", "a B C\nb C\n"))


@pytest.mark.parametrize(
    ("task", "files", "wanted"),
    [
        (
            "mnli",
            {
                "multinli_1.0/multinli_1.0_train.txt": "gold_label\tsentence1\tsentence2\tlabel1\tlabel2\n"
                'neutral\t"Yes, he said.\tHe spoke.\tneutral\n-\tA\tB\tneutral\n',
                "multinli_1.0/multinli_1.0_dev_matched.txt": "gold_label\tsentence1\tsentence2\nneutral\ta\tb\n",
            },
            [('"Yes, he said.', "He spoke.", 1)],
        ),
        (
            "mnli",
            {
                "MNLI/train.tsv": 'index\tsentence1\tsentence2\tlabel1\tgold_label\n0\ta "b\tc\tneutral\tentailment\n',
                "MNLI/dev_matched.tsv": "index\tsentence1\tsentence2\tgold_label\n0\ta\tb\tneutral\n",
            },
            [('a "b', "c", 0)],
        ),
        (
            "qqp",
            {
                "QQP/train.tsv": 'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\t"Who?\tWho\t1\n'
                "4\t5\t6\tbroken\nover lines\t7\t0\n",
                "QQP/dev.tsv": "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\ta\tb\t1\n",
            },
            [('"Who?', "Who", 1)],
        ),
        (
            "indonli",
            {
                "indonli/train.jsonl": '{"premise": "a", "hypothesis": "b", "label": "c"}\n',
                "indonli/val.jsonl": '{"premise": "a", "hypothesis": "b", "label": "e"}\n',
            },
            [("a", "b", 2)],
        ),
        (
            "farstail",
            {
                "FarsTail/Train-word.csv": 'premise\thypothesis\tlabel\n"a\ttab"\tb\tn\n',
                "FarsTail/Val-word.csv": "premise\thypothesis\tlabel\na\tb\te\n",
            },
            [("a\ttab", "b", 1)],
        ),
        (
            "xnli",
            {
                "xnli/train-en.tsv": 'He said.\t"He ""said"" it."\tneutral\r\n"so\tb"\tneutral\r\n',
                "xnli/dev-en.tsv": "a\tb\tneutral\r\n",
                "xnli/test-de.tsv": "a\tb\tneutral\r\n",
            },
            [("He said.", 'He "said" it.', 1), ('"so', 'b"', 1)],
        ),
    ],
)
def test_files_as_their_datasets_publish_them(
    tmp_path: Path, task: str, files: dict[str, str], wanted: list[tuple[str, str, int]]
) -> None:
    for name, content in files.items():
        write(tmp_path, name, content)
    language = registry.get(task).train_languages[0]
    found = rows.load(registry.get(task), "train", language, Source("folder", tmp_path))
    assert [(r["text_a"], r["text_b"], r["label"]) for r in found.table.to_pylist()] == wanted
