"""Retrieval against a plain numpy reading of XTREME's procedure: ``XIT_DATA=DIR python -m benchmarks.retrieval``.

Tatoeba in the languages that are there and BUCC 2018 zh-en (dev), from embeddings computed once; both sides of the
comparison get the same vectors, and their answers are compared. The time of embedding is not part of the ratios.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from xit_ray.core import retrieval
from xit_ray.core.device import best_device
from xit_ray.core.evaluate import embed
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.retrieval import Vectors
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import rows
from xit_ray.data.source import parse_source
from xit_ray.data.tokenise import encode_texts
from xit_ray.spec.recipe import Model
from xit_ray.tasks import registry

TURNS = 5
Mined = list[tuple[int, int, float]]


def plain_nearest(foreign: Vectors, english: Vectors) -> np.ndarray:
    """Top-1 among all foreign sentences for each English one, from the matrix of squared distances."""
    foreign = foreign / np.linalg.norm(foreign, axis=1, keepdims=True)
    english = english / np.linalg.norm(english, axis=1, keepdims=True)
    distance = 2 - 2 * english @ foreign.T
    found: np.ndarray = np.argmin(distance, axis=1)
    return found


def plain_mine(x: Vectors, y: Vectors, k: int = 4) -> Mined:
    """XTREME's ``mine_bitext`` in numpy and loops: all similarities, k neighbours each way, margins, greedy choice."""
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    y = y / np.linalg.norm(y, axis=1, keepdims=True)
    similarity = x @ y.T
    x2y: np.ndarray = np.argpartition(-similarity, k, axis=1)[:, :k]
    y2x: np.ndarray = np.argpartition(-similarity.T, k, axis=1)[:, :k]
    x2y_mean = np.take_along_axis(similarity, x2y, 1).mean(1)
    y2x_mean = np.take_along_axis(similarity.T, y2x, 1).mean(1)

    def candidates(a: Vectors, b: Vectors, near: np.ndarray, a_mean: np.ndarray, b_mean: np.ndarray) -> np.ndarray:
        scores = np.zeros(near.shape)
        for i, others in enumerate(near):
            for j, other in enumerate(others):
                scores[i, j] = a[i].dot(b[other]) / ((a_mean[i] + b_mean[other]) / 2)
        return scores

    forward, backward = candidates(x, y, x2y, x2y_mean, y2x_mean), candidates(y, x, y2x, y2x_mean, x2y_mean)
    forward_best = x2y[np.arange(len(x)), forward.argmax(1)]
    backward_best = y2x[np.arange(len(y)), backward.argmax(1)]
    indices = np.stack(
        (np.concatenate((np.arange(len(x)), backward_best)), np.concatenate((forward_best, np.arange(len(y))))), axis=1
    )
    scores = np.concatenate((forward.max(1), backward.max(1)))
    seen_x: set[int] = set()
    seen_y: set[int] = set()
    mined = []
    for place in np.argsort(-scores, kind="stable"):
        one, other = indices[place]
        if one not in seen_x and other not in seen_y:
            seen_x.add(one)
            seen_y.add(other)
            mined.append((int(one), int(other), float(scores[place])))
    return mined


def plain_f1(mined: Mined, gold: set[tuple[int, int]]) -> float:
    """The best F1 over all thresholds, as ``bucc_optimize`` finds it."""
    best, correct = 0.0, 0
    for extracted, (one, other, _) in enumerate(sorted(mined, key=lambda pair: -pair[2]), start=1):
        correct += (one, other) in gold
        precision, recall = correct / extracted, correct / len(gold)
        if precision + recall > 0:
            best = max(best, 2 * precision * recall / (precision + recall))
    return best


def ours_mine(x: Vectors, y: Vectors) -> Mined:
    pairs = retrieval.mine(x, y)
    return list(zip(pairs.first.tolist(), pairs.second.tolist(), pairs.scores.tolist(), strict=True))


def ours_f1(mined: Mined, gold: set[tuple[int, int]]) -> float:
    correct = np.array([(one, other) in gold for one, other, _ in mined])
    return retrieval.best_threshold(np.array([score for _, _, score in mined]), correct, len(gold))[1]


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """The best time of several turns, and the answer."""
    best, answer = float("inf"), None
    for _ in range(TURNS):
        begun = time.perf_counter()
        answer = function()
        best = min(best, time.perf_counter() - begun)
    return best, answer


