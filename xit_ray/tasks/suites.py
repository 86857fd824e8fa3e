"""XTREME and XTREME-R: which tasks in which languages, and how their scores are averaged.

Languages and averages are those of google-research/xtreme, ``evaluate.py``. XTREME's overall score is the mean over its nine
tasks, each of which is a mean over languages; question answering counts as the mean of F1 and exact match. For XTREME-R
that script has no reader for LAReQA; its overall score is taken here as the same mean over its ten tasks. XQuAD's Romanian
is in the script's list but not in its download.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from xit_ray.tasks import bucc, lareqa, mewslix, mlqa, panx, pawsx, tatoeba, tydiqa, udpos, xcopa, xnli, xquad

Scores = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Task to language to metric to value."""

_TATOEBA_R = ("az", "lt", "pl", "ro", "uk")


@dataclass(frozen=True)
class Suite:
    """A benchmark of many tasks."""

    name: str
    languages: Mapping[str, tuple[str, ...]]
    """The languages of each task."""
    groups: Mapping[str, tuple[str, ...]]
    """Tasks by what they ask."""

    def scores(self, by_task: Scores) -> dict[str, float | None]:
        """Task, group and overall scores; None where a task, language or metric is missing.

        Returns:
            names of tasks, of groups, and ``overall``, to scores between 0 and 1.
        """
        tasks = {task: self._task(task, by_task.get(task, {})) for task in self.languages}
        means = {group: _mean([tasks[task] for task in members]) for group, members in self.groups.items()}
        return {**tasks, **means, "overall": _mean(list(tasks.values()))}

    def _task(self, task: str, by_language: Mapping[str, Mapping[str, float]]) -> float | None:
        return _mean([_of_language(by_language.get(language, {})) for language in self.languages[task]])


def _of_language(by_metric: Mapping[str, float]) -> float | None:
    """Question answering's mean of both metrics; else the one metric that XTREME names."""
    if "exact_match" in by_metric:
        return (by_metric["f1"] + by_metric["exact_match"]) / 2
    return next((by_metric[metric] for metric in ("f1", "accuracy", "map_at_20") if metric in by_metric), None)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


XTREME = Suite(
    name="xtreme",
    languages={
        "xnli": xnli.LANGUAGES,
        "pawsx": pawsx.PAWSX.languages,
        "udpos": tuple(language for language in udpos.LANGUAGES if language not in udpos.ADDED),
        "panx": panx.XTREME,
        "xquad": tuple(language for language in xquad.XQUAD.languages if language != "ro"),
        "mlqa": mlqa.MLQA.languages,
        "tydiqa": tydiqa.LANGUAGES,
        "bucc2018": bucc.BUCC.languages,
        "tatoeba": tuple(language for language in tatoeba.CODES if language not in _TATOEBA_R),
    },
    groups={
        "classification": ("xnli", "pawsx"),
        "tagging": ("udpos", "panx"),
        "question answering": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("bucc2018", "tatoeba"),
    },
)

XTREME_R = Suite(
    name="xtreme-r",
    languages={
        "xnli": xnli.LANGUAGES,
        "xcopa": xcopa.LANGUAGES,
        "udpos": tuple(udpos.LANGUAGES),
        "panx": panx.LANGUAGES,
        "xquad": xquad.XQUAD.languages,
        "mlqa": mlqa.MLQA.languages,
        "tydiqa": tydiqa.LANGUAGES,
        "mewslix": mewslix.MEWSLIX.languages,
        "lareqa": lareqa.LAREQA.languages,
        "tatoeba": tuple(tatoeba.CODES),
    },
    groups={
        "classification": ("xnli", "xcopa"),
        "tagging": ("udpos", "panx"),
        "question answering": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("mewslix", "lareqa", "tatoeba"),
    },
)

SUITES = {suite.name: suite for suite in (XTREME, XTREME_R)}
