"""The base of every piece of configuration: unknown keys are errors and values never change after validation."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A pydantic model that refuses unknown keys and is immutable (so that it can be fingerprinted)."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
