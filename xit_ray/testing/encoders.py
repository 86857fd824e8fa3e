"""A tiny encoder: random weights, two layers, a vocabulary of 400 pieces. It learns next to nothing, and at once."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

from xit_ray.data import mini

VOCABULARY = 400
SHAPE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 130,
}


def tiny_tokenizer(pair: str = "<s> $A </s> </s> $B </s>", types: bool = False) -> PreTrainedTokenizerFast:
    """A tokenizer that knows English sentences of the built-in tasks.

    Args:
        pair: how two texts are joined.
        types: whether it gives token types, as BERT's.
    """
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    sentences = [row["text_a"] for row in mini.rows("mini_nli", "train", "en").to_pylist()]
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(sentences, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair=pair, special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_input_names=["input_ids", *(["token_type_ids"] if types else []), "attention_mask"],
    )


def tiny_encoder(folder: Path) -> Path:
    """Write a tiny XLM-R into a folder, unless it is there; returns the folder."""
    if not (folder / "config.json").is_file():
        torch.manual_seed(0)
        config = XLMRobertaConfig(vocab_size=VOCABULARY, type_vocab_size=1, pad_token_id=1, **SHAPE)
        tiny_tokenizer().save_pretrained(folder)
        XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder
