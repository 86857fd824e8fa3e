"""Every built-in task passes the suite that ships for those who add one, and so do tasks in formats that none of them has."""

from typing import ClassVar

from xit_ray.tasks import registry
from xit_ray.tasks.base import Hub, Layout
from xit_ray.tasks.kinds import Classification
from xit_ray.testing.tasks import TaskConformance, pytest_generate_tests  # noqa: F401 - pytest looks for it here

LABELS = ("no", "yes")


def added(suffix: str) -> Classification:
    """A task as a package may add it: files with fields of other names, and a repository whose labels are words."""
    fields = {"text_a": "said", "label": "meant"}
    train, dev, test = (f"{suffix}/{split}.{suffix}" for split in ("train", "dev", "test-{lang}"))
    hub = Hub(
        repository=f"someone/{suffix}",
        revision=None,
        splits={"train": "train", "dev": "validation", "test": "test"},
        config="{lang}",
        fields=fields,
        labels=("negative", "positive"),
    )
    return Classification(
        name=f"reviews_{suffix}",
        labels=LABELS,
        languages=("en", "sw"),
        train_languages=("en",),
        layouts=(Layout(train=train, dev=dev, test=test, fields=fields),),
        hub=hub,
        licence="CC0",
        citation="Someone (2026)",
    )


class TestTasks(TaskConformance):
    tasks: ClassVar = list(registry.tasks().values())


class TestAddedTasks(TaskConformance):
    tasks: ClassVar = [added(suffix) for suffix in ("parquet", "jsonl", "csv")]
