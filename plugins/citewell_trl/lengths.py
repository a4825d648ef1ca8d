"""How long examples are in tokens, and which of them fit: what does not is left out, never cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from citewell.children import ChildFailed
from citewell_trl.bases import context_of
from citewell_trl.rows import Columns, Message, Row
from citewell_trl.settings import TrlConfig

_DEFAULT_TOKENS = 2048


class Fitting(Struct, frozen=True, kw_only=True):
    """The examples that fit.

    Attributes:
        lengths: of each in tokens, as many as are computed.
        too_long: how many do not fit.
        unlike: how many prompts are written otherwise once an answer follows, so that what is
            learnt is not quite what will be asked.
        endless: how many answers end without the token that ends what the model writes.
    """

    rows: Sequence[Columns]
    lengths: Sequence[int]
    too_long: int
    unlike: int = 0
    endless: int = 0

    @property
    def tokens(self) -> int:
        """Of all examples, once."""
        return sum(self.lengths)


class _Measured(Struct, frozen=True):
    longest: int
    total: int
    is_unlike: bool = False
    is_endless: bool = False


def most_tokens(config: TrlConfig, base: Path) -> int:
    """Return how many tokens an example may have.

    Raises:
        ChildFailed: more are asked for than the model can read.
    """
    context = context_of(base)
    if config.max_tokens is None:
        return min(_DEFAULT_TOKENS, context or _DEFAULT_TOKENS)
    if context is not None and config.max_tokens > context:
        raise ChildFailed(
            f"max_tokens = {config.max_tokens} is more than the model can read; expected at most "
            f"{context}, the max_position_embeddings of {base / 'config.json'}: lower it"
        )
    return config.max_tokens


def fitting(rows: Sequence[Row], tokenizer: Any, *, path: Path, limit: int) -> Fitting:
    """Return the examples that have at most `limit` tokens, as the model reads them.

    Raises:
        ChildFailed: none has, or the chat template refuses one.
    """
    measured = [_measured(row, tokenizer, path) for row in rows]
    kept = [(row, one) for row, one in zip(rows, measured, strict=True) if one.longest <= limit]
    if not kept:
        raise ChildFailed(
            f"{path}: each of its {len(rows)} examples is longer than {limit} tokens, the shortest "
            f"has {min(one.longest for one in measured)}; raise max_tokens, if the model can read "
            "more, or write shorter ones"
        )
    return Fitting(
        rows=[row.columns for row, _ in kept],
        lengths=[one.total for _, one in kept],
        too_long=len(rows) - len(kept),
        unlike=sum(one.is_unlike for _, one in kept),
        endless=sum(one.is_endless for _, one in kept),
    )


def _measured(row: Row, tokenizer: Any, path: Path) -> _Measured:
    columns = row.columns
    if "text" in columns:
        # TRL ends a text with the token that ends.
        count = len(tokenizer(columns["text"])["input_ids"]) + 1
        return _Measured(count, count)
    try:
        return _of_answers(columns, tokenizer)
    # Templates are Jinja: whatever its functions raise comes through.
    except Exception as error:
        raise ChildFailed(
            f"{path}:{row.line}: the chat template refuses the messages: {error}; change them, or "
            "set chat_template"
        ) from error


def _of_answers(columns: Columns, tokenizer: Any) -> _Measured:
    prompt = _ids(columns["prompt"], tokenizer, is_open=True)
    whole = [
        _ids([*columns["prompt"], *answer], tokenizer, is_open=False)
        for answer in _answers(columns)
    ]
    lengths = [len(ids) for ids in whole]
    return _Measured(
        max(lengths),
        sum(lengths),
        is_unlike=any(ids[: len(prompt)] != prompt for ids in whole),
        is_endless=any(tokenizer.eos_token_id not in ids[len(prompt) :] for ids in whole),
    )


def _answers(columns: Columns) -> Iterator[Sequence[Message]]:
    for name in ("completion", "chosen", "rejected"):
        if name in columns:
            yield columns[name]


def _ids(messages: Sequence[Message], tokenizer: Any, *, is_open: bool) -> list[int]:
    encoded = tokenizer.apply_chat_template(
        list(messages), tokenize=True, add_generation_prompt=is_open, return_dict=True
    )
    return list(encoded["input_ids"])
