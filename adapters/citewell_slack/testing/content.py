"""What an app may say in one message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from citewell_slack.testing.blocks import check_blocks, identified
from citewell_slack.testing.limits import Limits
from citewell_slack.testing.messages import Content
from citewell_slack.testing.wire import JsonObject, Refusal, flag


def read_content(arguments: Mapping[str, Any], limits: Limits) -> Content:
    """Return what a message is to say.

    Raises:
        Refusal: it says nothing, or more than Slack takes.
    """
    text, markdown = _texts(arguments, limits)
    blocks = identified(check_blocks(arguments.get("blocks") or []))
    if markdown:
        blocks = [{"type": "markdown", "text": markdown}]
    if not (text or blocks or arguments.get("attachments")):
        raise Refusal("no_text")
    limits.check_blocks(blocks)
    metadata = check_metadata(arguments.get("metadata"))
    unfurls = {flag(arguments.get(name)) for name in ("unfurl_links", "unfurl_media")}
    return Content(
        text=(markdown or text)[: limits.text],
        blocks=blocks,
        metadata=metadata,
        unfurls=None if None in unfurls else True in unfurls,
    )


def check_metadata(value: object) -> JsonObject | None:
    """Return the metadata of a message.

    Raises:
        Refusal: it is not what Slack takes.
    """
    if value is None:
        return None
    has_type = isinstance(value, Mapping) and isinstance(value.get("event_type"), str)
    if not has_type or not isinstance(value, Mapping):
        raise Refusal("invalid_metadata_format")
    if not isinstance(value.get("event_payload"), Mapping):
        raise Refusal("invalid_metadata_format")
    return {**value}


def _texts(arguments: Mapping[str, Any], limits: Limits) -> tuple[str, str]:
    """Return text and Markdown, of which one is empty."""
    text = str(arguments.get("text") or "")
    markdown = str(arguments.get("markdown_text") or "")
    if markdown and (text or arguments.get("blocks")):
        raise Refusal("markdown_text_conflict")
    if len(markdown) > limits.markdown:
        raise Refusal("msg_too_long")
    return text, markdown
