"""What people do and see at a stand-in for a chat service."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

ABILITIES: Final = frozenset({
    "threads",
    "direct",
    "edits",
    "deletes",
    "private",
    "buttons",
    "forms",
    "command",
    "ask-about",
    "home",
    "files",
    "groups",
})
"""What a chat service may know. `private`: what only one person sees; `edits` and `deletes`:
of questions; `home`: a page of the bot's own; `groups`: of people, that may read more."""


class Said(Struct, frozen=True, kw_only=True):
    """What somebody wrote, or how else they asked.

    Attributes:
        id: as the service names it.
        channel: where it stands, also for a direct conversation.
        thread: in which its answer is looked for; empty where that is the channel itself.
    """

    id: str
    person: str
    channel: str
    thread: str = ""


class Button(Struct, frozen=True, kw_only=True):
    """Something to press.

    Attributes:
        name: of the action, as in `citewell.blocks.Action`.
        handle: with which the stand-in finds it.
    """

    name: str
    label: str
    handle: str


class Seen(Struct, frozen=True, kw_only=True):
    """A message of the bot, as somebody sees it.

    Attributes:
        text: what stands there, also what platforms set apart, like sources.
        only_for: the one person who sees it.
        links: every address that can be opened.
        pings: whoever is notified by it.
        images: addresses of images that are loaded.
        previews: addresses whose content is previewed.
        changes: how often it was changed.
        is_growing: it is shown as unfinished.
    """

    id: str
    channel: str
    thread: str
    text: str
    only_for: str | None = None
    buttons: tuple[Button, ...] = ()
    links: tuple[str, ...] = ()
    pings: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    previews: tuple[str, ...] = ()
    changes: int = 0
    is_growing: bool = False

    def button(self, name: str) -> Button | None:
        """Return the button of an action, or None."""
        return next((one for one in self.buttons if one.name == name), None)
