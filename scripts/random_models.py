"""Makes small models with random weights, as Hugging Face saves them, of each exported family.

They say nothing, and are as good as any to compare two programs that compute them.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from citewell_llamacpp.export.samples import TEXTS

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}"
    "<|end_header_id|>\n\n{{ message['content'] }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
INST = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}[INST] {{ message['content'] }} [/INST]"
    "{% elif message['role'] == 'assistant' %} {{ message['content'] }}{{ eos_token }}"
    "{% else %}{{ raise_exception('no system message') }}{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% for message in messages %}<start_of_turn>"
    "{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
PHI = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
_LLAMA_CUT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN_CUT = _LLAMA_CUT.replace("{1,3}", "")
_VOCABULARY = 1024


def byte_level(
    cut: str | None, special: list[str], *, nfc: bool = False, whole: bool = False
) -> Tokenizer:
    """Return byte-level BPE; with `whole`, a word that is a token is one, whatever merges say."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=whole))
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    letters = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=cut is None)
    tokenizer.pre_tokenizer = letters
    if cut is not None:
        split = pre_tokenizers.Split(Regex(cut), "isolated")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, letters])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY - len(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*TEXTS] * 3, trainer)
    tokenizer.add_special_tokens([AddedToken(one, special=True) for one in special])
    return tokenizer


def pieces(special: list[str], *, first: bool) -> Tokenizer:
    """Return BPE as SentencePiece does it: spaces as marks, and bytes for what is no token."""
    letters = sorted({letter for text in TEXTS for letter in text.replace(" ", "\u2581")})
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY - 300 - len(special), initial_alphabet=letters, show_progress=False
    )
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.Replace(" ", "\u2581")
    trained.train_from_iterator([*TEXTS] * 3, trainer)
    model = json.loads(trained.to_str())["model"]
    learnt = [one for one in model["vocab"] if len(one) > 1]
    # SentencePiece puts merges in front of single letters.
    tokens = [
        *("<unk>", "<s>", "</s>", *special),
        *(f"<0x{number:02X}>" for number in range(256)),
        *learnt,
        *(one for one in model["vocab"] if len(one) == 1),
    ]
    merges = [tuple(one) for one in model["merges"]]
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: at for at, token in enumerate(dict.fromkeys(tokens))},
            merges=merges,
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    steps = [normalizers.Replace(" ", "\u2581")]
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), *steps] if first else steps
    )
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("\u2581", " "),
        decoders.ByteFallback(),
        decoders.Fuse(),
    ])
    marks = ["<unk>", "<s>", "</s>", *special]
    tokenizer.add_special_tokens([AddedToken(one, special=True, normalized=False) for one in marks])
    return tokenizer


_SHAPE: Mapping[str, Any] = {
    "vocab_size": _VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
    "initializer_range": 0.15,
}
_IM = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
_HEADERS = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]


def _llama3() -> tuple[Tokenizer, str, dict[str, str]]:
    named = {"bos_token": _HEADERS[0], "eos_token": "<|eot_id|>"}
    return byte_level(_LLAMA_CUT, _HEADERS, whole=True), LLAMA3, named


def _chatml(*, nfc: bool = True) -> tuple[Tokenizer, str, dict[str, str]]:
    named = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    return byte_level(_QWEN_CUT, _IM, nfc=nfc), CHATML, named


def _gpt2() -> tuple[Tokenizer, str, dict[str, str]]:
    return byte_level(None, _IM), CHATML, {"eos_token": "<|im_end|>"}


def _inst() -> tuple[Tokenizer, str, dict[str, str]]:
    named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return pieces([], first=True), INST, named


def _gemma() -> tuple[Tokenizer, str, dict[str, str]]:
    named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return pieces(["<start_of_turn>", "<end_of_turn>"], first=False), GEMMA, named


def _phi() -> tuple[Tokenizer, str, dict[str, str]]:
    special = ["<|endoftext|>", "<|user|>", "<|system|>", "<|assistant|>", "<|end|>"]
    return byte_level(_LLAMA_CUT, special), PHI, {"eos_token": "<|endoftext|>"}


_TOKENIZERS = {
    "llama3": _llama3, "chatml": _chatml, "gpt2": _gpt2, "inst": _inst, "gemma": _gemma, "phi": _phi
}  # fmt: skip
FAMILIES: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "llama": ("Llama", "llama3", {}),
    "llama-spm": ("Llama", "inst", {}),
    "mistral": ("Mistral", "inst", {"sliding_window": None, "head_dim": 16}),
    "qwen2": ("Qwen2", "chatml", {}),
    "qwen3": ("Qwen3", "chatml", {"head_dim": 32}),
    "smollm": ("Llama", "gpt2", {}),
    "gemma3": (
        "Gemma3",
        "gemma",
        {
            "head_dim": 32,
            "query_pre_attn_scalar": 32,
            "sliding_window": 16,
            "num_hidden_layers": 6,
        },
    ),
    "phi3": ("Phi3", "phi", {"sliding_window": None, "pad_token_id": 0}),
}


def make(folder: Path, family: str, *, tied: bool = False, seed: int = 0, **settings: Any) -> Path:
    """Write a model with random weights, and return its folder."""
    name, tokens, special = FAMILIES[family]
    torch.manual_seed(seed)
    tokenizer, template, named = _TOKENIZERS[tokens]()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, chat_template=template, **named
    )
    suffix = "TextConfig" if name == "Gemma3" else "Config"
    config = getattr(transformers, f"{name}{suffix}")(
        **{**_SHAPE, **special, **settings},
        tie_word_embeddings=tied,
        bos_token_id=fast.bos_token_id,
        eos_token_id=fast.eos_token_id,
    )
    model = getattr(transformers, f"{name}ForCausalLM")(config)
    for parameter_name, parameter in model.named_parameters():
        # Else norms are all alike, and biases are nought.
        if parameter.ndim == 1:
            plain = 0.0 if name == "Gemma3" else 1.0  # Gemma adds 1 itself.
            torch.nn.init.normal_(parameter, plain * ("norm" in parameter_name), 0.1)
    head = model.get_output_embeddings().weight
    # Else all tokens are alike, and which is likeliest is decided by rounding.
    head.data *= torch.exp(torch.randn(len(head), 1) * 0.55)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def adapt(base: Path, folder: Path, *, rank: int = 4, scale: float = 0.3, **settings: Any) -> Path:
    """Write a LoRA adapter for a model, as PEFT saves it, and return its folder."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        **{"target_modules": "all-linear", "task_type": "CAUSAL_LM", **settings},
    )
    with warnings.catch_warnings():
        # PEFT asks transformers for what the latter calls by another name by now.
        warnings.simplefilter("ignore", FutureWarning)
        adapted = get_peft_model(model, config)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, 0, scale)
    adapted.save_pretrained(folder)
    return folder
