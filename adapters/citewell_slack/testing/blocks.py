"""Which blocks Slack takes. Source: https://docs.slack.dev/reference/block-kit."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from citewell_slack.testing.shapes import (
    Malformed,
    Rule,
    anything,
    boolean,
    listed,
    number,
    one_of,
    shaped,
    string,
    typed,
)
from citewell_slack.testing.wire import JsonObject, Refusal, objects

Surface: TypeAlias = Literal["message", "modal", "home"]

_ID = string(255)
_URL = string(3000)


def _text(most: int, *, kinds: Sequence[str] = ("mrkdwn", "plain_text")) -> Rule:
    return shaped(
        {"type": one_of(*kinds), "text": string(most)}, {"emoji": boolean, "verbatim": boolean}
    )


def _plain(most: int) -> Rule:
    return _text(most, kinds=("plain_text",))


_CONFIRM = shaped(
    {"title": _plain(100), "text": _text(300), "confirm": _plain(30), "deny": _plain(30)},
    {"style": one_of("primary", "danger")},
)
_OPTION = shaped({"text": _text(75), "value": string(150)}, {"description": _text(75), "url": _URL})
_ACTION: Mapping[str, Rule] = {"action_id": _ID, "confirm": _CONFIRM, "focus_on_load": boolean}
_LABEL: Mapping[str, Rule] = {"accessibility_label": string(75)}
_FEEDBACK = shaped({"text": _plain(75), "value": string(2000)}, _LABEL)
_PLACEHOLDER: Mapping[str, Rule] = {**_ACTION, "placeholder": _plain(150)}
_OPTIONS = listed(_OPTION, 100)


def _choice(*, most: int, has_many: bool) -> Rule:
    initial: Mapping[str, Rule] = {
        "initial_options" if has_many else "initial_option": _OPTIONS if has_many else _OPTION
    }
    more: Mapping[str, Rule] = {**_PLACEHOLDER, **initial, "max_selected_items": number}
    return shaped({"options": listed(_OPTION, most)}, more)


_BUTTON = shaped(
    {"text": _plain(75)},
    {
        **_ACTION,
        **_LABEL,
        "url": _URL,
        "value": string(2000),
        "style": one_of("primary", "danger"),
    },
)
_IMAGE_ELEMENT = shaped({"alt_text": string(2000)}, {"image_url": _URL, "slack_file": anything})
_SELECTS: Mapping[str, Rule] = {
    "static_select": _choice(most=100, has_many=False),
    "multi_static_select": _choice(most=100, has_many=True),
    "radio_buttons": _choice(most=10, has_many=False),
    "checkboxes": _choice(most=10, has_many=True),
    "overflow": shaped({"options": listed(_OPTION, 5)}, _ACTION),
    "users_select": shaped({}, {**_PLACEHOLDER, "initial_user": _ID}),
    "conversations_select": shaped(
        {}, {**_PLACEHOLDER, "initial_conversation": _ID, "response_url_enabled": boolean}
    ),
    "datepicker": shaped({}, {**_PLACEHOLDER, "initial_date": string(10)}),
}
_INPUTS: Mapping[str, Rule] = {
    **_SELECTS,
    "plain_text_input": shaped(
        {},
        {
            **_PLACEHOLDER,
            "initial_value": string(3000, least=0),
            "multiline": boolean,
            "min_length": number,
            "max_length": number,
            "dispatch_action_config": anything,
        },
    ),
}
_ACTIONS: Mapping[str, Rule] = {"button": _BUTTON, **_SELECTS}
_CONTEXT_ACTIONS: Mapping[str, Rule] = {
    "feedback_buttons": shaped(
        {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, {"action_id": _ID}
    ),
    "icon_button": shaped(
        {"icon": one_of("trash"), "text": _plain(75)},
        {**_ACTION, **_LABEL, "value": string(2000), "visible_to_user_ids": listed(_ID)},
    ),
}

_STYLE: Mapping[str, Rule] = {
    "style": shaped({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), boolean))
}
_INLINE = typed({
    "text": shaped({"text": string()}, _STYLE),
    "link": shaped({"url": string()}, {**_STYLE, "text": string(least=0), "unsafe": boolean}),
    "user": shaped({"user_id": _ID}, _STYLE),
    "usergroup": shaped({"usergroup_id": _ID}, _STYLE),
    "channel": shaped({"channel_id": _ID}, _STYLE),
    "broadcast": shaped({"range": one_of("here", "channel", "everyone")}, _STYLE),
    "emoji": shaped({"name": string()}, {**_STYLE, "unicode": string(), "skin_tone": number}),
    "date": shaped({"timestamp": number, "format": string()}, {"url": _URL, "fallback": string()}),
    "color": shaped({"value": string()}, _STYLE),
})
_INLINES = listed(_INLINE, least=0)
_SECTION_SHAPE = shaped({"elements": _INLINES})
_RICH: Mapping[str, Rule] = {
    "rich_text_section": _SECTION_SHAPE,
    "rich_text_preformatted": shaped(
        {"elements": _INLINES}, {"border": number, "language": string()}
    ),
    "rich_text_quote": shaped({"elements": _INLINES}, {"border": number}),
    "rich_text_list": shaped(
        {
            "style": one_of("bullet", "ordered"),
            "elements": listed(typed({"rich_text_section": _SECTION_SHAPE})),
        },
        {"indent": number, "offset": number, "border": number},
    ),
}
_BLOCK_ID: Mapping[str, Rule] = {"block_id": _ID}
_RICH_TEXT = shaped({"elements": listed(typed(_RICH))}, _BLOCK_ID)
_RICH_TEXT_VALUE = typed({"rich_text": _RICH_TEXT})
_SOURCE = typed({"url": shaped({"url": _URL, "text": string()}, {"icon_url": _URL})})
STATUSES = ("pending", "in_progress", "complete", "error")
_TASK_FIELDS: Mapping[str, Rule] = {
    "details": _RICH_TEXT_VALUE,
    "output": _RICH_TEXT_VALUE,
    "sources": listed(_SOURCE, least=0),
    "status": one_of(*STATUSES),
    **_BLOCK_ID,
}
_TASK = shaped({"task_id": string(), "title": string()}, _TASK_FIELDS)
_CELL = typed({
    "raw_text": shaped({"text": string()}),
    "rich_text": _RICH_TEXT,
})
_COLUMN = shaped({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})
_TABLE = shaped(
    {"rows": listed(listed(_CELL, 20), 100)},
    {"column_settings": listed(_COLUMN, 20, least=0), **_BLOCK_ID},
)
_SECTION = shaped(
    {},
    {
        **_BLOCK_ID,
        "text": _text(3000),
        "fields": listed(_text(2000), 10),
        "accessory": typed({**_ACTIONS, "image": _IMAGE_ELEMENT}),
        "expand": boolean,
    },
)

_EVERYWHERE: Mapping[str, Rule] = {
    "actions": shaped({"elements": listed(typed(_ACTIONS), 25)}, _BLOCK_ID),
    "context": shaped(
        {
            "elements": listed(
                typed({
                    "image": _IMAGE_ELEMENT,
                    "mrkdwn": _text(3000),
                    "plain_text": _text(3000),
                }),
                10,
            )
        },
        _BLOCK_ID,
    ),
    "divider": shaped({}, _BLOCK_ID),
    "header": shaped({"text": _plain(150)}, {**_BLOCK_ID, "level": number}),
    "image": shaped(
        {"alt_text": string(2000)},
        {**_BLOCK_ID, "image_url": _URL, "title": _plain(2000), "slack_file": anything},
    ),
    "input": shaped(
        {"label": _plain(2000), "element": typed(_INPUTS)},
        {**_BLOCK_ID, "hint": _plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": _RICH_TEXT,
    "section": _SECTION,
}
_IN_MESSAGES: Mapping[str, Rule] = {
    "context_actions": shaped({"elements": listed(typed(_CONTEXT_ACTIONS), 5)}, _BLOCK_ID),
    "markdown": shaped({"text": string(12_000)}, _BLOCK_ID),
    "plan": shaped({"title": string()}, {**_BLOCK_ID, "tasks": listed(_TASK, 50, least=0)}),
    "table": _TABLE,
    "task_card": _TASK,
}
_MOST: Mapping[Surface, int] = {"message": 50, "modal": 100, "home": 100}


def check_blocks(value: object, surface: Surface = "message") -> list[JsonObject]:
    """Return the blocks if Slack would take them there.

    Raises:
        Refusal: it would not.
    """
    kinds = {**_EVERYWHERE, **(_IN_MESSAGES if surface == "message" else {})}
    blocks = objects(value)
    try:
        listed(typed(kinds), _MOST[surface], least=0)(value, "/blocks")
        for index, block in enumerate(blocks):
            _check_more(block, f"/blocks/{index}")
        _check_ids(blocks)
    except Malformed as error:
        raise Refusal.of_arguments(str(error), error="invalid_blocks") from error
    # Slack says `invalid_attachments` here, for it turns tables into attachments.
    if sum(block["type"] == "table" for block in blocks) > 1:
        raise Refusal.of_arguments("only_one_table_allowed", error="invalid_attachments")
    return blocks


def _check_more(block: JsonObject, pointer: str) -> None:
    """Check what no field alone tells."""
    if block["type"] == "section" and not block.get("text") and not block.get("fields"):
        raise Malformed("missing required field: text", pointer)
    named = [one["action_id"] for one in elements(block) if one.get("action_id")]
    if len(named) != len(set(named)):
        raise Malformed("`action_id` is repeated", f"{pointer}/elements")
    if block["type"] == "image" and not (block.get("image_url") or block.get("slack_file")):
        raise Malformed("missing required field: image_url", pointer)


def _check_ids(blocks: Sequence[JsonObject]) -> None:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        id_ = block.get("block_id")
        if id_ and id_ in seen:
            raise Malformed("`block_id` is repeated", f"/blocks/{index}/block_id")
        seen.add(id_ or "")


def elements(block: JsonObject) -> list[JsonObject]:
    """Return what a person may press or fill in, in one block."""
    match block["type"]:
        case "actions" | "context_actions":
            return objects(block["elements"])
        case "section":
            return objects([block.get("accessory")])
        case "input":
            return objects([block["element"]])
    return []


def identified(blocks: Sequence[JsonObject]) -> list[JsonObject]:
    """Give each block and element the id that Slack makes up where the app gave none."""
    made: list[JsonObject] = []
    for block in blocks:
        # The log of calls must keep what the app sent.
        named = {"block_id": secrets.token_hex(3), **copy.deepcopy(block)}
        for element in elements(named):
            if element["type"] != "image":
                element.setdefault("action_id", secrets.token_hex(3))
        made.append(named)
    return made


def characters(value: object) -> Iterator[str]:
    """Yield every text that a person would read in blocks, in order; ids and values are none."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            if name in {"text", "title", "alt_text", "url"} and isinstance(one, str):
                yield one
            elif name not in {"type", "value", "action_id", "block_id", "style"}:
                yield from characters(one)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            yield from characters(one)
