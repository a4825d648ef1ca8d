"""How much Slack takes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from citewell_slack.testing.blocks import characters
from citewell_slack.testing.wire import JsonObject, Refusal


@dataclass
class Limits:
    """Slack's limits, in characters and seconds; tests may set others.

    Attributes:
        text: of a message; what is longer is cut off.
        updated_text: of chat.update, which refuses what is longer.
        markdown: of one `markdown_text`, and of all markdown blocks of a message.
        blocks: of all blocks of a message together.
        table: of all cells of a table.
        stream: of a streamed message, its task cards counted in.
        stream_s: from the start of a stream to its end by Slack.
        stream_idle_s: likewise, from what was appended last.
        trigger_s: how long a trigger is good for.
        response_s: how long a response URL is good for.
        response_uses: how often.
    """

    text: int = 40_000
    updated_text: int = 4_000
    markdown: int = 12_000
    # https://github.com/slackapi/bolt-js/issues/2509
    blocks: int = 13_200
    table: int = 10_000
    # Slack documents neither: users report `msg_too_long` at 3,000 characters and 24 task cards,
    # and `message_not_in_streaming_state` after 30 idle seconds, or after five minutes anyway.
    # https://github.com/slackapi/python-slack-sdk/issues/1859
    stream: int = 12_000
    stream_s: float = 300.0
    stream_idle_s: float = 30.0
    trigger_s: float = 3.0
    response_s: float = 1800.0
    response_uses: int = 5

    def check_blocks(self, blocks: Sequence[JsonObject]) -> None:
        """Check all blocks of a message together.

        Raises:
            Refusal: they are too long.
        """
        markdown = sum(len(one["text"]) for one in blocks if one["type"] == "markdown")
        tables = [one for one in blocks if one["type"] == "table"]
        if any(_chars(table) > self.table for table in tables):
            raise Refusal.of_arguments("[ERROR] table is too long", error="invalid_blocks")
        if markdown > self.markdown or _chars(blocks) > self.blocks:
            raise Refusal("msg_blocks_too_long")


def _chars(value: object) -> int:
    return sum(len(text) for text in characters(value))
