"""Benchmarks whose rows are put together from several files, or by rules of their own: BUCC, LAReQA, Mewsli-X."""

from pathlib import Path
from typing import Any

from xit_ray.data.lines import Record, Records, json_lines, lines, squad
from xit_ray.spec.errors import UnlabelledError, UserError


def bucc(foreign: Path, english: Path, gold: Path) -> Records:
    """BUCC's collections, ``id TAB sentence`` a line, and the gold standard, ``id TAB id`` a line."""
    pairs: dict[str, list[str]] = {}
    for row, line in enumerate(lines(gold), start=1):
        one, tab, other = line.partition("\t")
        if not tab:
            raise UserError(f"{gold}: row {row} is {line!r}; wanted: an id, a tab and an id")
        for name in (one.strip(), other.strip()):
            pairs.setdefault(name, []).append(f"{one.strip()} {other.strip()}")
    known = set()
    for side, file in (("a", foreign), ("b", english)):
        for row, line in enumerate(lines(file), start=1):
            name, tab, text = line.partition("\t")
            if not tab:
                raise UserError(f"{file}: row {row} has no tab; wanted: an id, a tab and a sentence")
            known.add(name)
            yield row, {"side": side, "text": text, "keys": pairs.get(name, [])}
    missing = sorted(pairs.keys() - known)
    if missing:
        raise UserError(
            f"{gold}: names the sentence {missing[0]!r}, which is in neither {foreign.name} nor {english.name}"
        )


def sentences_of_answers(file: Path) -> Records:
    """LAReQA's XQuAD-R: questions are queries, sentences of contexts candidates; a sentence is sought by the questions
    whose answer begins in it, in whatever language they are. (XTREME-R's encoders are trained to read a sentence together
    with its context; here a candidate is the sentence alone.)"""
    contexts: dict[str, tuple[list[list[int]], dict[int, list[str]]]] = {}
    for row, record in squad(file):
        if "sentence_breaks" not in record:
            raise UserError(f"{file}: question {row} has no 'sentence_breaks'; LAReQA's own files have them")
        yield row, {"side": "a", "text": record["question"], "keys": [record["id"]], "item": record["id"]}
        breaks, sought = contexts.setdefault(record["context"], (record["sentence_breaks"], {}))
        if not record.get("answers"):
            raise UnlabelledError(f"{file}: question {row} has no answer; an unlabelled file cannot be scored")
        start = record["answers"][0]["start"]
        number = next((i for i, (begin, end) in enumerate(breaks) if begin <= start < end), None)
        if number is None:
            raise UserError(f"{file}: question {row}: no sentence of the context has character {start}")
        sought.setdefault(number, []).append(record["id"])
    for row, (context, (breaks, sought)) in enumerate(contexts.items(), start=1):
        for number, (begin, end) in enumerate(breaks):
            yield row, {"side": "b", "text": context[begin:end], "keys": sought.get(number, [])}


def mentions(file: Path, entities: Path) -> Records:
    """Mewsli-X: mentions in one sentence of their context, as XTREME-R's baseline writes them, and descriptions."""
    known = {}
    for row, entity in json_lines(entities):
        spans = _field(entity, "sentence_spans", entities, row)
        description = _field(entity, "description", entities, row)
        text = " ".join(description[span["start"] : span["end"]] for span in spans)
        known[_field(entity, "entity_id", entities, row)] = row, " ".join(text.split())
    for row, record in json_lines(file):
        for mention in _field(record, "mentions", file, row):
            name = _field(mention, "entity_id", file, row)
            if not name:
                raise UnlabelledError(f"{file}: row {row} has a mention without entity_id; it cannot be scored")
            if name not in known:
                raise UserError(f"{file}: row {row} has the entity {name!r}, which is not in {entities}")
            span, context = _field(mention, "mention_span", file, row), _field(record, "context", file, row)
            yield row, {"side": "a", "text": _marked(context, span), "keys": [name]}
    for name, (row, text) in known.items():
        yield row, {"side": "b", "text": text, "keys": [name]}


def _field(record: Record, name: str, file: Path, row: int) -> Any:
    if name not in record:
        raise UserError(f"{file}: row {row} has no field {name!r}; found: {', '.join(record)}")
    return record[name]


def _marked(context: dict[str, Any], span: dict[str, Any]) -> str:
    inside = [s for s in context["sentence_spans"] if s["start"] <= span["start"] < s["end"]]
    begin, end = (inside[0]["start"], inside[0]["end"]) if inside else (0, len(context["text"]))
    text = context["text"]
    return " ".join(
        f"{span['text']}: {text[begin : span['start']]} {{ {span['text']} }} {text[span['end'] : end]}".split()
    )
