"""First and last token of an answer among the tokens of a window."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from xit_ray.core.encoder import Encoder
from xit_ray.core.evaluate import states_of_labelled
from xit_ray.core.heads import Head, Part
from xit_ray.core.kinds.base import HeadCore, Raw, Scored
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.spans import best_answers
from xit_ray.data.encode import NO_LABEL, Encoded, Ids
from xit_ray.tasks.kinds import SpanQA
from xit_ray.tasks.scores.answers import answer_scores, at_best_threshold, mlqa_words, squad_words


class SpanHead(Head):
    """Scores of shape (tokens, 2). A row's loss is the mean over its windows of the mean over both bounds, as in BERT's
    reference implementation."""

    per_token = True

    def loss(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        assert part.labels is not None
        scores = self.apply_to(hidden)
        index = part.sequence[:, None].expand_as(scores)
        shape = len(part.sizes), 2
        top = scores.detach().new_full(shape, float("-inf")).scatter_reduce(0, index, scores.detach(), "amax")
        sums = scores.new_zeros(shape).scatter_add(0, index, (scores - top[part.sequence]).exp())
        starts = part.sizes.cumsum(0) - part.sizes
        right = scores.gather(0, starts[:, None] + part.labels)
        losses = (sums.log() + top - right).mean(1)
        windows = torch.bincount(part.row, minlength=part.rows)
        return (losses / windows[part.row]).sum()

    def answers(self, hidden: Tensor, part: Part, encoder: Encoder) -> Tensor:
        return self.scores(hidden, part, encoder)


class SpanQACore(HeadCore[SpanQA]):
    def trains_by(self, task: SpanQA) -> dict[str, Any]:
        """English dev is scored by the normalisation of answers, and by whether there may be none."""
        return {"articles": task.articles, "unanswerable": task.unanswerable}

    def make_head(self, task: SpanQA, encoder: Encoder, generator: torch.Generator) -> Head:
        return SpanHead(encoder.width, 2, generator)

    def score(self, task: SpanQA, language: str, table: pa.Table, encoded: Encoded, raw: Raw) -> Scored:
        answers = best_answers(encoded, raw)
        contexts = table.column("context").to_pylist()
        gold = [[answer["text"] for answer in row] for row in table.column("answers").to_pylist()]
        answerable = np.asarray([bool(row) for row in gold])
        pairs = list(zip(answers, contexts, strict=True))
        given = [answer.text(context, task.unanswerable) for answer, context in pairs]
        words = mlqa_words(language) if task.articles == "mlqa" else squad_words
        if task.unanswerable:  # SQuAD v2 passes over right answers of which nothing is left; v1 compares them
            gold = [[text for text in row if words(text)] for row in gold]
        scores = answer_scores(given, gold, words)
        if task.unanswerable:
            spoken = [answer.text(context, False) for answer, context in pairs]
            nothing = np.asarray([answer.no_answer for answer in answers])
            empty = np.asarray([not text for text in spoken])
            for name, items in answer_scores(spoken, gold, words).items():
                scores[f"{name}_oracle"] = at_best_threshold(items.parts[:, 0], nothing, answerable, empty)
        others = [[context[s.start : s.end].strip() for s in answer.best[1:]] for answer, context in pairs]
        known = [" | ".join(dict.fromkeys(row)) for row in gold]
        return Scored(known, given, scores, others, majority=float((~answerable).mean()))

    def units(
        self, network: Network, task: SpanQA, encoded: Encoded, meter: Meter
    ) -> tuple[npt.NDArray[np.float32], Ids]:
        """Tokens of answers, and as many others."""
        return states_of_labelled(network, encoded, _inside(encoded), meter)


def _inside(encoded: Encoded) -> Ids:
    """For every token, 1 inside an answer, 0 for as many others, and NO_LABEL for the rest."""
    assert encoded.labels is not None
    labels = np.full(len(encoded.tokens), NO_LABEL, dtype=np.int64)
    starts, (first, last) = encoded.starts[:-1], encoded.labels.T
    answered = np.nonzero(last > 0)[0]  # a window without the answer points at its first token
    for place in answered:
        labels[starts[place] + first[place] : starts[place] + last[place] + 1] = 1
    others = np.nonzero(labels == NO_LABEL)[0]
    chosen = np.random.default_rng(0).choice(others, size=min(len(others), int((labels == 1).sum())), replace=False)
    labels[chosen] = 0
    return labels
