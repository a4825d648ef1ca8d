"""Which messages Discord takes, and what becomes of a body that it takes.

Source: discord.com/developers/docs/resources/message, "Create Message" and "Embed Limits".
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from citewell_discord.testing.bodies import AllowedMentions, Embed, MessageBody
from citewell_discord.testing.component_rules import check_components, check_url, numbered
from citewell_discord.testing.errors import Flaws, empty_message
from citewell_discord.testing.messages import Attachment, Draft, MessageFlags

MAX_CONTENT_CHARS = 2000
MAX_EMBEDS = 10
MAX_EMBEDS_CHARS = 6000
MAX_FILES = 10
MAX_NONCE_CHARS = 25

SETTABLE = (
    MessageFlags.SUPPRESS_EMBEDS | MessageFlags.SUPPRESS_NOTIFICATIONS | MessageFlags.COMPONENTS_V2
)
"""The flags that a client may set; with an interaction also EPHEMERAL."""

NOTHING = Draft()
"""What a new message shows before its body is applied."""

_KEPT = MessageFlags.COMPONENTS_V2 | MessageFlags.EPHEMERAL | MessageFlags.HAS_THREAD
_PARSED = frozenset({"users", "roles", "everyone"})


def drafted(
    body: MessageBody,
    *,
    before: Draft = NOTHING,
    attachments: Sequence[Attachment] = (),
    settable: MessageFlags = SETTABLE,
    under: Sequence[str] = (),
) -> Draft:
    """Return what a message shows once `body` is applied.

    Args:
        body: as it was sent.
        before: what it showed; for a new message, nothing.
        attachments: all the files that it has from now on.
        settable: which flags `body` may set.
        under: the fields that `body` itself lies in, for the words of a refusal.

    Raises:
        Refusal: Discord would not take it.
    """
    draft = Draft(
        content=before.content if body.content is UNSET else (body.content or "").strip(),
        embeds=before.embeds if body.embeds is UNSET else _shown(body.embeds or ()),
        components=before.components if body.components is UNSET else (body.components or ()),
        attachments=attachments,
        flags=_flags(body, before.flags, settable),
        allowed_mentions=body.allowed_mentions,
    )
    flaws = Flaws()
    _check_nonce(body, flaws)
    _check_mentions(body.allowed_mentions, flaws)
    flaws.length(("attachments",), draft.attachments, least=0, most=MAX_FILES)
    if draft.is_v2:
        _check_legacy(draft, flaws)
    else:
        _check_content(body, flaws)
        check_embeds(draft.embeds, flaws)
    check_components(draft.components, flaws, is_v2=draft.is_v2)
    flaws.refuse(under=under)
    if draft.is_empty:
        raise empty_message()
    numbered(draft.components)
    return draft


def check_embeds(embeds: Sequence[Embed], flaws: Flaws) -> None:
    """Note what Discord does not take of a message's cards."""
    flaws.length(("embeds",), embeds, least=0, most=MAX_EMBEDS)
    for number, embed in enumerate(embeds):
        _check_embed(("embeds", number), embed, flaws)
    if sum(len(text) for embed in embeds for text in embed_texts(embed)) > MAX_EMBEDS_CHARS:
        message = f"Embed size exceeds maximum size of {MAX_EMBEDS_CHARS}"
        flaws.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", message)


def embed_texts(embed: Embed) -> list[str]:
    """Return the texts of a card, in the order in which they are shown."""
    texts = [embed.author.name if embed.author else "", embed.title or "", embed.description or ""]
    for field in embed.fields:
        texts += [field.name, field.value]
    texts.append(embed.footer.text if embed.footer else "")
    return [text for text in texts if text]


def _shown(embeds: Sequence[Embed]) -> Sequence[Embed]:
    for embed in embeds:
        embed.type = "rich"
    return embeds


def _flags(body: MessageBody, before: MessageFlags, settable: MessageFlags) -> MessageFlags:
    """Apply what was sent; what makes a message V2 or ephemeral can never be taken back."""
    kept = before & _KEPT
    if body.flags is UNSET or body.flags is None:
        return kept | (before & settable)
    return kept | (MessageFlags(body.flags) & settable)


def _check_nonce(body: MessageBody, flaws: Flaws) -> None:
    if isinstance(body.nonce, str):
        flaws.length(("nonce",), body.nonce, least=0, most=MAX_NONCE_CHARS)


def _check_mentions(allowed: AllowedMentions | None, flaws: Flaws) -> None:
    if allowed is None:
        return
    for number, kind in enumerate(allowed.parse):
        if kind not in _PARSED:
            message = "Value must be one of ('users', 'roles', 'everyone')."
            flaws.add(("allowed_mentions", "parse", number), "BASE_TYPE_CHOICES", message)
    for kind, ids in (("users", allowed.users), ("roles", allowed.roles)):
        flaws.length(("allowed_mentions", kind), ids, least=0, most=100)
        if ids and kind in allowed.parse:
            message = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            flaws.add(("allowed_mentions",), "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)


def _check_content(body: MessageBody, flaws: Flaws) -> None:
    if isinstance(body.content, str):
        flaws.length(("content",), body.content, least=0, most=MAX_CONTENT_CHARS)


def _check_legacy(draft: Draft, flaws: Flaws) -> None:
    """Note text outside of the components, of a message whose components carry its text."""
    for name, is_used in (("content", bool(draft.content)), ("embeds", bool(draft.embeds))):
        if is_used:
            message = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            flaws.add((name,), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", message)


def _check_embed(path: tuple[str | int, ...], embed: Embed, flaws: Flaws) -> None:
    flaws.length((*path, "title"), embed.title, least=0, most=256)
    flaws.length((*path, "description"), embed.description, least=0, most=4096)
    check_url((*path, "url"), embed.url, flaws)
    flaws.length((*path, "fields"), embed.fields, least=0, most=25)
    for number, field in enumerate(embed.fields):
        flaws.length((*path, "fields", number, "name"), field.name, least=1, most=256)
        flaws.length((*path, "fields", number, "value"), field.value, least=1, most=1024)
    if embed.footer is not None:
        flaws.length((*path, "footer", "text"), embed.footer.text, least=0, most=2048)
    if embed.author is not None:
        flaws.length((*path, "author", "name"), embed.author.name, least=0, most=256)
        check_url((*path, "author", "url"), embed.author.url, flaws)
    pictures = {"image": embed.image, "thumbnail": embed.thumbnail}
    for name, picture in pictures.items():
        if picture is not None:
            schemes = ("http", "https", "attachment")
            check_url((*path, name, "url"), picture.url, flaws, schemes=schemes)
