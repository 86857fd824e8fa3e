"""CoNLL-U (Universal Dependencies) as XTREME reads it: surface words, each with one part of speech.

A contraction (``zum`` = ``zu`` + ``dem``) is one word; its part of speech is that of the part highest in the sentence's
graph, the one with the fewest ancestors by heads and enhanced dependencies; among several of these that of the part which
comes first in a list of precedence, then of the leftmost (google-research/xtreme, ``ud-conversion-tools``:
``_choose_spanhead_from_heuristics``). Empty nodes are no words.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from xit_ray.spec.errors import UserError

_DEFAULT = "VERB NOUN PROPN PRON ADJ NUM ADV INTJ AUX ADP DET PART CCONJ SCONJ X PUNCT"
_PRECEDENCE = {
    "es": "VERB AUX PRON ADP DET",
    "fr": "VERB AUX PRON NOUN ADJ ADV ADP DET PART SCONJ CONJ",
    "it": "VERB AUX ADV PRON ADP DET INTJ",
}
COLUMNS = 10
_ID = re.compile(r"\d+([-.]\d+)?")


def sentences(lines: Iterable[str], origin: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The sentences of a file, each with the number of its first line, ``tokens`` and ``tags`` (UPOS).

    Sentences whose words were taken out for reasons of copyright (all but one are ``_``) are rows with no token, which
    are counted and left out further on.
    """
    ranks = _ranks(origin)
    rows: list[tuple[int, list[str]]] = []
    for number, line in enumerate(itertools.chain(lines, [""]), start=1):
        if not line.strip():
            if rows:
                yield rows[0][0], _sentence(rows, ranks, origin)
            rows = []
        elif not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) != COLUMNS:
                raise UserError(f"{origin}: row {number} has {len(fields)} columns; CoNLL-U has {COLUMNS}")
            rows.append((number, fields))


def _ranks(origin: str) -> dict[str, int]:
    language = origin.rsplit("/", 1)[-1].partition("_")[0]
    return {tag: rank for rank, tag in enumerate(_PRECEDENCE.get(language, _DEFAULT).split())}


def _sentence(rows: list[tuple[int, list[str]]], ranks: dict[str, int], origin: str) -> dict[str, Any]:
    tokens, tags = [], []
    fused_until = 0
    by_id = {fields[0]: fields for _, fields in rows}
    for number, fields in rows:
        name = fields[0]
        if not _ID.fullmatch(name):
            raise UserError(f"{origin}: row {number} has the id {name!r}; wanted: a number, 2-3 or 2.1")
        if "-" in name:
            first, last = map(int, name.split("-"))
            parts = [str(part) for part in range(first, last + 1) if str(part) in by_id]
            if not parts:
                raise UserError(f"{origin}: row {number} is the contraction {name} of words that are not there")
            height = {part: _ancestors(part, by_id) for part in parts}
            head = min(parts, key=lambda part: (height[part], ranks.get(by_id[part][3], len(ranks)), int(part)))
            tags.append(by_id[head][3])
            tokens.append(fields[1])
            fused_until = last
        elif "." not in name and int(name) > fused_until:
            tokens.append(fields[1])
            tags.append(fields[3])
    if sum(token == "_" for token in tokens) >= max(1, len(tokens) - 1):
        return {"tokens": [], "tags": []}
    return {"tokens": [_word(token) for token in tokens], "tags": tags}


def _ancestors(word: str, by_id: dict[str, list[str]]) -> int:
    """How many words, the root included, a word hangs from."""
    above: set[str] = set()
    left = [word]
    while left:
        fields = by_id.get(left.pop(), [])
        enhanced = [one.split(":", 1)[0] for one in fields[8].split("|")] if len(fields) > 8 else []
        heads = [head for head in (*fields[6:7], *enhanced) if head.isdecimal() and head not in above]
        above.update(heads)
        left += heads
    return len(above - {word})


def _word(token: str) -> str:
    """Spaces and zero-width non-joiners inside a word are taken out, as XTREME does."""
    return token.replace("\u200c", "").replace(" ", "")
