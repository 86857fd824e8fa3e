"""The base of every piece of configuration: unknown keys are errors and values never change after validation."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Strict(BaseModel):
    """A pydantic model that refuses unknown keys and is immutable (so that it can be fingerprinted)."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    @classmethod
    def expand(cls, value: Any) -> Any:
        """What a shorthand of this piece stands for, one step; anything else as it is."""
        return value

    @model_validator(mode="before")
    @classmethod
    def _expanded(cls, value: Any) -> Any:
        return cls.expand(value)
