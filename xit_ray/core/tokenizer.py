"""A model's own tokenizer, and what was tokenised with it before."""

from typing import TYPE_CHECKING

from xit_ray.core.models import locate, require, tokenizer_identity
from xit_ray.data.tokens import Progress, Tokens, unseen
from xit_ray.spec.errors import UserError, one_line
from xit_ray.spec.recipe import Model

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def load_tokenizer(model: Model) -> "PreTrainedTokenizerBase":
    """The model's own tokenizer.

    Raises:
        UserError: the model cannot be found or loaded.
    """
    from transformers import AutoTokenizer  # seconds, for what is often tokenised already

    require(model)
    place, revision = locate(model)
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            place, revision=revision, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise UserError(f"model.name: the tokenizer of {model.name!r} cannot be loaded: {one_line(error)}") from None
    return tokenizer


def tokens_of(model: Model, progress: Progress = unseen) -> Tokens:
    """What tokenises for a model, or takes what was tokenised before; the tokenizer is loaded when it is first needed."""
    return Tokens(lambda: load_tokenizer(model), tokenizer_identity(model), model.max_length, progress)
