"""Sends a model folder to the hub."""

import os
from pathlib import Path

from xit_ray.spec.errors import UserError, one_line


def check(name: str) -> None:
    """See that something may be sent there, before it is made.

    Raises:
        UserError: the name is none, or there is no token.
    """
    from huggingface_hub import get_token

    if name.count("/") != 1:
        raise UserError(f"--push: found {name!r}; allowed: OWNER/NAME")
    if get_token() is None:
        raise UserError("--push: there is no token of the hub; say `hf auth login`, or set HF_TOKEN")


def push(folder: Path, name: str, private: bool = False) -> str:
    """Send all files of a folder to a repository, which is made where it is not there; its address.

    The hub and the token are those of ``huggingface_hub``: ``HF_ENDPOINT``, and ``HF_TOKEN`` or ``hf auth login``.

    Raises:
        UserError: there is no token, or the hub refuses.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    check(name)
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    try:
        if not api.repo_exists(name):
            api.create_repo(name, private=private)
        api.upload_folder(repo_id=name, folder_path=folder, commit_message="xit export")
    except (HfHubHTTPError, OSError) as error:
        raise UserError(f"--push {name}: the hub refuses: {one_line(error)}") from None
    return f"{api.endpoint}/{name}"
