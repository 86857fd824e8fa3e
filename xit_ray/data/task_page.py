"""What the tasks say of themselves, as a page."""

from collections.abc import Iterable
from itertools import groupby

from xit_ray.tasks.base import Task


def task_page(tasks: Iterable[Task]) -> str:
    """In Markdown: a table for each kind, with data, languages, metric, licence and paper of every task."""
    lines = ["# Every task", "", "Made by `xit data list --markdown` from `xit_ray/tasks`, one file per dataset."]
    for kind, several in groupby(sorted(tasks, key=lambda task: (task.kind, task.name)), key=lambda task: task.kind):
        lines += ["", f"## {kind[0].upper()}{kind[1:]}", ""]
        lines += [
            "| task | trained in | scored in | metric | on the hub | licence | to cite |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [_row(task) for task in several]
    return "\n".join(lines) + "\n"


def _row(task: Task) -> str:
    hub = "–"
    if task.builtin:
        hub = "built in"
    elif task.hub is not None:
        hub = f"`{task.hub.repository}`" + (f" at {task.hub.revision[:8]}" if task.hub.revision else "")
    trained = (
        f"`{task.train_from}`'s rows" if task.train_from else _languages(task.train_languages if task.trainable else ())
    )
    cells = [f"`{task.name}`", trained, _languages(task.languages), task.metric, hub, task.licence, task.citation]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _languages(languages: tuple[str, ...]) -> str:
    return "–" if not languages else ", ".join(languages) if len(languages) <= 4 else f"{len(languages)} languages"
