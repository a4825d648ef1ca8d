"""Whether an example can be trained on: who speaks when, nothing empty, nothing that hides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from citewell.tuning.data.controls import CONTROLS
from citewell.tuning.data.examples import Example, Kind, Message
from citewell.tuning.data.fields import Fault
from citewell.tuning.data.problems import Concern

_LOST = "\N{REPLACEMENT CHARACTER}"
# What ends or begins a turn in the templates of common models: in a text, it ends the turn there.
_TURNS = re.compile(
    r"<\|(?:im_start|im_end|endoftext|eot_id|begin_of_text|start_header_id|end_header_id|end"
    r"|user|assistant|system)\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>"
)


def faults(example: Example) -> Iterator[Fault]:
    """Yield what is wrong with an example."""
    yield from _order(example)
    for place, text in example.placed:
        if not text.strip():
            yield place, Concern.EMPTY, "is empty", "a text", "write one, or delete the example"
        yield from _hidden(place, text)
    if example.kind is Kind.PREFERENCE and example.chosen.split() == example.rejected.split():
        yield (
            "rejected",
            Concern.FIELD,
            "says what chosen says",
            "a worse answer",
            "delete the example",
        )


def _hidden(place: str, text: str) -> Iterator[Fault]:
    found = CONTROLS.search(text)
    if found is not None:
        yield (
            place,
            Concern.CONTROL,
            f"holds the control character U+{ord(found[0]):04X}",
            "text that people can see",
            "run citewell data clean, which takes it out",
        )
    if _LOST in text:
        yield (
            place,
            Concern.CONTROL,
            "holds U+FFFD, which stands for characters that were lost",
            "the text as it was",
            "convert the file it came from anew, with its own encoding",
        )
    turn = _TURNS.search(text)
    if turn is not None:
        yield (
            place,
            Concern.CONTROL,
            f"holds {turn[0]}, which ends a turn in templates of models",
            "what people say",
            "delete it",
        )


def _order(example: Example) -> Iterator[Fault]:
    if example.kind is Kind.TEXT:
        return
    is_chat = example.kind is Kind.CHAT
    name = "messages" if is_chat else "prompt"
    messages = example.messages
    if not messages:
        yield name, Concern.EMPTY, "is empty", "messages", "write some, or delete the example"
        return
    yield from _turns(name, messages)
    last = len(messages) - 1
    if is_chat and messages[last].role != "assistant":
        yield (
            f"{name}[{last}].role",
            Concern.ORDER,
            f"the last message is the {messages[last].role}'s",
            "an answer of the assistant at the end",
            "write one, or delete what is behind the last answer",
        )
    if not is_chat and messages[last].role != "user":
        yield (
            f"{name}[{last}].role",
            Concern.ORDER,
            f"what is answered ends with the {messages[last].role}",
            "a message of the user at the end",
            "delete what is behind it",
        )


def _turns(name: str, messages: tuple[Message, ...]) -> Iterator[Fault]:
    wanted = "user"
    for at, one in enumerate(messages):
        place = f"{name}[{at}].role"
        if one.role == "system":
            if at:
                fix = "move it to the beginning"
                yield place, Concern.ORDER, "system is not first", "it first, or none", fix
            continue
        if one.role != wanted:
            is_first = not any(before.role != "system" for before in messages[:at])
            said = "the assistant begins" if is_first else f"{one.role} follows {one.role}"
            fix = "begin with a question" if is_first else "join the two, or write what is missing"
            yield place, Concern.ORDER, said, "user and assistant in turn, the user first", fix
        wanted = "assistant" if one.role == "user" else "user"
