"""Whether the hub has a model, found out at once: transformers tries for most of a minute where there is no network."""

import functools

from huggingface_hub import HfApi, constants, try_to_load_from_cache

from xit_ray.spec.errors import UserError, one_line

PATIENCE_SECONDS = 10.0


@functools.cache
def require(name: str, revision: str) -> None:
    """Return if a model is on this machine or the hub has it.

    Raises:
        UserError: neither; the message says what the hub answered.
    """
    here = isinstance(try_to_load_from_cache(name, "config.json", revision=revision), str)
    if here or constants.HF_HUB_OFFLINE:
        return
    try:
        HfApi().model_info(name, revision=revision, timeout=PATIENCE_SECONDS)
    except Exception as error:  # noqa: BLE001 - of whatever library carries the request: told as it is
        said = one_line(error)
        raise UserError(
            f"model.name: the hub does not give {name!r} at {revision[:8]}: {said or type(error).__name__}; allowed without "
            "a network: a folder, or offline:multilingual-e5-small"
        ) from None
