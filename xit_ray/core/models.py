"""Which files a model is made of, and whether it can be had. Nothing here loads weights, or imports what does."""

import hashlib
import json
from pathlib import Path
from typing import Any

from xit_ray.core import hub_models, offline
from xit_ray.spec.errors import UserError, one_line
from xit_ray.spec.recipe import Model


def locate(model: Model) -> tuple[str, str | None]:
    """Where transformers finds a model: (hub name or folder, revision).

    Raises:
        UserError: a folder that is not there, a hub name without a revision, or an unknown offline model.
    """
    name = model.name
    if name.startswith("offline:"):
        if name != offline.NAME:
            raise UserError(f"model.name: unknown offline model {name!r} (allowed: {offline.NAME})")
        return str(offline.offline_model()), None
    folder = Path(name).expanduser()
    if folder.is_dir() and name:
        if not (folder / "config.json").is_file():
            raise UserError(f"model.name: the folder {name!r} holds no model (it has no config.json)")
        return str(folder), None
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise UserError(
            f"model.name: found {name!r}, which is no folder; allowed: a folder, a hub name OWNER/MODEL, or {offline.NAME}"
        )
    if model.revision is None:
        raise UserError(f"model.revision: missing; a hub model ({name}) needs the commit it is pinned to")
    return name, model.revision


def require(model: Model) -> None:
    """Return if a model can be had.

    Raises:
        UserError: as ``locate``; or the hub does not have it, or does not answer.
    """
    place, revision = locate(model)
    if revision is not None:
        hub_models.require(place, revision)


def identity(model: Model) -> dict[str, str]:
    """What a model's files are: the hub's name and commit, or the SHA-256 of each file of a folder.

    Raises:
        UserError: as ``locate``; or a folder's model has fewer layers than are to be frozen.
    """
    place, revision = locate(model)
    if revision is not None:
        return {"hub": place, "revision": revision}
    config = _config(Path(place))
    check_layers(model, config.get("num_hidden_layers"))
    offset = config.get("pad_token_id", 0) + 1 if "roberta" in config.get("model_type", "") else 0
    check_length(model, config.get("max_position_embeddings"), offset)
    return _hashes(Path(place), (".safetensors", ".json", ".model"))


def tokenizer_identity(model: Model) -> dict[str, str]:
    """What a model's tokenizer is: as ``identity``, without the weights' files."""
    place, revision = locate(model)
    if revision is not None:
        return {"hub": place, "revision": revision}
    return _hashes(Path(place), (".json", ".model", ".txt"))


def check_layers(model: Model, layers: int | None) -> None:
    if layers is not None and model.frozen_layers > layers:
        raise UserError(
            f"model.frozen_layers: found {model.frozen_layers}; allowed: at most {layers}, the layers of {model.name}"
        )


def check_length(model: Model, positions: int | None, first: int) -> None:
    if positions is not None and model.max_length > positions - first:
        raise UserError(
            f"model.max_length: found {model.max_length}; allowed: at most {positions - first}, the positions of {model.name}"
        )


def _config(folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"model.name: {file} cannot be read: {one_line(error)}") from None
    if not isinstance(config, dict):
        raise UserError(f"model.name: {file} is a {type(config).__name__}; wanted: an object with a model's settings")
    return config


def _hashes(folder: Path, suffixes: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in suffixes:
            with file.open("rb") as stream:
                found[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found
