"""The buttons under an answer: how they are shown, and what a press of one says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from citewell.blocks import Action

PREFIX: Final = "citewell_"
VOTES: Final = f"{PREFIX}votes"
_NAMES: Final = frozenset({"quotes", "helpful", "unhelpful", "person", "private", "share"})
_MOST_LABEL: Final = 75
_MOST_BUTTONS: Final = 25


def encoded(actions: Sequence[Action], *, has_person: bool) -> list[dict[str, Any]]:
    """Return rows of buttons; what has none is told as a hint."""
    by_name = {one.name: one for one in actions}
    votes = [by_name[name] for name in ("helpful", "unhelpful") if name in by_name]
    pair = votes if len(votes) == 2 else []
    shown = [
        one
        for one in actions
        if one.name in _NAMES and one not in pair and (has_person or one.name != "person")
    ]
    made: list[dict[str, Any]] = [
        {"type": "actions", "elements": [_button(one, at) for at, one in enumerate(row)]}
        for row in _rows(shown)
    ]
    if pair:
        made.append({"type": "context_actions", "elements": [_votes(*pair)]})
    made += [_hint(one) for one in actions if one.name == "why"]
    return made


def read(value: str) -> tuple[str, str] | None:
    """Return the name of the action that was pressed and the answer's id, or None."""
    name, _, answer_id = value.partition(":")
    return (name, answer_id) if name in _NAMES and answer_id else None


def _value(action: Action) -> str:
    return f"{action.name}:{action.answer_id}"


def _text(said: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": said[:_MOST_LABEL] or "-", "emoji": False}


def _button(action: Action, at: int) -> dict[str, Any]:
    return {
        "type": "button",
        "action_id": f"{PREFIX}{action.name}_{at}",
        "text": _text(action.label),
        "value": _value(action),
    }


def _votes(helpful: Action, unhelpful: Action) -> dict[str, Any]:
    return {
        "type": "feedback_buttons",
        "action_id": VOTES,
        "positive_button": {"text": _text(helpful.label), "value": _value(helpful)},
        "negative_button": {"text": _text(unhelpful.label), "value": _value(unhelpful)},
    }


def _hint(action: Action) -> dict[str, Any]:
    said = f"{action.label}: citewell why {action.answer_id}"
    return {
        "type": "context",
        "elements": [{"type": "plain_text", "text": said, "emoji": False}],
    }


def _rows(actions: Sequence[Action]) -> list[Sequence[Action]]:
    return [actions[at : at + _MOST_BUTTONS] for at in range(0, len(actions), _MOST_BUTTONS)]
