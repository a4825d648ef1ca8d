"""Modals, filled in as a person does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from citewell_discord.testing.bodies import Component, ComponentType, ModalBody
from citewell_discord.testing.errors import Payload
from citewell_discord.testing.messages import walk

_MOST_CHARS = 4000


class NotSendable(Exception):
    """Discord does not let a form be sent like this."""


def submission(modal: ModalBody, values: Mapping[str, str | Sequence[str]]) -> list[Payload]:
    """Return the components of a form as they are sent.

    Args:
        modal: the form.
        values: what was filled in, by `custom_id`; a text input is a text, a menu the values
            that were chosen.

    Raises:
        NotSendable: something is unknown, missing, too short or too long.
    """
    known = {one.custom_id for one in walk(modal.components) if one.custom_id}
    if not values.keys() <= known:
        strange = sorted(values.keys() - known)
        raise NotSendable(f"{strange}: the form has no such fields; it has {sorted(known)}")
    return [_sent(one, values) for one in modal.components]


def _sent(one: Component, values: Mapping[str, str | Sequence[str]]) -> Payload:
    payload: Payload = {"type": int(one.type), "id": one.id}
    if one.components:
        payload["components"] = [_sent(part, values) for part in one.components]
    elif one.component is not None:
        payload["component"] = _sent(one.component, values)
    elif one.custom_id is not None:
        payload["custom_id"] = one.custom_id
        payload |= _filled(one, values.get(one.custom_id))
    return payload


def _filled(one: Component, given: str | Sequence[str] | None) -> Payload:
    is_required = one.required is not False
    if one.type != ComponentType.TEXT_INPUT:
        chosen = [given] if isinstance(given, str) else list(given or ())
        least = one.min_values if one.min_values is not None else int(is_required)
        if is_required and len(chosen) < least:
            raise NotSendable(f"{one.custom_id}: {len(chosen)} chosen; expected at least {least}")
        return {"values": chosen}
    if given is not None and not isinstance(given, str):
        raise NotSendable(f"{one.custom_id}: {given!r}: expected a text")
    text = given if given is not None else (one.value or "")
    least, most = one.min_length or int(is_required), one.max_length or _MOST_CHARS
    if (text or is_required) and not least <= len(text) <= most:
        raise NotSendable(f"{one.custom_id}: {len(text)} characters; expected {least} to {most}")
    return {"value": text}
