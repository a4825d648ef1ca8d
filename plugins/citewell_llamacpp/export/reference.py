"""What the trained model computes, by the libraries that trained it: transformers and PEFT."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.utils import chat_template_utils

from citewell.children import ChildFailed
from citewell_llamacpp.export.samples import Conversation
from citewell_llamacpp.export.writing import Specials
from citewell_llamacpp.proof import DAY
from citewell_llamacpp.templates import without_system
from citewell_llamacpp.wire import Message

_ANSWER = "x"
_MOST_ADDED = 64


class Reference:
    """The trained model.

    Args:
        base: folder of the model that learnt.
        adapter: folder of what it learnt; None for nothing.
        threads: that compute; None for all processors.

    Raises:
        ChildFailed: it cannot be loaded, or its chat template leaves an answer without an end.
    """

    def __init__(self, base: Path, adapter: Path | None, *, threads: int | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self._tokenizer = _tokenizer(tokenizer_folder(base, adapter))
        self._base, self._adapter = base, adapter
        self._loaded: Any = None
        self.specials = self._specials()

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that the chat template ends an answer with, and that end a text."""
        found = {self.specials.eos, self.specials.turn_end}
        return frozenset(one for one in found if one is not None)

    @cached_property
    def stops(self) -> frozenset[int]:
        """The tokens that end an answer."""
        found = {self.specials.eos, self.specials.turn_end, *self._configured_stops()}
        return frozenset(one for one in found if one is not None)

    def _configured_stops(self) -> list[int]:
        name = "generation_config.json"
        if not (self._base / name).is_file():
            name = "config.json"
        settings = json.loads((self._base / name).read_text(encoding="utf-8"))
        found = settings.get("eos_token_id")
        return found if isinstance(found, list) else [] if found is None else [found]

    def tokenize(self, text: str) -> list[int]:
        """Return the tokens of a text in which the names of special tokens stand for these."""
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)

    def lay_out(self, messages: Sequence[Message]) -> str:
        """Return the text of a conversation, up to where the answer begins.

        Raises:
            ChildFailed: the chat template cannot.
        """
        return self._laid_out(messages, asks=True)

    def logits(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Return the logits after each token, float32[tokens, vocabulary]."""
        with torch.no_grad():
            found = self._model(torch.tensor([list(tokens)])).logits[0]
        return np.asarray(found.to(torch.float32).numpy())

    def last_logits(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Return the logits after the last of many tokens, float32[1, vocabulary]."""
        with torch.no_grad():
            found = self._model(torch.tensor([list(tokens)]), logits_to_keep=1).logits[0]
        return np.asarray(found[-1:].to(torch.float32).numpy())

    def odd_texts(self) -> list[str]:
        """Return texts around the tokens that were added by hand, and are no ordinary special ones.

        What stands beside them may be cut otherwise.
        """
        found = []
        for token in self._tokenizer.added_tokens_decoder.values():
            if not token.special or token.rstrip or token.lstrip:
                text = token.content
                found.append(f" a{text} b\n{text}\nc {text}{text}d")
        return found[:_MOST_ADDED]

    def continued(self, tokens: Sequence[int], count: int) -> tuple[list[int], list[float]]:
        """Return the likeliest next tokens, `count` at most, up to one that ends the answer.

        Returns:
            The tokens, and by how much the logit of each is above that of the next best.
        """
        make: Any = GenerationConfig
        settings = make(
            do_sample=False,
            max_new_tokens=count,
            eos_token_id=sorted(self.stops),
            pad_token_id=self.specials.eos,
            output_logits=True,
            return_dict_in_generate=True,
        )
        given = torch.tensor([list(tokens)])
        with torch.no_grad():
            found = self._model.generate(
                given, attention_mask=torch.ones_like(given), generation_config=settings
            )
        best = [step[0].to(torch.float32).topk(2).values for step in found.logits]
        written = [int(one) for one in found.sequences[0, len(tokens) :]]
        return written, [float(one[0] - one[1]) for one in best]

    @contextmanager
    def adapted(self, value: bool) -> Iterator[None]:
        """Compute with what was learnt, or without it."""
        if value or self._adapter is None:
            yield
            return
        with self._model.disable_adapter():
            yield

    def fitted(self, conversation: Conversation) -> Conversation:
        """Return a conversation as the chat template takes it: some know no system's message.

        Raises:
            ChildFailed: it takes it in neither form.
        """
        try:
            self.lay_out(conversation)
        except ChildFailed:
            conversation = tuple(without_system(conversation))
            self.lay_out(conversation)
        return conversation

    def close(self) -> None:
        """Free the weights."""
        self._loaded = None

    @property
    def _model(self) -> Any:
        if self._loaded is None:
            self._loaded = _model(self._base, self._adapter)
        return self._loaded

    def _laid_out(self, messages: Sequence[Message], *, asks: bool) -> str:
        plain = [{"role": one.role, "content": one.content} for one in messages]
        try:
            with _on_one_day():
                text: str = self._tokenizer.apply_chat_template(
                    plain, tokenize=False, add_generation_prompt=asks
                )
        # A template is a program; it raises what it likes.
        except Exception as error:
            raise ChildFailed(f"the chat template of the base fails: {error}") from error
        return text

    def _specials(self) -> Specials:
        tokenizer = self._tokenizer
        if not isinstance(tokenizer.chat_template, str):
            several = "several" if tokenizer.chat_template else "no"
            raise ChildFailed(
                f"{self._base}: its tokenizer has {several} chat template; expected one, as it was "
                "trained with: save the tokenizer with it, or put chat_template.jinja there"
            )
        turn_end = self._turn_end()
        if tokenizer.eos_token_id is None:
            raise ChildFailed(f"{self._base}: its tokenizer has no eos_token; set one")
        return Specials(
            bos=tokenizer.bos_token_id,
            eos=tokenizer.eos_token_id,
            turn_end=turn_end,
            pad=tokenizer.pad_token_id,
            unknown=tokenizer.unk_token_id,
            adds_bos=self._begins(),
            template=tokenizer.chat_template,
        )

    def _begins(self) -> bool:
        """Tell whether a conversation begins with `bos`, because the template writes it."""
        bos = self._tokenizer.bos_token
        return bool(bos) and self.lay_out([Message("user", "?")]).startswith(bos)

    def _turn_end(self) -> int | None:
        """Return the token that the chat template puts behind an answer."""
        question = [Message("user", "?")]
        asked = self._laid_out(question, asks=True)
        whole = self._laid_out([*question, Message("assistant", _ANSWER)], asks=False)
        at = whole.find(_ANSWER, min(len(asked), whole.rfind(_ANSWER)))
        behind = self.tokenize(whole[at + len(_ANSWER) :].lstrip())
        known = {self._tokenizer.eos_token_id, *self._tokenizer.added_tokens_decoder}
        if not behind or behind[0] not in known:
            raise ChildFailed(
                "the chat template of the base puts no special token behind an answer, so the "
                "model cannot learn where one ends; expected one like <|im_end|>"
            )
        return behind[0] if behind[0] != self._tokenizer.eos_token_id else None


class _OneDay(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # noqa: ARG003 - one day everywhere
        return DAY


@contextmanager
def _on_one_day() -> Iterator[None]:
    """Let chat templates that ask for the date be told the one that files are proven with."""
    usual = chat_template_utils.datetime
    chat_template_utils.datetime = _OneDay
    try:
        yield
    finally:
        chat_template_utils.datetime = usual


def tokenizer_folder(base: Path, adapter: Path | None) -> Path:
    """Return where the tokenizer stands that was trained with: trainers may save their own."""
    if adapter is not None and (adapter / "tokenizer.json").is_file():
        return adapter
    return base


def _tokenizer(folder: Path) -> Any:
    try:
        found: Any = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ChildFailed(f"{folder}: its tokenizer cannot be loaded: {reason:.200}") from error
    if not found.is_fast:
        raise ChildFailed(f"{folder}: has a slow tokenizer; expected one with tokenizer.json")
    return found


def _model(base: Path, adapter: Path | None) -> Any:
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            base,
            dtype=torch.float32,
            attn_implementation="eager",
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
        if adapter is not None:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, adapter, local_files_only=True)
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ChildFailed(f"{base}: cannot be loaded by transformers: {reason:.300}") from error
    return model.eval()
