"""``xit models check``: what an encoder can do here, by its configuration and tokenizer; no weights are read."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from xit_ray.data import rows
from xit_ray.data.source import parse_source
from xit_ray.plan.gpu_memory import training_gb
from xit_ray.spec import commands
from xit_ray.spec.commands import bytes_in_words
from xit_ray.spec.errors import AbsentError, UserError
from xit_ray.spec.recipe import Model
from xit_ray.spec.space import Resources
from xit_ray.tasks import registry

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BATCH_TOKENS = (1024, 4096)
ROWS = 200
"""Test rows of each language that are tokenised."""
UNSPACED = ("zh", "ja", "th", "my", "km", "lo")
"""Languages that set no spaces between words."""
app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Encoders."""


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="A folder, OWNER/MODEL on the hub, or offline:multilingual-e5-small.")],
    revision: Annotated[str | None, typer.Option(help="The commit, for a model of the hub.")] = None,
    task: Annotated[str, typer.Option(help="Whose texts are cut into tokens.")] = "mini_nli",
    data: Annotated[str | None, typer.Option(help="Folder, 'hub' or 'mirror:DIR' (also XIT_DATA).")] = None,
) -> None:
    """Say in seconds what an encoder can do: packed or padded, longest input, memory, tokens per word by language."""
    from xit_ray.core.tokenizer import load_tokenizer

    model = Model(name=name, revision=revision)
    console = commands.console()
    table = Table(box=None, pad_edge=False, show_header=False)
    for about, found in _looks(model):
        table.add_row(about, found)
    console.print(table)
    table = Table(box=None, pad_edge=False)
    for column, justify in (("language", "left"), (f"tokens, {task}", "right"), ("of each", "left")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for language, tokens, unit in _tokens(load_tokenizer(model), task, data):
        table.add_row(language, f"{tokens:.2f}", unit)
    console.print(table)


def _looks(model: Model) -> Iterator[tuple[str, str]]:
    """What is looked at, and what was found."""
    from transformers.utils import logging

    from xit_ray.core.architectures import first_position
    from xit_ray.core.device import compute_dtype
    from xit_ray.core.encoder import freeze
    from xit_ray.core.flops import sizes_of
    from xit_ray.core.pretrained import is_packed, skeleton

    logging.set_verbosity_error()
    body = skeleton(model)
    freeze(body, model)
    config = body.config
    counted = sizes_of(body, config.hidden_size)
    yield "architecture", f"{config.model_type}, {counted.layers} layers of {counted.width}"
    yield (
        "parameters",
        f"{counted.parameters / 1e6:,.0f} million, {counted.checkpoint / 1e6:,.0f} million of them trained",
    )
    yield "checkpoint", f"{bytes_in_words(4 * counted.checkpoint)} in the store, word embeddings frozen"
    yield "batches", "packed" if is_packed(config) else "padded to their longest row: its attention is one of its own"
    positions = getattr(config, "max_position_embeddings", None)
    longest = (
        "not limited by its configuration" if positions is None else f"{positions - first_position(body):,} tokens"
    )
    yield "longest input", longest
    dtype = str(compute_dtype(gpu=True)).removeprefix("torch.")
    for tokens in BATCH_TOKENS:
        gigabytes = training_gb(counted, dtype, Resources(gpus=1, batch_tokens=tokens))
        yield (
            f"GPU, {tokens:,} tokens at once",
            f"about {gigabytes:,.1f} GB to train it in {dtype}, reckoned from its sizes",
        )


def _tokens(tokenizer: "PreTrainedTokenizerBase", name: str, data: str | None) -> Iterator[tuple[str, float, str]]:
    """By language of a task: tokens of each word, or of each character where words are not set apart."""
    task, source = registry.get(name), parse_source(data)
    column = next((one for one in ("text_a", "text", "question", "tokens") if one in task.columns), None)
    if column is None:
        raise UserError(f"--task: {name!r} is {task.kind}; allowed: a task of texts, questions or words")
    absent: AbsentError | None = None
    for language in task.languages:
        try:
            table = rows.load(task, "test", language, source).table.slice(0, ROWS)
        except AbsentError as error:
            absent = error
            continue
        absent = None
        texts = [value if isinstance(value, str) else " ".join(value) for value in table.column(column).to_pylist()]
        pieces = sum(map(len, tokenizer(texts, add_special_tokens=False)["input_ids"]))
        units = [text.replace(" ", "") if language in UNSPACED else text.split() for text in texts]
        yield language, pieces / max(1, sum(map(len, units))), "character" if language in UNSPACED else "word"
    if absent is not None:
        raise absent


if __name__ == "__main__":
    commands.run(app)
