"""Makes a tiny language model in the form of Hugging Face: real, soon trained, and without a past.

    python scripts/tiny_base.py base
    python scripts/tiny_base.py base --family qwen3 --width 64 --layers 1 --untied
    python scripts/tiny_base.py base --text handbook.txt --steps 300

Its tokenizer is its own: byte-level BPE with the splitting of its family, made from a text. Its
turns are those of ChatML. Its weights are random; `--steps` and `--seconds` teach it to go on as
the text does, so that a training on top of it has something to build on.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tokenizers

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEXT = """\
Every employee has 28 days of leave a year. Leave is asked for in the portal, two weeks before it
begins. The manager answers within three days. Whoever is sick writes to the office before nine, and
brings a note of the doctor on the fourth day. The office is open from Monday to Friday, from eight
to six, and closed on Sundays. A password has twelve characters or more, and is changed when
somebody else may have seen it. A device that is lost is reported to the security team at once. A
refund is paid within fourteen days. Orders above 500 are approved by the manager of the team. The
canteen serves lunch from half past eleven to two. How many days? Who approves it? What is the
policy? I have no source for that. Das Büro ist sonntags geschlossen. Où est la cantine ?
"""
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
# How the families split a text into words. Source: tokenizer.json of Qwen2 and of Llama 3.
_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_SPLITS = {
    "llama": rf"{_CONTRACTIONS}|\p{{N}}{{1,3}}{_REST}",
    "qwen2": rf"{_CONTRACTIONS}|\p{{N}}{_REST}",
    "qwen3": rf"{_CONTRACTIONS}|\p{{N}}{_REST}",
}
_BATCH = 16
_WINDOW = 64
_RATE = 3e-3


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The size of a model.

    Attributes:
        width: also of its feed-forward layers, if `hidden` is not given; K-quants need multiples of
            256.
        tied: it writes with its embeddings, and has no matrix of its own for that.
    """

    family: str = "llama"
    width: int = 256
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    vocabulary: int = 512
    context: int = 2048
    hidden: int | None = None
    tied: bool = True


def write_base(
    folder: Path,
    shape: Shape | None = None,
    *,
    text: str = TEXT,
    seed: int = 0,
    steps: int = 0,
    seconds: float = 0.0,
) -> None:
    """Write a model, taught for `steps` steps or `seconds` seconds, whichever end first.

    Args:
        folder: is made.
        shape: of the model.
        text: that the tokenizer is made from, and that the model learns.
        seed: of the weights, and of what is learnt when.
        steps: of learning; 0 for as many as the time allows.
        seconds: of learning; 0 for as long as the steps take.
    """
    import torch

    shape = shape or Shape()
    tokenizer = _tokenizer(text, shape)
    torch.manual_seed(seed)
    model = _model(shape, len(tokenizer))
    if steps or seconds:
        _teach(model, tokenizer(text)["input_ids"], steps=steps, seconds=seconds)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _tokenizer(text: str, shape: Shape) -> Any:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=_pieces(text, shape),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=TEMPLATE,
        model_max_length=shape.context,
        clean_up_tokenization_spaces=False,
    )


def _pieces(text: str, shape: Shape) -> tokenizers.Tokenizer:
    """Return a tokenizer that cuts as the tokenizers of the family do, into pieces of its own."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    bytewise = pre_tokenizers.ByteLevel
    made = Tokenizer(models.BPE())
    split = _SPLITS.get(shape.family)
    if split is None:
        made.pre_tokenizer = bytewise(add_prefix_space=False)
    else:
        words = pre_tokenizers.Split(Regex(split), "isolated")
        letters = bytewise(add_prefix_space=False, use_regex=False)
        made.pre_tokenizer = pre_tokenizers.Sequence([words, letters])
    if shape.family.startswith("qwen"):
        made.normalizer = normalizers.NFC()
    made.decoder = decoders.ByteLevel()
    learner = trainers.BpeTrainer(
        vocab_size=shape.vocabulary,
        initial_alphabet=sorted(bytewise.alphabet()),
        special_tokens=list(_SPECIAL),
        show_progress=False,
    )
    made.train_from_iterator(text.splitlines(keepends=True), learner)
    return made


def _model(shape: Shape, tokens: int) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        shape.family,
        # As wide as asked for, also where the text gives fewer pieces.
        vocab_size=max(tokens, shape.vocabulary),
        hidden_size=shape.width,
        intermediate_size=shape.hidden or shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.width // shape.heads,
        max_position_embeddings=shape.context,
        tie_word_embeddings=shape.tied,
        # Wider than is usual, so that also an untaught one prefers some tokens to others.
        initializer_range=0.05,
        bos_token_id=None,
        eos_token_id=_SPECIAL.index("<|im_end|>"),
        pad_token_id=_SPECIAL.index("<|endoftext|>"),
        **({"sliding_window": None} if shape.family == "mistral" else {}),
    )
    return AutoModelForCausalLM.from_config(config)


def _teach(model: Any, ids: list[int], *, steps: int, seconds: float) -> None:
    import torch

    tokens = torch.tensor(ids * (1 + 2 * _WINDOW // max(1, len(ids))))
    learner = torch.optim.AdamW(model.parameters(), lr=_RATE)
    model.train()
    for _ in _turns(steps, seconds):
        starts = torch.randint(0, len(tokens) - _WINDOW, (_BATCH,)).tolist()
        batch = torch.stack([tokens[at : at + _WINDOW] for at in starts])
        model(input_ids=batch, labels=batch).loss.backward()
        learner.step()
        learner.zero_grad()
    model.eval()


def _turns(steps: int, seconds: float) -> Iterator[int]:
    began, done = time.monotonic(), 0
    while (not steps or done < steps) and (not seconds or time.monotonic() - began < seconds):
        yield done
        done += 1


def main() -> None:
    """Write the model that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--family", choices=FAMILIES, default=Shape.family)
    for name in ("width", "layers", "heads", "kv-heads", "vocabulary", "context"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Shape, name.replace("-", "_")))
    parser.add_argument("--hidden", type=int, help="of feed-forward layers; default: as the rest")
    parser.add_argument("--untied", action="store_true", help="with a matrix of its own to write")
    parser.add_argument("--text", type=Path, help="that it is made from; default: one of its own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=0, help="of learning the text")
    parser.add_argument("--seconds", type=float, default=0.0, help="of learning the text")
    given = vars(parser.parse_args())
    folder, path, seed = given.pop("folder"), given.pop("text"), given.pop("seed")
    steps, seconds = given.pop("steps"), given.pop("seconds")
    text = path.read_text(encoding="utf-8") if path else TEXT
    shape = Shape(tied=not given.pop("untied"), **given)
    write_base(folder, shape, text=text, seed=seed, steps=steps, seconds=seconds)


if __name__ == "__main__":
    main()
