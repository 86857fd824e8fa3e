"""YAML file and ``--set`` overrides to a validated space, with errors that name file, key, found and allowed."""

import copy
import difflib
import itertools
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from xit_ray.spec.base import Strict
from xit_ray.spec.domains import DOMAINS, as_domain, cover, random_points
from xit_ray.spec.errors import UserError
from xit_ray.spec.generation import Generation
from xit_ray.spec.own_task import OwnTask
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Space, as_recipe

MOST_TRIALS = 20_000
"""A list of more recipes than this is a mistake."""
SAMPLE = 200
"""Recipes drawn to check a space whose points are not known beforehand."""

WORDS = {
    "int_": "a whole number",
    "float_": "a number",
    "finite_number": "a number that is not infinite",
    "bool_": "true or false",
    "string_pattern": "a text that matches {pattern}",
    "string_too_short": "a text of {min_length} or more characters",
    "string_too_long": "a text of {max_length} or fewer characters",
    "string_": "a text",
    "list_": "a list",
    "tuple_": "a list",
    "dict_": "a mapping",
    "mapping_": "a mapping",
    "model_": "a mapping of keys to values",
    "too_short": "a list of {min_length} or more",
    "too_long": "a list of {max_length} or fewer",
    "greater_than_equal": "{ge:g} or more",
    "greater_than": "more than {gt:g}",
    "less_than_equal": "{le:g} or less",
    "less_than": "less than {lt:g}",
    "literal_error": "{expected}",
    "none_required": "null",
}
"""Beginnings of pydantic's types of errors, and what each wants."""


class _Loader(yaml.SafeLoader):
    """YAML in which a key given twice is an error; the plain loader keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None and twice != "<<":
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


EXTENDS = "extends"
"""Key of a space file that names another one, from its own folder: what both have is this one's."""
GIVEN = "space"
"""Stands for a file's name in errors, where a space is given as a mapping."""
SPEC = "spec.yaml"
"""In a run's folder: the space with everything written out, which a resume reads."""


def load_space(space: str | Path | Mapping[str, Any], overrides: tuple[str, ...] = (), **values: Any) -> Space:
    """Read a search-space file.

    Args:
        space: the YAML file, or what would be in it.
        overrides: ``PATH=VALUE`` strings; PATH is dotted (``recipe.stages.0.learning_rate``), VALUE is YAML.
        **values: top-level fields that a command-line option sets (None leaves the file's value).

    Raises:
        UserError: the file cannot be read, or a key or value in it is not allowed.
    """
    if isinstance(space, str | Path):
        path = Path(space)
        tree = _extended(path, ())
    elif isinstance(space, Mapping):
        path, tree = Path(GIVEN), copy.deepcopy(dict(space))
        if EXTENDS in tree:
            raise UserError(f"{GIVEN}: {EXTENDS}: is for files; found it in a mapping")
    else:
        raise UserError(
            f"{GIVEN}: found {type(space).__name__}; allowed: a file, the name of a shipped space, or a mapping"
        )
    for override in overrides:
        _override(tree, override)
    tree.update({key: value for key, value in values.items() if value is not None})
    if isinstance(tree.get("tasks"), list):
        tree["tasks"] = [_own_task(own, path) for own in tree["tasks"]]
    return _validate(tree, str(path))


def load_task(path: str | Path) -> OwnTask:
    """Read the description of a user's own task.

    Raises:
        UserError: as ``load_space``.
    """
    return _own_task(str(Path(path).absolute()), Path(path))


def load_generation(path: str | Path) -> Generation:
    """Read what a language model is to write.

    Raises:
        UserError: as ``load_space``.
    """
    try:
        return Generation.model_validate(_read(Path(path), Generation))
    except ValidationError as error:
        raise UserError(f"{path}: {_first(error, Generation)}") from None


def _own_task(own: Any, beside: Path) -> OwnTask:
    """A description, or the file at a path from beside another one. Its own paths begin where it is written."""
    where, key = beside, "tasks"
    if isinstance(own, str):
        key = ""
        where = beside.parent / Path(own).expanduser()
        own = _read(where, OwnTask)
    try:
        task = OwnTask.model_validate(own)
    except ValidationError as error:
        raise UserError(f"{where}: {_first(error, OwnTask, key)}") from None
    folder = where.parent / Path(task.folder or ".").expanduser()
    return task.model_copy(update={"folder": str(folder.resolve())})