class Embedder:
    """Mean-pooled last-layer vectors of the default encoder, each text once."""

    def __init__(self) -> None:
        self.model, self.device = Model(), best_device()
        self.network = Network(self.model, [], 0).settle(self.device)
        self.tokenizer = load_tokenizer(self.model)
        self.seconds = 0.0

    def __call__(self, texts: list[str]) -> Vectors:
        begun = time.perf_counter()
        unique = list(dict.fromkeys(texts))
        place = {text: number for number, text in enumerate(unique)}
        vectors = embed(self.network, encode_texts(unique, self.tokenizer, self.model.max_length), Meter(self.device))
        self.seconds += time.perf_counter() - begun
        return vectors[[place[text] for text in texts]]


def tatoeba(embedder: Embedder, most: int) -> list[tuple[Vectors, Vectors]]:
    """Foreign and English vectors of each language that is there, at most so many languages."""
    task, source = registry.get("tatoeba"), parse_source(str(report.data_folder()))
    tables = [found.table for found in rows.present(task, "test", task.languages, source).values()][:most]
    sides = [[table.column(side).to_pylist() for table in tables] for side in ("text_a", "text_b")]
    every = embedder([text for side in sides for texts in side for text in texts])
    bounds = np.cumsum([len(texts) for side in sides for texts in side])[:-1]
    parts = np.split(every, bounds)
    return list(zip(parts[: len(tables)], parts[len(tables) :], strict=True))


def bucc(embedder: Embedder, folder: Path, most: int) -> tuple[Vectors, Vectors, set[tuple[int, int]]]:
    """Vectors of the distinct sentences of both sides and the gold pairs among them.

    Of each side at most so many lines are taken, those of a gold pair first, so that even a small part has pairs to find.
    """
    gold = [line.split("\t") for line in (folder / "zh-en.dev.gold").read_text("utf-8").splitlines()]
    sides, places = [], []
    for language, paired in zip(("zh", "en"), map(set, zip(*gold, strict=True)), strict=True):
        lines = [line.split("\t", 1) for line in (folder / f"zh-en.dev.{language}").read_text("utf-8").splitlines()]
        lines = sorted(lines, key=lambda line: line[0] not in paired)[:most]
        texts = list(dict.fromkeys(text.strip() for _, text in lines))
        number = {text: place for place, text in enumerate(texts)}
        places.append({key: number[text.strip()] for key, text in lines})
        sides.append(embedder(texts))
    known = [(one, other) for one, other in gold if one in places[0] and other in places[1]]
    return sides[0], sides[1], {(places[0][one], places[1][other]) for one, other in known}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--languages", type=int, default=1000, help="of Tatoeba, at most [all that are there]")
    parser.add_argument("--sentences", type=int, default=1_000_000, help="of each side of BUCC, at most [all]")
    arguments = parser.parse_args()
    report.data_folder()
    embedder = Embedder()
    pairs = tatoeba(embedder, arguments.languages)
    plain_seconds, plain = timed(lambda: [plain_nearest(foreign, english) for foreign, english in pairs])
    our_seconds, ours = timed(lambda: [retrieval.nearest(english, foreign) for foreign, english in pairs])
    equal = all(np.array_equal(one, other) for one, other in zip(plain, ours, strict=True))
    accuracy = np.mean([(answers == np.arange(len(answers))).mean() for answers in ours])

    chinese, english, gold = bucc(embedder, report.data_folder() / "bucc2018", arguments.sentences)
    plain_bucc, plain_mined = timed(lambda: plain_mine(chinese, english))
    our_bucc, our_mined = timed(lambda: ours_mine(chinese, english))
    same_pairs = {pair[:2] for pair in plain_mined} == {pair[:2] for pair in our_mined}
    f1s = plain_f1(plain_mined, gold), ours_f1(our_mined, gold)
    same_bucc = same_pairs and bool(np.isclose(*f1s, rtol=1e-12))
    report.show(
        report.machine(),
        ("", "plain numpy", "xit_ray", "ratio", "score", "same answers"),
        [
            (f"Tatoeba, {len(pairs)} languages", f"{plain_seconds:.3f} s", f"{our_seconds:.3f} s",
             f"{plain_seconds / our_seconds:.1f}x", f"accuracy {accuracy:.4f}", equal),
            (f"BUCC zh-en, {len(chinese):,} x {len(english):,}", f"{plain_bucc:.2f} s", f"{our_bucc:.2f} s",
             f"{plain_bucc / our_bucc:.1f}x", f"F1 {f1s[1]:.4f}", same_bucc),
        ],
    )  # fmt: skip
    print(f"embedding both took {embedder.seconds:.0f} s; last layer, mean pooling, no training")
    report.result(
        equal=bool(equal and same_bucc),
        tatoeba_speedup=plain_seconds / our_seconds,
        bucc_speedup=plain_bucc / our_bucc,
    )


if __name__ == "__main__":
    report.run(main)
