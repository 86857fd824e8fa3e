"""Which of a laptop's folders are on a cluster's machines too: its file's ``file_mounts`` bring them there."""

import fnmatch
from pathlib import Path
from typing import Any

import yaml

from xit_ray.spec.errors import UserError, one_line
from xit_ray.spec.space import Space


class Mounts:
    """The folders that ``ray up`` copies to every machine.

    Args:
        file: the cluster's YAML file. Relative folders in it begin where ``ray up`` is run, which is taken to be here.

    Raises:
        UserError: it cannot be read, or is no cluster's.
    """

    def __init__(self, file: Path) -> None:
        try:
            tree = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise UserError(f"{file}: cannot be read: {one_line(error)}") from None
        if not isinstance(tree, dict) or "provider" not in tree:
            raise UserError(f"{file}: is not a cluster's file (it has no 'provider')")
        self.config: dict[str, Any] = tree
        """What the file says."""
        self.file, self.excluded = file, tree.get("rsync_exclude") or []
        self.shares = tree["provider"].get("type") == "local"
        """Whether folders that ``file_mounts`` does not take there are shared by the machines: those of one's own."""
        mounts = tree.get("file_mounts") or {}
        self.mounts = {Path(here).expanduser().resolve(): str(there) for there, here in mounts.items()}

    @property
    def home(self) -> str:
        """Where searches are started on the head: the repository's copy, else the user's home folder."""
        return next((there for here, there in self.mounts.items() if (here / "xit_ray").is_dir()), "~")

    def there(self, path: Path, what: str) -> str:
        """Where a local file or folder is on the machines.

        Raises:
            UserError: it does not get there.
        """
        path = path.expanduser().resolve()
        for here, there in self.mounts.items():
            inside = path.relative_to(here) if path.is_relative_to(here) else None
            if inside is not None and not any(self._excluded(part) for part in inside.parts):
                return "/".join([there.rstrip("/"), *inside.parts])
        if self.shares:
            return str(path)
        raise UserError(
            f"{what}: {path} is on this machine alone; put it into a folder that {self.file} names under file_mounts "
            f"({', '.join(map(str, self.mounts)) or 'it names none'}; less what rsync_exclude leaves out) and run ray up "
            "--no-restart"
        )

    def _excluded(self, name: str) -> bool:
        return any(fnmatch.fnmatch(name, str(pattern).removeprefix("**/")) for pattern in self.excluded)


def moved(space: Space, mounts: Mounts) -> Space:
    """A space whose folders of rows and models are named as the cluster's machines know them.

    Raises:
        UserError: one of them is not there, or the stage store would be on the head alone.
    """
    if "://" not in space.store_root and not Path(space.store_root).is_absolute():
        raise UserError(
            f"store: {space.store_root!r} would be on the head alone; give an address that all machines reach, such as "
            "--set store=s3://BUCKET/xit_ray"
        )
    data = space.data
    if data is not None and data != "hub":
        kind, mark, folder = data.partition(":") if data.startswith("mirror:") else ("", "", data)
        data = f"{kind}{mark}{mounts.there(Path(folder), 'data')}"
    tasks = tuple(
        task.model_copy(update={"folder": mounts.there(Path(task.folder or "."), f"tasks: {task.name}")})
        for task in space.tasks
    )
    recipe = {name: _model(part, mounts) if name == "model" else part for name, part in space.recipe.items()}
    return space.model_copy(
        update={"data": data, "tasks": tasks, "recipe": recipe, "output": "runs", "store": space.store_root}
    )


def _model(tree: Any, mounts: Mounts) -> Any:
    """A model, or a domain of models, with the machines' names of folders."""
    if isinstance(tree, dict):
        return {key: _model(value, mounts) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_model(value, mounts) for value in tree]
    is_folder = isinstance(tree, str) and tree and Path(tree).expanduser().is_dir()
    return mounts.there(Path(tree), "recipe.model") if is_folder else tree
