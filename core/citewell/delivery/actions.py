"""What readers may do next with an answer in a chat service: its buttons."""

from __future__ import annotations

from citewell.blocks import Action, Actions
from citewell.types.answers import Answer, Outcome
from citewell.types.chat import Address
from citewell.types.questions import Audience

_LABELS = {
    "quotes": "Show the quotes",
    "helpful": "Helpful",
    "unhelpful": "Not helpful",
    "person": "Ask a person",
    "private": "Answer me privately",
    "share": "Share with the channel",
}


def chat_actions(
    answer: Answer,
    *,
    address: Address,
    hands_off: bool,
    reads_more: bool,
    stopped: bool = False,
    kept: bool = True,
) -> Actions | None:
    """Return the row of actions below an answer, or None where there is nothing to do.

    Args:
        answer: the last that is shown of it.
        address: where it is shown.
        hands_off: there are people who can be asked instead.
        reads_more: the asker may read what others there may not.
        stopped: it is not complete, and will not be.
        kept: its question is kept, so that it can be asked again, or handed to somebody.
    """
    is_whole = not stopped and answer.outcome is not Outcome.FAILED
    is_answer = is_whole and answer.outcome is not Outcome.REFUSED
    is_public = address.only_for is None
    offered = {
        "quotes": is_answer and bool(answer.citations),
        "helpful": is_whole,
        "unhelpful": is_whole,
        "person": kept and hands_off,
        # What the channel may not read is refused there, so a refusal offers it too.
        "private": kept and is_whole and is_public and reads_more,
        "share": kept and is_answer and not is_public and address.data.get("direct") != "1",
    }
    names = [name for name, is_offered in offered.items() if is_offered]
    actions = tuple(Action(name, _LABELS[name], answer.id) for name in names)
    return Actions(actions) if actions else None


def reads_more(own: Audience, shared: Audience) -> bool:
    """Tell whether the only reader of `own` may read what is hidden from some of `shared`."""
    return any(mine - theirs for mine in own.readers for theirs in shared.readers)
