"""The tokenizer of a model as the keys of a file: byte-level BPE, or SentencePiece's BPE."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf
from msgspec import Struct

from citewell.children import ChildFailed

_CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
_WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_CASED = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
)
_CASED_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_ENDING = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
# How text is cut before it is merged, by the name that llama.cpp has for it.
_CUTS: Mapping[str, str] = {
    _GPT2: "gpt-2",
    _CONTRACTIONS + _WORDS + r"\p{N}{1,3}" + _REST: "llama-bpe",
    _CONTRACTIONS + _WORDS + r"\p{N}" + _REST: "qwen2",
    "|".join(_CASED) + r"|\p{N}" + _CASED_REST: "tekken",
    f"{_CASED[0]}{_ENDING}|{_CASED[1]}{_ENDING}" + r"|\p{N}{1,3}" + _CASED_REST: "gpt-4o",
}
# These take a word that is a token as that token, whatever its merges say; the other cuts alike.
_WHOLE_WORDS = {"llama-bpe": "dbrx", "tekken": ""}
_SPACE = "\u2581"


class Vocabulary(Struct, frozen=True, kw_only=True):
    """What a file says about its tokens.

    Attributes:
        model: "gpt2" for byte-level BPE, "llama" for that of SentencePiece.
        pre: how text is cut before it is merged.
        tokens: by their numbers.
        kinds: of these, `gguf.TokenType`.
        scores: of these, higher is merged first; empty for byte-level BPE.
        merges: in their order; empty for SentencePiece.
        adds_space: whether a space is put before a text.
        normalizer: Unicode form that text is brought into before; llama.cpp knows none, so who
            gives it text does that.
    """

    model: str
    pre: str
    tokens: Sequence[str]
    kinds: Sequence[int]
    scores: Sequence[float] = ()
    merges: Sequence[str] = ()
    adds_space: bool | None = None
    normalizer: str = ""


def read_vocabulary(folder: Path, size: int) -> Vocabulary:
    """Return the tokens of the tokenizer in a folder, filled up to `size`.

    Raises:
        ChildFailed: it works in a way that is not proven; names what.
    """
    path = folder / "tokenizer.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is no JSON"
        raise ChildFailed(
            f"{path}: {reason}; expected the tokenizer.json that a fast tokenizer saves"
        ) from error
    model = found["model"]
    if model.get("type", "BPE") != "BPE":
        raise _refusal("model", model.get("type"), "BPE")
    if model.get("dropout") or model.get("continuing_subword_prefix"):
        raise _refusal("model", "dropout or prefixes", "neither")
    added = found.get("added_tokens") or []
    for one in added:
        if one.get("lstrip") or one.get("single_word"):
            raise _refusal("added token", one["content"], "one that takes no space with it")
    return _pieces(found, size) if model.get("byte_fallback") else _bytes(found, size)


def _bytes(found: Mapping[str, Any], size: int) -> Vocabulary:
    """Return byte-level BPE."""
    model, pre = found["model"], _cut(found.get("pre_tokenizer"))
    if bool(model.get("ignore_merges")) is not (pre in _WHOLE_WORDS):
        pre = _WHOLE_WORDS.get(pre, "")
        if not pre:
            raise _refusal("ignore_merges", model.get("ignore_merges"), "the other value")
    tokens, kinds = _tokens(found, size, gguf.TokenType.NORMAL)
    merges = [one if isinstance(one, str) else " ".join(one) for one in model["merges"]]
    return Vocabulary(
        model="gpt2",
        pre=pre,
        tokens=tokens,
        kinds=kinds,
        merges=merges,
        normalizer=_unicode_form(found.get("normalizer")),
    )


def _cut(pre: Mapping[str, Any] | None) -> str:
    """Return llama.cpp's name of how text is cut."""
    steps = _sequence(pre, "pretokenizers")
    pattern = None
    for step in steps:
        if step["type"] == "ByteLevel":
            if step.get("add_prefix_space"):
                raise _refusal("add_prefix_space", value=True, expected="false")
            if step.get("use_regex", True):
                if pattern is not None:
                    raise _refusal("pre_tokenizer", "two patterns", "one")
                pattern = _GPT2
        elif step["type"] == "Split" and step["behavior"] == "Isolated" and pattern is None:
            pattern = step["pattern"].get("Regex")
        else:
            raise _refusal("pre_tokenizer", step["type"], "one pattern, then ByteLevel")
    if pattern is None or pattern not in _CUTS:
        raise _refusal("pre_tokenizer", pattern, f"that of {', '.join(_CUTS.values())}")
    return _CUTS[pattern]


def _unicode_form(normalizer: Mapping[str, Any] | None) -> str:
    steps = _sequence(normalizer, "normalizers")
    if not steps:
        return ""
    if len(steps) == 1 and steps[0]["type"] in {"NFC", "NFD", "NFKC", "NFKD"}:
        return str(steps[0]["type"])
    raise _refusal("normalizer", [one["type"] for one in steps], "NFC, or none")


def _pieces(found: Mapping[str, Any], size: int) -> Vocabulary:
    """Return SentencePiece's BPE, in which the order of tokens is that of merges."""
    model = found["model"]
    vocabulary = model["vocab"]
    ranks = [vocabulary["".join(_pair(one))] for one in model["merges"]]
    firsts = list(dict.fromkeys(ranks))
    if firsts != sorted(firsts):
        raise _refusal("merges", "another order than that of tokens", "the order of SentencePiece")
    tokens, kinds = _tokens(found, size, gguf.TokenType.NORMAL)
    for token, number in vocabulary.items():
        if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
            kinds[number] = gguf.TokenType.BYTE
    unknown = model.get("unk_token")
    if unknown in vocabulary:
        kinds[vocabulary[unknown]] = gguf.TokenType.UNKNOWN
    return Vocabulary(
        model="llama",
        pre="default",
        tokens=tokens,
        kinds=kinds,
        scores=[-float(number) for number in range(size)],
        adds_space=_adds_space(found),
    )


def _pair(merge: str | Sequence[str]) -> Sequence[str]:
    return merge.split(" ") if isinstance(merge, str) else merge


def _adds_space(found: Mapping[str, Any]) -> bool:
    """Tell whether a space is put before a text, from what turns spaces into marks."""
    steps = [
        *_sequence(found.get("normalizer"), "normalizers"),
        *_sequence(found.get("pre_tokenizer"), "pretokenizers"),
    ]
    adds = False
    for step in steps:
        match step["type"]:
            case "Prepend" if step["prepend"] == _SPACE:
                adds = True
            case "Metaspace" if step.get("replacement") == _SPACE:
                adds = step.get("prepend_scheme") in {"first", "always"}
            case "Replace" if step["content"] == _SPACE and step["pattern"] == {"String": " "}:
                pass
            # Spaces are marks by then, so this one finds nothing to cut at.
            case "Split" if step["pattern"] == {"String": " "}:
                pass
            case other:
                raise _refusal("normalizer", other, "spaces as marks, and nothing else")
    return adds


def _tokens(
    found: Mapping[str, Any], size: int, usual: gguf.TokenType
) -> tuple[list[str], list[int]]:
    tokens = [f"[PAD{number}]" for number in range(size)]
    kinds = [int(gguf.TokenType.UNUSED)] * size
    numbered = [(number, token) for token, number in found["model"]["vocab"].items()]
    added = [(one["id"], one) for one in found.get("added_tokens") or []]
    highest = max([number for number, _ in numbered] + [number for number, _ in added])
    if highest >= size:
        raise _refusal("vocab", f"{highest + 1} tokens", f"at most {size}, as the model has rows")
    for number, token in numbered:
        tokens[number], kinds[number] = token, int(usual)
    for number, one in added:
        kind = gguf.TokenType.CONTROL if one.get("special") else gguf.TokenType.USER_DEFINED
        # Of a token that is added, llama.cpp compares the text as people write it.
        text = one["content"]
        tokens[number] = text if one.get("special") else text.replace(_SPACE, " ")
        kinds[number] = int(kind)
    return tokens, kinds


def _sequence(step: Mapping[str, Any] | None, inner: str) -> list[Mapping[str, Any]]:
    if step is None:
        return []
    return list(step[inner]) if step["type"] == "Sequence" else [step]


def _refusal(what: str, value: object, expected: str) -> ChildFailed:
    return ChildFailed(
        f"tokenizer.json: {what} is {value!r:.120}, with which no file was proven; "
        f"expected {expected}"
    )
