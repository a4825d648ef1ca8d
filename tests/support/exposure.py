"""What ever came of texts that reached a stand-in: whom they name, what they link to or load.

Everything counts that was sent, also what was changed since, and what one person alone saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from citewell_discord.testing.rendering import rendered as rendered_of_discord
from citewell_slack.testing import rendered as rendered_of_slack


@dataclass
class Exposure:
    pings: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)
    previews: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Shown:
    blocks: list[Any]
    text: str


def exposed(chat: Any) -> Exposure:
    """Return what came of all that was sent to the stand-in of Slack or of Discord."""
    found = Exposure()
    looked = _slack if hasattr(chat.double, "workspace") else _discord
    looked(chat.double, found)
    return found


def _slack(double: Any, found: Exposure) -> None:
    space = double.workspace
    shown = [one for one in space.messages.all() if one.user == double.bot_user_id]
    shown += [*space.ephemerals, *space.surfaces.modals, *space.surfaces.homes.values()]
    for call in double.calls():
        shown += [*_sent(call.arguments)]
        if call.method == "chat.postMessage" and call.arguments.get("unfurl_links") is not False:
            found.previews.add(str(call.arguments))
    for one in shown:
        # A notification has the text alone.
        for part in (one, _Shown([], one.text)):
            seen = rendered_of_slack(part)
            found.pings |= {f"{ping.kind}:{ping.id}" for ping in seen.mentions}
            found.links |= {link.url for link in seen.links}
            found.images |= {*seen.images}


def _sent(arguments: Mapping[str, Any]) -> Iterator[_Shown]:
    """Yield what a call shows, and each piece of a stream."""
    view = arguments.get("view")
    held = view if isinstance(view, Mapping) else arguments
    yield _Shown([*(held.get("blocks") or ())], str(held.get("text") or ""))
    for chunk in arguments.get("chunks") or ():
        if chunk["type"] == "blocks":
            yield _Shown([*chunk["blocks"]], "")
        elif chunk["type"] == "markdown_text":
            yield _Shown([{"type": "markdown", "text": chunk["text"]}], "")


def _discord(double: Any, found: Exposure) -> None:
    for channel in double.world.channels.values():
        for message in channel.messages.values():
            if message.author is not double.world.bot:
                continue
            for revision in range(len(message.revisions)):
                seen = rendered_of_discord(message, revision=revision)
                found.pings |= {*seen.pings, *seen.mentions}
                found.links |= {link.url for link in seen.links}
                found.images |= {*seen.images}
                found.previews |= {*seen.previews}