def _read(path: Path, model: type[Strict]) -> dict[str, Any]:
    """A YAML file that holds a mapping."""
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # a SafeLoader
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    except RecursionError:
        raise UserError(f"{path}: not YAML that can be read: it is nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    try:
        to_jsonable_python(tree)
    except ValueError:
        raise UserError(f"{path}: a value contains itself, through an anchor (&) and its alias (*)") from None
    if not isinstance(tree, dict):
        raise UserError(f"{path}: found {type(tree).__name__}; allowed: a mapping with the keys {_keys(model)}")
    return tree


def _extended(path: Path, before: tuple[Path, ...]) -> dict[str, Any]:
    """A space file, with what it has from the one that it extends: mappings are joined key by key, all else is replaced."""
    tree = _read(path, Space)
    if EXTENDS not in tree:
        return tree
    other = tree.pop(EXTENDS)
    if not isinstance(other, str):
        raise UserError(
            f"{path}: {EXTENDS}: found {other!r}; allowed: another space file's path, from this one's folder"
        )
    base = path.parent / Path(other).expanduser()
    if base.resolve() in (one.resolve() for one in (*before, path)):
        raise UserError(f"{path}: {EXTENDS}: {other} extends this file in turn")
    if not base.is_file():
        raise UserError(f"{path}: {EXTENDS}: {base}: there is no such file")
    below = _extended(base, (*before, path))
    if isinstance(below.get("tasks"), list):  # their paths begin where they are written
        below["tasks"] = [str((base.parent / one).resolve()) if isinstance(one, str) else one for one in below["tasks"]]
    joined: dict[str, Any] = _joined(below, tree)
    return joined


def _joined(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    # A domain has one key; a value in its place is another domain, and not one more key.
    if as_domain(below, "") is not None or as_domain(above, "") is not None:
        return above
    return {**below, **{key: _joined(below.get(key), value) for key, value in above.items()}}


def _validate(tree: dict[str, Any], where: str) -> Space:
    try:
        space = Space.model_validate(tree)
    except ValidationError as error:
        raise UserError(f"{where}: {_first(error, Space)}") from None
    try:
        variants = cover(space.recipe)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    try:
        for variant in variants:
            as_recipe(variant)
        _check_recipes(space, where)
    except ValidationError as error:
        raise UserError(f"{where}: {_first(error, Recipe, 'recipe')}") from None
    return space


def _check_recipes(space: Space, where: str) -> None:
    """Look for options that do not go together: in all recipes where they are known beforehand, else in a sample."""
    if not space.search.listed:
        for tree in random_points(space.recipe, SAMPLE, space.search.seed):
            as_recipe(tree)
        return
    count = sum(1 for _ in itertools.islice(listed_recipes(space, MOST_TRIALS + 1), MOST_TRIALS + 1))
    if count > MOST_TRIALS:
        raise UserError(
            f"{where}: the space has more than {MOST_TRIALS:,} recipes; use random or tpe with 'search.trials'"
        )


def _override(tree: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals:
        raise UserError(f"--set {override}: found no '='; allowed: PATH=VALUE, for example search.trials=8")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise UserError(f"--set {override}: the value is not YAML") from None
    node: Any = tree
    *parents, last = path.split(".")
    for depth, key in enumerate((*parents, last)):
        if isinstance(node, list):
            if not key.isdigit() or int(key) >= len(node):
                here = ".".join(parents[:depth])
                raise UserError(f"--set {override}: {here} has the items 0 to {len(node) - 1}; found {key!r}")
            position: Any = int(key)
        elif isinstance(node, dict):
            position = key
        else:
            raise UserError(f"--set {override}: {'.'.join(parents[:depth])} is a plain value and has no {key!r} inside")
        if depth == len(parents):
            node[position] = value
        elif isinstance(node, dict):
            node = node.setdefault(position, {})
        else:
            node = node[position]


def _first(error: ValidationError, model: type[Strict], root: str = "") -> str:
    """The first problem of a pydantic error as one line: key, what was found, what is allowed."""
    problem = error.errors(include_url=False)[0]
    place = [part for part in problem["loc"] if isinstance(part, int) or not part.startswith("function-")]
    key = root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    key = key.lstrip(".") or "the file"
    if problem["type"] == "extra_forbidden":
        owner = _owner(model, place[:-1])
        names = list(owner.model_fields)
        close = difflib.get_close_matches(str(place[-1]), names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        value = problem["input"]
        domain = " (a domain is one key of " + ", ".join(DOMAINS) + ")" if isinstance(value, list) and root else ""
        return f"{key}: unknown key{hint} (allowed: {', '.join(names)}){domain}"
    if problem["type"] == "missing":
        return f"{key}: missing; it is required"
    given = problem["input"]
    if problem["type"] == "value_error":
        return f"{key}: {problem['msg'].removeprefix('Value error, ')}"
    shown = repr(given) if len(repr(given)) <= 80 else repr(given)[:77] + "..."
    return f"{key}: found {shown}; allowed: {_allowed(problem)}"


def _allowed(problem: Any) -> str:
    """What pydantic wanted, in plain words."""
    kind, about = problem["type"], problem.get("ctx", {})
    for beginning, words in WORDS.items():
        if kind.startswith(beginning):
            return words.format(**about)
    return str(problem["msg"].removeprefix("Input should be "))


def _owner(model: type[Strict], place: list[int | str]) -> type[Strict]:
    """The pydantic model that holds the key at a location."""
    for part in place:
        if isinstance(part, str):
            model = _model_in(model.model_fields[part].annotation) or model
    return model


def _model_in(annotation: Any) -> type[Strict] | None:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, Strict) else None
    return next((model for part in typing.get_args(annotation) if (model := _model_in(part))), None)


def _keys(model: type[Strict]) -> str:
    return ", ".join(model.model_fields)


def dump_space(space: Space) -> str:
    """The space as YAML with every default written out, inside the recipe and its domains too."""
    tree = space.model_dump(mode="json")
    tree["recipe"] = _with_defaults(space.recipe, Recipe)
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=120)


def _with_defaults(node: Any, model: type[Strict]) -> Any:
    domain = as_domain(node, "")
    if domain is not None:
        options = [_with_defaults(option, model) for option in domain.options]
        return {domain.kind: options[0] if domain.kind == "exponential" else options}
    node = model.expand(node)
    if isinstance(node, list):
        return [_with_defaults(item, model) for item in node]
    if not isinstance(node, dict):
        return node
    filled = {}
    for name, field in model.model_fields.items():
        if name in node:
            inner = _model_in(field.annotation)
            filled[name] = _with_defaults(node[name], inner) if inner else node[name]
        elif not field.is_required():
            filled[name] = to_jsonable_python(field.get_default())
    return filled
