"""F1 of spans of tags as XTREME scores both its tagging tasks: conlleval's rules, as in seqeval 0.0.12.

That is the version that was current when XTREME appeared. For entities all versions agree: ``B-`` begins a span, and so
does ``I-`` after ``O`` or after another type. Tags without a prefix (parts of speech) are read by the same code: a span
is a run of equal tags, but one whose tag begins with ``S`` (the mark of a single) is always a span of its own; from
version 0.0.19 on seqeval takes CCONJ and SCONJ for one type, and loses X.
"""

from collections.abc import Sequence

import numpy as np

from xit_ray.tasks.scores.measures import ItemScores, ratio_of


def spans(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """The spans of a sentence: (type, first, last)."""
    chunks, begin = set(), 0
    mark_before, kind_before = "O", ""
    for place, tag in enumerate([*tags, "O"]):
        mark, kind = tag[0], tag.rsplit("-", 1)[-1]
        if mark_before != "O" and (mark in "BSO" or mark_before in "SE" or kind != kind_before):
            chunks.add((kind_before, begin, place - 1))
        if mark != "O" and (mark in "BS" or mark_before in "SEO" or kind != kind_before):
            begin = place
        mark_before, kind_before = mark, kind
    return chunks


def span_f1(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> ItemScores:
    """Micro F1 of spans; items are sentences."""
    points, out_of = [], []
    for right, said in zip(gold, predicted, strict=True):
        wanted, given = spans(right), spans(said)
        points.append(2.0 * len(wanted & given))
        out_of.append(float(len(wanted) + len(given)))
    return ratio_of(np.asarray(points), np.asarray(out_of))


def repaired(tags: Sequence[str]) -> int:
    """How many spans of a sentence begin with ``I-``: they are read as beginning there, which is worth counting."""
    before, count = "O", 0
    for tag in tags:
        count += tag.startswith("I-") and (before == "O" or before[2:] != tag[2:])
        before = tag
    return count
