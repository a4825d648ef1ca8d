"""What a person sees of a message, and whom it rings.

Errs towards danger where Discord's own parser is not documented: a mark that might ring or a link
that might be previewed counts as one that does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from citewell_discord.testing.bodies import (
    AllowedMentions,
    ButtonStyle,
    Component,
    ComponentType,
    Embed,
)
from citewell_discord.testing.message_rules import embed_texts
from citewell_discord.testing.messages import Draft, Message, MessageFlags, walk

EVERYONE = "@everyone"
HERE = "@here"

# A backtick after a backslash begins no code, so that what follows it still rings.
_CODE = re.compile(r"(?<!\\)(?:```.+?```|(`{1,2})(?!`).+?(?<!`)\1(?!`))", re.DOTALL)
_MENTION = re.compile(r"<(@!?|@&|#)(\d{1,20})>|(@everyone|@here)")
_LABELLED = re.compile(
    r"\[(?P<label>(?:[^\[\]]|\[[^\[\]]*\])+)\]"
    r"\(\s*(?:<(?P<quiet>[^<>\s]+)>|(?P<loud>\w[\w+.-]*:(?:[^()\s<>]|\([^()\s<>]*\))+))"
    r"(?:\s[^)]*)?\)"
)
# A link ends before the punctuation of its sentence.
_BARE = re.compile(
    r"(?P<quiet><?)(?P<url>(?:https?|discord)://[^\s<>]+[^\s<>.,:;\"'\]])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Link:
    """Something that opens an address when pressed.

    Attributes:
        label: what is seen; the address itself where nothing else is.
        is_previewed: whether Discord fetches the address to show what is there.
    """

    label: str
    url: str
    is_previewed: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """A button that can be pressed; one with an address is also among the links."""

    label: str
    custom_id: str | None
    url: str | None
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as a person meets it.

    Attributes:
        text: every text of it, from top to bottom, one a line.
        texts: the same, apart.
        links: every address that pressing something would open.
        images: every address that is fetched to be shown.
        buttons: from top to bottom.
        mentions: each user, role, channel, "@everyone" or "@here" that is named as one.
        pings: which of them ring.
    """

    texts: Sequence[str]
    links: Sequence[Link]
    images: Sequence[str]
    buttons: Sequence[Button]
    mentions: Sequence[str]
    pings: Sequence[str]

    @property
    def text(self) -> str:
        """All of the text."""
        return "\n".join(self.texts)

    @property
    def previews(self) -> Sequence[str]:
        """The addresses that Discord fetches to show what is there."""
        return [link.url for link in self.links if link.is_previewed]


def rendered(message: Message, *, revision: int = -1) -> Rendered:
    """Return what a person sees of `message`, by default of how it is now."""
    draft = message.revisions[revision].draft
    parts = _Parts()
    parts.add_text(draft.content, previewed=not draft.flags & MessageFlags.SUPPRESS_EMBEDS)
    ringing = _CODE.sub(" ", draft.content)
    for embed in draft.embeds:
        parts.add_embed(embed)
    for component in walk(draft.components):
        parts.add_component(component)
        if component.type == ComponentType.TEXT_DISPLAY:
            ringing += "\n" + _CODE.sub(" ", component.content or "")
    return Rendered(
        texts=parts.texts,
        links=parts.links,
        images=parts.images,
        buttons=parts.buttons,
        mentions=_mentions(parts.texts),
        pings=_pings(message, draft, _named(ringing)),
    )


@dataclass(slots=True)
class _Parts:
    """Collects what is seen."""

    texts: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)

    def add_text(self, text: str | None, *, previewed: bool = False) -> None:
        if text:
            self.texts.append(text)
            self.links += links_in(text, previewed=previewed)

    def add_link(self, label: str | None, url: str | None) -> None:
        if url:
            self.links.append(Link(label or url, url))

    def add_embed(self, embed: Embed) -> None:
        for text in embed_texts(embed):
            self.add_text(text)
        self.add_link(embed.title, embed.url)
        if embed.author is not None:
            self.add_link(embed.author.name, embed.author.url)
        icons = [part.icon_url for part in (embed.author, embed.footer) if part is not None]
        pictures = [part.url for part in (embed.image, embed.thumbnail) if part is not None]
        self.images += [url for url in [*icons, *pictures] if url]

    def add_component(self, one: Component) -> None:
        self.add_text(one.content)
        if one.type == ComponentType.BUTTON:
            self._add_button(one)
        elif one.type != ComponentType.TEXT_DISPLAY:
            shown = [one.label, one.description, one.placeholder]
            shown += [text for item in one.options or () for text in (item.label, item.description)]
            shown += [item.description for item in one.items or ()]
            self.texts += [text for text in shown if text]
        media = [one.media, one.file, *(item.media for item in one.items or ())]
        self.images += [each.url for each in media if each is not None]

    def _add_button(self, one: Component) -> None:
        label = one.label or (one.emoji.name if one.emoji else None) or ""
        self.texts.append(label)
        self.buttons.append(Button(label, one.custom_id, one.url, one.disabled))
        if one.style == ButtonStyle.LINK:
            self.add_link(label, one.url)


def links_in(text: str, *, previewed: bool = False) -> list[Link]:
    """Return the addresses in a text that pressing it would open.

    Args:
        text: as it was sent.
        previewed: whether the message shows previews at all.
    """
    rest = _CODE.sub(" ", text)
    found = []
    for match in _LABELLED.finditer(rest):
        loud = match["loud"]
        url = loud or match["quiet"]
        found.append(Link(match["label"], url, is_previewed=previewed and loud is not None))
    for match in _BARE.finditer(_LABELLED.sub(r"\g<label>", rest)):
        url = _balanced(match["url"])
        found.append(Link(url, url, is_previewed=previewed and not match["quiet"]))
    return found


def _balanced(url: str) -> str:
    """Leave out the brackets at the end that close one opened before the address."""
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1]
    return url


def _named(text: str) -> list[str]:
    return [match[0].replace("@!", "@") for match in _MENTION.finditer(text)]


def _mentions(texts: Iterable[str]) -> list[str]:
    return [one for text in texts for one in _named(_CODE.sub(" ", text))]


def _pings(message: Message, draft: Draft, named: Iterable[str]) -> list[str]:
    allowed = draft.allowed_mentions
    pings = [one for one in dict.fromkeys(named) if _rings(one, allowed)]
    answered = None if message.reference is None else message.reference.author
    rings_asker = answered is not message.author and (allowed is None or allowed.replied_user)
    if answered is not None and rings_asker and answered.mention not in pings:
        pings.append(answered.mention)
    return pings


def _rings(mark: str, allowed: AllowedMentions | None) -> bool:
    if mark.startswith("<#"):
        return False
    if mark in {EVERYONE, HERE}:
        return allowed is None or "everyone" in allowed.parse
    id_ = mark.strip("<@&>")
    if not mark.startswith("<@&"):
        return allowed is None or "users" in allowed.parse or id_ in map(str, allowed.users)
    return allowed is None or "roles" in allowed.parse or id_ in map(str, allowed.roles)
