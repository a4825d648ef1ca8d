"""What a person fills into a modal."""

from __future__ import annotations

from collections.abc import Mapping

from citewell_slack.testing.surfaces import View
from citewell_slack.testing.wire import JsonObject, objects


def filled(view: View, values: Mapping[str, str]) -> JsonObject:
    """Return the state of a form, by block and action.

    Args:
        view: the form.
        values: text or the value of an option, by action id; what is missing stays as it was.

    Raises:
        ValueError: Slack would not let the person submit this.
    """
    inputs = [one for one in view.blocks if one["type"] == "input"]
    unknown = values.keys() - {one["element"]["action_id"] for one in inputs}
    if unknown:
        raise ValueError(f"no such input: {', '.join(sorted(unknown))}")
    state: JsonObject = {}
    for block in inputs:
        element = block["element"]
        value = _value(element, values.get(element["action_id"]))
        if value is None and not block.get("optional"):
            raise ValueError(f'"{block["label"]["text"]}" must be filled in')
        state[block["block_id"]] = {element["action_id"]: _state(element, value)}
    return state


def _value(element: JsonObject, given: str | None) -> str | None:
    """Return what is in an element; text as it was given, an option by its value."""
    if element["type"] != "plain_text_input":
        initial = element.get("initial_option")
        return given if given is not None else initial and initial["value"]
    text = given if given is not None else element.get("initial_value")
    if text and len(text) > element.get("max_length", 3000):
        raise ValueError(f"at most {element.get('max_length', 3000)} characters can be typed")
    return text or None


def _state(element: JsonObject, value: str | None) -> JsonObject:
    if element["type"] == "plain_text_input":
        return {"type": element["type"], "value": value}
    chosen = [one for one in objects(element.get("options")) if one["value"] == value]
    if value is not None and not chosen:
        raise ValueError(f"no such option: {value}")
    if element["type"] in {"checkboxes", "multi_static_select"}:
        return {"type": element["type"], "selected_options": chosen}
    return {"type": element["type"], "selected_option": chosen[0] if chosen else None}
