"""A trained network as transformers or sentence-transformers has it.

Heads on tokens are a linear layer, as in ``AutoModelForTokenClassification`` and ``AutoModelForQuestionAnswering``. A head on
a pooled vector becomes sentence-transformers' pooling and dense layer; with ``model.head: transformers`` it is that of
``AutoModelForSequenceClassification`` or ``AutoModelForMultipleChoice``.
"""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from xit_ray.core.heads import Head, SequenceHead, part_of
from xit_ray.core.network import Network
from xit_ray.data.encode import from_sequences
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model
from xit_ray.tasks.base import Task

AUTO = {
    "classification": "AutoModelForSequenceClassification",
    "multi-label": "AutoModelForSequenceClassification",
    "regression": "AutoModelForSequenceClassification",
    "multiple choice": "AutoModelForMultipleChoice",
    "tagging": "AutoModelForTokenClassification",
    "span QA": "AutoModelForQuestionAnswering",
}
"""By kind: the class of transformers that has such a head."""
PROBLEMS = {"classification": "single_label_classification", "multi-label": "multi_label_classification"}
"""What transformers calls a kind whose class is for several."""
SENTENCES = "SentenceTransformer"
TENSORS = "model.safetensors"
DENSE = "2_Dense"
TOLERANCE = 1e-3
"""Between scores of one head, computed in another order."""
HeadTensors = dict[str, tuple[str, str]]
"""By name of a head's parameter: the file it is in, and its name there."""


def loaded_by(task: Task, head: Head) -> str:
    """The class that loads an exported model.

    Raises:
        UserError: there is none for this kind of head.
    """
    if isinstance(head, SequenceHead) and head.dense is None:
        return SENTENCES
    if task.kind not in AUTO:
        raise UserError(f"{task.name}: a {task.kind} head has no counterpart in transformers or sentence-transformers")
    return AUTO[task.kind]


def save(
    network: Network, task: Task, tokenizer: Any, model: Model, dtype: torch.dtype, folder: Path
) -> tuple[str, HeadTensors]:
    """Write a network with one head as a model folder.

    Args:
        network: in float32, on the CPU.
        task: what the head answers.
        tokenizer: the model's own.
        model: says how long sequences are, and how they are pooled.
        dtype: of the weights that are written.
        folder: to write to.

    Returns:
        the class that loads it, and where its head's tensors are.

    Raises:
        UserError: transformers has another head on this architecture.
    """
    head = network.head(0)
    loader = loaded_by(task, head)
    tokenizer.model_max_length = model.max_length
    labels = _labels(task, head)
    if loader == SENTENCES:
        return loader, _save_sentences(network.to(dtype), labels, tokenizer, model, folder)
    native, names = _native(network, head, task, loader)
    if isinstance(head, SequenceHead):
        _compare(network, native, tokenizer)
    native.to(dtype).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return loader, {name: (TENSORS, place) for name, place in names.items()}


def _labels(task: Task, head: Head) -> tuple[str, ...]:
    """What the head's scores are of; nothing where they are of options, or a number."""
    return task.labels if head.linear.out_features == len(task.labels) else ()


def _name(config: Any, labels: tuple[str, ...]) -> None:
    """Say in a model's configuration what its scores are of, in order."""
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: place for place, label in enumerate(labels)}


def _save_sentences(
    network: Network, labels: tuple[str, ...], tokenizer: Any, model: Model, folder: Path
) -> HeadTensors:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    if labels:
        _name(network.encoder.body.config, labels)
    network.encoder.body.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    linear = network.head(0).linear
    dense = Dense(
        linear.in_features,
        linear.out_features,
        activation_function=nn.Identity(),
        init_weight=linear.weight.data,
        init_bias=linear.bias.data,
    )
    pooling = Pooling(linear.in_features, pooling_mode="mean" if model.pooling == "mean" else "cls")
    transformer = Transformer(str(folder), max_seq_length=model.max_length)
    transformer.auto_model.load_state_dict(network.encoder.body.state_dict(), strict=False)
    if hasattr(transformer.auto_model, "pooler"):
        transformer.auto_model.pooler = None  # random weights that nothing reads
    whole = SentenceTransformer(modules=[transformer, pooling, dense])
    whole.save(str(folder), create_model_card=False)
    return {name: (f"{DENSE}/{TENSORS}", name) for name in ("linear.weight", "linear.bias")}


def _native(network: Network, head: Head, task: Task, loader: str) -> tuple[Any, dict[str, str]]:
    """The model of transformers, and where it has the head's parameters."""
    import transformers

    config = network.encoder.body.config
    config = type(config).from_dict({**config.to_dict(), "architectures": None})
    labels = _labels(task, head)
    if labels:
        _name(config, labels)
    else:
        config.num_labels = head.linear.out_features
    if loader == AUTO["classification"]:
        config.problem_type = PROBLEMS.get(task.kind, "regression")
    native = getattr(transformers, loader).from_config(config)
    native.base_model.load_state_dict(network.encoder.body.state_dict(), strict=False)
    names = _places(native, head, config.model_type)
    parameters = dict(native.named_parameters())
    with torch.no_grad():
        for name, place in names.items():
            parameters[place].copy_(dict(head.named_parameters())[name])
    return native.eval(), names


def _places(native: Any, head: Head, architecture: str) -> dict[str, str]:
    """Where a model of transformers has a head's parameters, by the layers' shapes: what it has beside the encoder must be
    what was trained, no more and no less."""
    wanted = {"linear": head.linear}
    if isinstance(head, SequenceHead) and head.dense is not None:
        wanted["dense"] = head.dense
    body = f"{native.base_model_prefix}."
    own = {
        name: module
        for name, module in native.named_modules()
        if (not name.startswith(body) or name == f"{body}pooler.dense")
        and next(module.parameters(False), None) is not None
    }
    found = {}
    for part, layer in wanted.items():
        fits = [n for n, m in own.items() if isinstance(m, nn.Linear) and m.weight.shape == layer.weight.shape]
        if len(fits) == 1:
            found[part] = fits[0]
    if len(found) < len(wanted) or len(own) != len(wanted):
        raise UserError(
            f"transformers' {type(native).__name__} has another head than was trained ({', '.join(own) or 'none'}); an "
            f"encoder of the architecture {architecture} is exported with model.head: linear"
        )
    return {f"{part}.{kind}": f"{name}.{kind}" for part, name in found.items() for kind in ("weight", "bias")}


def _compare(network: Network, native: Any, tokenizer: Any) -> None:
    """Refuse to export a dense layer that this architecture follows by something else than tanh."""
    ids = [
        tokenizer(text)["input_ids"] for text in ("The door is open.", "Three children play in the garden, and sing.")
    ]
    encoded = from_sequences(ids)
    network.eval()
    with torch.no_grad():
        hidden = network.encoder(network.encoder.pack(encoded))
        ours = network.head(0).scores(hidden, part_of(encoded, 0, 1.0), network.encoder).flatten()
        rows = [torch.tensor([one]) for one in ids]
        if type(native).__name__.endswith("MultipleChoice"):
            rows = [row[None] for row in rows]
        theirs = torch.cat([native(input_ids=row).logits.flatten() for row in rows])
    if not torch.allclose(ours, theirs, atol=TOLERANCE):
        raise UserError(
            f"transformers' {type(native).__name__} computes something else than was trained; an encoder of the architecture "
            f"{native.config.model_type} is exported with model.head: linear"
        )
