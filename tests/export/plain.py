"""Answers of exported models by transformers and sentence-transformers alone: xit_ray cannot be imported here.

``python plain.py REQUEST``: a JSON file with ``{FOLDER: {"kind": …, "rows": […]}}``; prints ``{FOLDER: answers}``.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


class _Blocked:
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] == "xit_ray":
            raise ImportError("xit_ray is not to be used here")


sys.meta_path.insert(0, _Blocked())  # type: ignore[arg-type]

import torch  # noqa: E402
import transformers  # noqa: E402

transformers.logging.set_verbosity_error()


def sentence_scores(folder: str, inputs: list[Any]) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    return np.asarray(SentenceTransformer(folder).encode(inputs, batch_size=64, show_progress_bar=False))


def pairs(rows: list[dict[str, Any]]) -> list[Any]:
    return [(row["text_a"], row["text_b"]) if row["text_b"] is not None else row["text_a"] for row in rows]


def options(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["text"], option) for row in rows for option in row["options"]]


def choices(scores: np.ndarray, rows: list[dict[str, Any]]) -> list[str]:
    ends = np.cumsum([len(row["options"]) for row in rows])[:-1]
    return [str(int(part.argmax())) for part in np.split(scores.reshape(-1), ends)]


def sequence_scores(folder: str, inputs: list[Any], loader: str) -> np.ndarray:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = getattr(transformers, loader).from_pretrained(folder).eval()
    found = []
    for one in inputs:
        texts = one if isinstance(one, tuple) else (one,)
        encoded = tokenizer(*texts, truncation=True, return_tensors="pt")
        if loader == "AutoModelForMultipleChoice":
            encoded = {name: value[None] for name, value in encoded.items()}
        with torch.no_grad():
            found.append(model(**encoded).logits[0].float().numpy())
    return np.stack(found)


def tags(folder: str, rows: list[dict[str, Any]]) -> list[str]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForTokenClassification.from_pretrained(folder).eval()
    answers = []
    for row in rows:
        encoded = tokenizer(row["tokens"], is_split_into_words=True, return_tensors="pt", truncation=True)
        with torch.no_grad():
            given = model(**encoded).logits[0].argmax(-1).tolist()
        words = encoded.word_ids()
        firsts = [place for place, word in enumerate(words) if word is not None and word != words[place - 1]]
        answers.append(" ".join(model.config.id2label[given[place]] for place in firsts))
    return answers


def spans(folder: str, rows: list[dict[str, Any]]) -> list[str]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    answers = []
    for row in rows:
        encoded = tokenizer(
            row["question"], row["context"], truncation="only_second", stride=tokenizer.model_max_length // 3,
            return_overflowing_tokens=True, return_offsets_mapping=True, return_tensors="pt", padding=True,
        )  # fmt: skip
        offsets = encoded.pop("offset_mapping").tolist()
        encoded.pop("overflow_to_sample_mapping")
        with torch.no_grad():
            output = model(**encoded)
        best = (-np.inf, 0, 0)
        for window, places in enumerate(offsets):
            inside = [place for place, side in enumerate(encoded.sequence_ids(window)) if side == 1]
            starts, ends = output.start_logits[window].tolist(), output.end_logits[window].tolist()
            for first in inside:
                for last in inside:
                    if first <= last < first + 30 and starts[first] + ends[last] > best[0]:
                        best = starts[first] + ends[last], places[first][0], places[last][1]
        answers.append(row["context"][best[1] : best[2]].strip())
    return answers


def answered(folder: str, request: dict[str, Any]) -> list[str]:
    kind, rows = request["kind"], request["rows"]
    about = json.loads(Path(folder, "xit_ray.json").read_text())
    if kind == "tagging":
        return tags(folder, rows)
    if kind == "span QA":
        return spans(folder, rows)
    inputs = options(rows) if kind == "multiple choice" else pairs(rows)
    if about["loader"] == "SentenceTransformer":
        scores = sentence_scores(folder, inputs)
    else:
        scores = sequence_scores(folder, inputs, about["loader"])
    labels = about["task"]["labels"]
    if kind == "multiple choice":
        return choices(scores, rows)
    if kind == "classification":
        return [labels[place] for place in scores.argmax(-1)]
    if kind == "multi-label":
        return [" | ".join(labels[place] for place in np.flatnonzero(row > 0)) for row in scores]
    low, high = about["task"]["terms"]["low"], about["task"]["terms"]["high"]
    return [f"{low + (high - low) * float(value):.3g}" for value in scores.reshape(-1)]


if __name__ == "__main__":
    with open(sys.argv[1]) as stream:
        requests = json.load(stream)
    print("ANSWERS", json.dumps({folder: answered(folder, request) for folder, request in requests.items()}))
