"""What the worker process does with each message."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from citewell_llamacpp import grammar
from citewell_llamacpp.native import Aborted, Native, NativeError, PlainNative
from citewell_llamacpp.normalizing import KEY, normalized
from citewell_llamacpp.probing import problem
from citewell_llamacpp.proof import decoded
from citewell_llamacpp.schema_grammar import BadSchema, schema_grammar
from citewell_llamacpp.slots import Slots
from citewell_llamacpp.templates import BadTemplate, Template
from citewell_llamacpp.turns import Answer, Turns
from citewell_llamacpp.wire import (
    CHUNK,
    Adapt,
    Adapted,
    Embed,
    Failed,
    FromChild,
    Generate,
    Load,
    Message,
    TooLong,
)

if TYPE_CHECKING:
    Send = Callable[[FromChild], None]

# Breaks a special token that somebody wrote into a text; it has no width and no meaning.
_BREAK = "\u200c"


class Refused(Exception):
    """The model cannot be served; says why in one line."""


class Service:
    """A loaded model and the answers that it writes.

    Args:
        load: which model, and how.
        send: takes what the parent shall know.

    Raises:
        Refused: the model, an adapter or the chat template cannot be used.
    """

    def __init__(self, load: Load, send: Send) -> None:
        self._send = send
        try:
            self._native = (PlainNative if load.plain else Native)(
                load.file,
                context=load.context,
                slots=load.slots,
                chunk=CHUNK,
                threads=load.threads,
                gpu_layers=load.gpu_layers,
            )
            # What this machine cannot compute ends the process now, and not with the first answer.
            self._native.read_all([0, 0])
            self._native.clear(0)
        except NativeError as error:
            raise Refused(str(error)) from error
        self._form = self._native.value(KEY)
        self._template = self._read_template(load.template)
        self._slots = Slots(load.slots, chunk=CHUNK)
        self._turns = Turns(self._native, send, self._slots, chunk=CHUNK, batches=load.batches)
        self._unproven: deque[Adapt] = deque()
        self._given_up: set[int] = set()
        if reason := self._problem(load.proof):
            raise Refused(reason)

    @property
    def context(self) -> int:
        """Tokens of one conversation."""
        return self._native.context

    @property
    def has_work(self) -> bool:
        """Whether an answer waits or is being written."""
        return bool(self._unproven) or self._turns.has_work

    def take(self, request: Generate | Adapt | Embed) -> None:
        """Do what the parent asks for, or say why it cannot be done."""
        if isinstance(request, Adapt):
            self._adapt(request)
        elif isinstance(request, Generate):
            self._begin(request)
        else:
            self._send(Failed(id=request.id, reason="was loaded to write, not to embed"))

    def _adapt(self, request: Adapt) -> None:
        try:
            self._native.load_adapter(request.adapter)
        except NativeError as error:
            self._send(Failed(id=request.id, reason=str(error)))
            return
        if request.proof:
            self._unproven.append(request)
        else:
            self._send(Adapted(request.id))

    def _prove(self, request: Adapt) -> None:
        """Ask the model with an adapter what that is proven by; answers go on behind it."""
        try:
            self._native.use_adapter(request.adapter)
            reason = self._problem(request.proof, form=request.form, computes=request.computes)
        except NativeError as error:
            reason = str(error)
        if reason:
            self._send(Failed(id=request.id, reason=f"{request.adapter.path}: {reason}"))
        else:
            self._send(Adapted(request.id))

    def _problem(self, text: str, *, form: str = "", computes: bool = True) -> str | None:
        """Return how the model differs from what a proof says."""
        proof = decoded(text) if text else None
        if proof is None:
            return None
        slot = self._slots.emptied()
        try:
            found = problem(
                self._native,
                self._template,
                proof,
                form=form or self._form,
                slot=slot.index,
                computes=computes,
            )
        except (Aborted, NativeError) as error:
            found = f"cannot be asked: {error}"
        self._native.clear(slot.index)
        return found and (
            f"is not what was trained: it {found}; use the file, its base and its chat template "
            "as they were exported, or export it anew"
        )

    def _begin(self, request: Generate) -> None:
        try:
            if request.adapter is not None:
                self._native.load_adapter(request.adapter)
            text = self._template.render(self._defused(request.messages))
            tokens = self._native.tokenize(normalized(text, request.form or self._form))
            rules = _grammar(request)
        except (BadSchema, BadTemplate, NativeError) as error:
            self._send(Failed(id=request.id, reason=str(error)))
            return
        if not tokens:
            reason = "the chat template leaves everything out; check `chat_template`"
            self._send(Failed(id=request.id, reason=reason))
            return
        limit = self.context - min(request.max_output_tokens, self.context // 2)
        if len(tokens) > limit:
            self._send(TooLong(id=request.id, tokens=len(tokens), limit=limit))
        else:
            self._turns.add(Answer(request=request, tokens=tokens, grammar=rules))

    def cancel(self, answer_id: int) -> None:
        """Stop an answer, or asking an adapter; may be called from another thread."""
        self._given_up.add(answer_id)
        self._turns.cancel(answer_id)

    def step(self) -> None:
        """Bring the answers one step on."""
        self._drop_given_up()
        if self._unproven and not self._slots.are_busy:
            self._prove(self._unproven.popleft())
        else:
            self._turns.step()

    def _drop_given_up(self) -> None:
        for request in [one for one in self._unproven if one.id in self._given_up]:
            self._unproven.remove(request)
            self._send(Failed(id=request.id, reason="was given up"))
        # Ids are not used again, and others are no longer looked at.
        self._given_up.clear()

    def _read_template(self, configured: str | None) -> Template:
        native = self._native
        source = native.template if configured is None else configured
        if source is None:
            raise Refused(
                "the file has no chat template, so it may be a bare base model; "
                "set chat_template to a file with one, or use an instruct model"
            )
        added = [text for text in native.added_texts() if text in source]
        self._special = [*native.steering_texts(), *added]
        unbreakable = [text for text in self._special if _BREAK in text]
        if unbreakable:
            raise Refused(
                f"it has a special token with a character that shows nothing: {unbreakable[0]!r}; "
                "nobody could tell it from text"
            )
        try:
            return Template(
                source, bos=native.bos_text(), eos=native.eos_text(), may_end_process=True
            )
        except BadTemplate as error:
            raise Refused(f"its chat template {error}") from error

    def _defused(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages, in which no text can pass for a special token of the template."""
        return [Message(one.role, self._without_special(one.content)) for one in messages]

    def _without_special(self, text: str) -> str:
        for special in self._special:
            while special in text:
                text = text.replace(special, f"{special[0]}{_BREAK}{special[1:]}")
        return text


def _grammar(request: Generate) -> str | None:
    if request.schema is not None:
        return schema_grammar(request.schema)
    if request.choices:
        return grammar.choices(request.choices)
    return None if request.highest is None else grammar.marks(request.highest)
