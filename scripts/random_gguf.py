"""Writes GGUF files with random weights: real models that say nothing, for tests and benchmarks.

    python scripts/random_gguf.py tiny.gguf
    python scripts/random_gguf.py large.gguf --width 768 --layers 12 --heads 12 --vocabulary 32000

The tokenizer is its own: byte-level BPE over a few hundred words, filled up with made-up ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

import gguf
import numpy as np

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_WORDS = (
    "the", "of", "and", "to", "in", "is", "a", "that", "for", "it", "as", "was", "with", "be",
    "by", "on", "not", "he", "his", "but", "at", "are", "this", "have", "from", "or", "had", "an",
    "they", "which", "one", "you", "were", "all", "we", "there", "their", "has", "been", "more",
    "who", "said", "when", "leave", "days", "year", "employee", "note", "office", "sick", "team",
    "portal", "manager", "policy", "security", "password", "device", "payment", "refund",
    "customer", "order",
)  # fmt: skip
# What a tokenizer that has seen code and papers holds as one token, and a grammar must see through.
_MARKS = (
    "[1", "[2", "1]", "2]", "[1]", "[99]", " [3]", "][", "],", "].", " [", "[0]", "x[", "```",
    "```py\n", "  ```\n", "\n```\n", "~~~", "see [85]\n", "](", "<b", "&#91;", "| ",
)  # fmt: skip
_SYLLABLES = tuple("".join(parts) for parts in product("bdfglmnprstvz", "aeiou"))


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The size of a model; the feed-forward layer is 8/3 as wide as the rest.

    Attributes:
        added: texts that are tokens of their own, of the kind that users define.
        whole: bytes that are ordinary tokens, whatever they are.
        tied: it writes with its embeddings, and has no matrix of its own for that.
    """

    width: int = 64
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    vocabulary: int = 512
    context: int = 32_768
    added: tuple[str, ...] = ()
    whole: tuple[bytes, ...] = ()
    tied: bool = False

    @property
    def hidden(self) -> int:
        """Width of the feed-forward layer, a multiple of 64."""
        return (self.width * 8 // 3 + 63) // 64 * 64


def write_model(
    path: Path,
    shape: Shape | None = None,
    *,
    seed: int = 0,
    template: str | None = TEMPLATE,
    values: Mapping[str, int | str] | None = None,
    tokens: int | None = None,
) -> None:
    """Write a model of the `llama` family in F16.

    Args:
        path: of the file.
        shape: of the model.
        seed: of its weights.
        template: its chat template, Jinja; None leaves it out.
        values: keys with whole numbers or texts, also such as contradict the weights.
        tokens: of the vocabulary, where it is not to have as many as the embeddings.
    """
    shape = shape or Shape()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(f"random-{seed}")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(shape.vocabulary)
    _add_tokenizer(writer, tokens or shape.vocabulary, shape)
    for key, value in (values or {}).items():
        kind = gguf.GGUFValueType.STRING if isinstance(value, str) else gguf.GGUFValueType.UINT32
        writer.kv_data[0][key] = gguf.gguf_writer.GGUFValue(value, kind)
    if template is not None:
        writer.add_chat_template(template)
    for name, array in _weights(shape, seed):
        writer.add_tensor(name, array)
    _finish(writer)


def write_adapter(
    path: Path,
    shape: Shape | None = None,
    *,
    seed: int = 1,
    rank: int = 4,
    scale: float = 1.0,
    others: Mapping[str, np.ndarray | None] | None = None,
) -> None:
    """Write a LoRA adapter for the attention of a model of `shape`; it moves the logits visibly.

    Args:
        path: of the file.
        shape: of the model.
        seed: of the weights.
        rank: of the adapter.
        scale: of what it changes.
        others: tensors by name that are added, take the place of its own, or (None) are left out.
    """
    shape = shape or Shape()
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(rank))
    tensors: dict[str, np.ndarray | None] = {}
    for layer, part in product(range(shape.layers), ("attn_q", "attn_output")):
        for half, size in (("lora_a", (rank, shape.width)), ("lora_b", (shape.width, rank))):
            values = random.normal(0, scale / shape.width**0.25, size).astype(np.float32)
            tensors[f"blk.{layer}.{part}.weight.{half}"] = values
    for name, array in {**tensors, **(others or {})}.items():
        if array is not None:
            writer.add_tensor(name, array)
    _finish(writer)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _weights(shape: Shape, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    random = np.random.default_rng(seed)
    kv_width = shape.width // shape.heads * shape.kv_heads

    def matrix(rows: int, columns: int, spread: float) -> np.ndarray:
        return (random.standard_normal((rows, columns), np.float32) * spread).astype(np.float16)

    flat = 1 / shape.width**0.5
    norm = np.ones(shape.width, np.float32)
    # Spread so that logits have a deviation of about 2.5: some tokens stand out, none always wins.
    yield "token_embd.weight", matrix(shape.vocabulary, shape.width, 2.5 * flat)
    yield "output_norm.weight", norm
    if not shape.tied:
        yield "output.weight", matrix(shape.vocabulary, shape.width, 2.5 * flat)
    for layer in range(shape.layers):
        yield f"blk.{layer}.attn_norm.weight", norm
        yield f"blk.{layer}.attn_q.weight", matrix(shape.width, shape.width, 2 * flat)
        yield f"blk.{layer}.attn_k.weight", matrix(kv_width, shape.width, 2 * flat)
        yield f"blk.{layer}.attn_v.weight", matrix(kv_width, shape.width, flat)
        yield f"blk.{layer}.attn_output.weight", matrix(shape.width, shape.width, flat)
        yield f"blk.{layer}.ffn_norm.weight", norm
        yield f"blk.{layer}.ffn_gate.weight", matrix(shape.hidden, shape.width, flat)
        yield f"blk.{layer}.ffn_up.weight", matrix(shape.hidden, shape.width, flat)
        yield f"blk.{layer}.ffn_down.weight", matrix(shape.width, shape.hidden, flat)


def _add_tokenizer(writer: gguf.GGUFWriter, size: int, shape: Shape) -> None:
    letters = _byte_letters()
    learned = dict.fromkeys(letters)
    merges: list[str] = []
    whole = [*(mark.encode() for mark in _MARKS), *shape.whole]
    room = size - len(whole) - len(shape.added) - len(_SPECIAL)
    for word in (*_WORDS, *_made_up_words(size)):
        if len(learned) >= room:
            break
        _learn(f"Ġ{word}", learned, merges, room=room)
    tokens = [*learned, *("".join(letters[byte] for byte in text) for text in whole)]
    kinds = [gguf.TokenType.NORMAL] * len(tokens)
    kinds += [gguf.TokenType.USER_DEFINED] * len(shape.added)
    kinds += [gguf.TokenType.CONTROL] * len(_SPECIAL)
    tokens += [*shape.added, *_SPECIAL]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(size - 3)
    writer.add_eos_token_id(size - 1)
    writer.add_add_bos_token(value=False)


def _learn(word: str, known: dict[str, None], merges: list[str], *, room: int) -> None:
    """Add the merges that build `word` from its letters, and their results."""
    for end in range(2, len(word) + 1):
        if word[:end] in known:
            continue
        if len(known) == room:
            return
        merges.append(f"{word[: end - 1]} {word[end - 1]}")
        known[word[:end]] = None


def _made_up_words(count: int) -> Iterator[str]:
    three = ("".join(parts) for parts in product(_SYLLABLES, repeat=3))
    return islice(three, 0, None, max(1, len(_SYLLABLES) ** 3 // max(count, 1)))


def _byte_letters() -> Sequence[str]:
    """Return the letter that stands for each byte. Source: GPT-2, `bytes_to_unicode`."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    letters = {byte: chr(byte) for byte in shown}
    letters |= {byte: chr(256 + index) for index, byte in enumerate(hidden)}
    return [letters[byte] for byte in range(256)]


def main() -> None:
    """Write the file that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    for name in ("width", "layers", "heads", "vocabulary", "context", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Shape, name, 0))
    parser.add_argument("--kv-heads", type=int, help="default: half of --heads")
    given = vars(parser.parse_args())
    path, seed = given.pop("path"), given.pop("seed")
    given["kv_heads"] = given["kv_heads"] or max(1, given["heads"] // 2)
    write_model(path, Shape(**given), seed=seed)


if __name__ == "__main__":
    main()
