"""What people ask of the bot directly: commands, menus, buttons and forms."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import discord
from msgspec.structs import replace

from citewell import CitewellError, DeliveryError, JournalError
from citewell.chat import Address, Asked, Attachment, Event, Host, Venue, Voted
from citewell_discord.addresses import TOKEN_LIFE_S, private, shared, to_person
from citewell_discord.calls import Calls
from citewell_discord.encoding import said
from citewell_discord.handing import HandsOff
from citewell_discord.incoming import files_of, words_of
from citewell_discord.places import Doorkeeper, Spot, roles_of, venue_of
from citewell_discord.quoting import quote_pages
from citewell_discord.solving import Solving

Interaction: TypeAlias = "discord.Interaction[discord.Client]"

REASON: Final = "cw:reason:"
FIELD: Final = "reason"
_THANKS: Final = "Thank you."
_NOT_HERE: Final = "I do not answer here."
_NOTHING: Final = "There is nothing to ask in this message."
_NOT_KEPT: Final = "This could not be taken in just now. Please try again."
_WENT_WRONG: Final = "Something went wrong. Please try again."
_NOT_SHOWN: Final = "The quotes cannot be shown just now. Please try again."
_NOBODY: Final = "Nobody is named here who could be asked."
_SHARED: Final = "It is answered here for everyone."
_SHARED_BEFORE: Final = "You shared this before."
_MAY_NOT_POST: Final = "I may not write here, so this cannot be shared."
_ASKED_BEFORE: Final = "You asked for this just now; the answer is above, or on its way."
_TRIES: Final = 3
_BETWEEN_TRIES_S: Final = 0.4
_MAX_REASON: Final = 1000

log = logging.getLogger(__name__)


class Interacting:
    """Takes in what people do, and answers what need not be kept.

    Args:
        calls: of the API.
        host: takes events in.
        doorkeeper: decides where and whom to answer.
        hands_off: tells people of a question.
        solving: marks posts of forums.
    """

    def __init__(
        self,
        calls: Calls,
        host: Host,
        doorkeeper: Doorkeeper,
        *,
        hands_off: HandsOff,
        solving: Solving,
    ) -> None:
        self._calls = calls
        self._host = host
        self._doorkeeper = doorkeeper
        self._hands_off = hands_off
        self._solving = solving
        self._platform = hands_off.platform

    async def ask(
        self, interaction: Interaction, question: str, files: tuple[Attachment, ...] = ()
    ) -> None:
        """Take a question in that is answered to who asked alone."""
        venue = await self._admitted(interaction)
        if venue is None:
            return
        text = question.strip()
        if not text and not files:
            await tell(interaction, _NOTHING)
            return
        asked = self._asked(interaction, venue, text=text)
        await self._ask(interaction, replace(asked, attachments=files))

    async def ask_about(self, interaction: Interaction, message: discord.Message) -> None:
        """Take what a message says in as a question of who chose it."""
        await self.ask(interaction, words_of(message), files_of(message))

    async def press(self, interaction: Interaction, action: str, answer_id: str) -> None:
        """Do what a button says."""
        venue = await self._admitted(interaction)
        if venue is None:
            return
        if action == "quotes":
            await self._show_quotes(interaction, venue, answer_id)
        elif action in {"helpful", "unhelpful"}:
            await self._vote(interaction, venue, answer_id, helpful=action == "helpful")
        elif action == "private":
            await self._ask_again(interaction, venue, answer_id)
        elif action == "share":
            await self._share(interaction, venue, answer_id)
        elif action == "person":
            await self._ask_person(interaction, answer_id)

    async def submitted(self, interaction: Interaction) -> None:
        """Take a form in, whoever of our processes has shown it."""
        data: Mapping[str, object] = {**(interaction.data or {})}
        name = str(data.get("custom_id", ""))
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        if not name.startswith(REASON):
            return
        venue = self._venue(interaction)
        vote = self._voted(interaction, venue, name.removeprefix(REASON), helpful=False)
        reason = _value(data.get("components"))
        if await self._accept(interaction, replace(vote, reason=reason)) is not None:
            await tell(interaction, _THANKS)

    # --- taking in -------------------------------------------------------------------------

    async def _admitted(self, interaction: Interaction) -> Venue | None:
        """Return where it happened; None where nothing is answered, which is said."""
        venue = self._venue(interaction)
        user = interaction.user
        spot = Spot(venue=venue, roles=roles_of(user))
        try:
            if await self._doorkeeper.admits(spot, str(user.id), self._host.config):
                return venue
        except DeliveryError as error:
            log.warning("interaction %d: %s", interaction.id, error)
        await tell(interaction, _NOT_HERE)
        return None

    def _venue(self, interaction: Interaction) -> Venue:
        channel: object = interaction.channel
        if isinstance(
            channel, discord.abc.GuildChannel | discord.abc.PrivateChannel | discord.Thread
        ):
            return venue_of(self._platform, channel)
        team = "" if interaction.guild_id is None else str(interaction.guild_id)
        return Venue(platform=self._platform, team=team, channel=str(interaction.channel_id))

    def _asked(
        self, interaction: Interaction, venue: Venue, *, text: str = "", again: str = ""
    ) -> Asked:
        user = str(interaction.user.id)
        address = to_person(
            venue,
            user,
            interaction=str(interaction.id),
            token=interaction.token,
            application=str(interaction.application_id),
        )
        return Asked(
            key=str(interaction.id),
            venue=private(venue, user),
            user=user,
            at=interaction.created_at.timestamp(),
            text=text,
            address=address,
            again=again,
        )

    async def _ask(self, interaction: Interaction, asked: Asked) -> None:
        if await self._accept(interaction, asked) is not None:
            # Only now: what was acknowledged has to be answered, even after a crash.
            await _think(interaction)

    async def _ask_again(self, interaction: Interaction, venue: Venue, answer_id: str) -> None:
        """Take in that somebody wants an answer of their own; once for as long as it can change."""
        asked = self._asked(interaction, venue, again=answer_id)
        period = int(asked.at // TOKEN_LIFE_S)
        key = f"private-{answer_id}-{asked.user}-{period}"
        is_new = await self._accept(interaction, replace(asked, key=key))
        if is_new:
            await _think(interaction)
        elif is_new is not None:
            await tell(interaction, _ASKED_BEFORE)

    async def _accept(self, interaction: Interaction, event: Event) -> bool | None:
        """Keep an event, and tell whether it is new; where that is not possible, say so: None."""
        for trial in range(_TRIES):
            try:
                return await self._host.accept(event)
            except JournalError as error:
                log.warning("interaction %d, try %d: %s", interaction.id, trial + 1, error)
                if trial + 1 < _TRIES:
                    await asyncio.sleep(_BETWEEN_TRIES_S)
        await tell(interaction, _NOT_KEPT)
        return None

    # --- buttons ---------------------------------------------------------------------------

    async def _vote(
        self, interaction: Interaction, venue: Venue, answer_id: str, *, helpful: bool
    ) -> None:
        vote = self._voted(interaction, venue, answer_id, helpful=helpful)
        if await self._accept(interaction, vote) is None:
            return
        if not helpful:
            await _show_form(interaction, answer_id)
            return
        await tell(interaction, _THANKS)
        await self._solving.note(interaction)

    def _voted(
        self, interaction: Interaction, venue: Venue, answer_id: str, *, helpful: bool
    ) -> Voted:
        return Voted(
            key=str(interaction.id),
            venue=venue,
            user=str(interaction.user.id),
            at=interaction.created_at.timestamp(),
            answer_id=answer_id,
            helpful=helpful,
        )

    async def _share(self, interaction: Interaction, venue: Venue, answer_id: str) -> None:
        if not _may_post(interaction):
            await tell(interaction, _MAY_NOT_POST)
            return
        asked = Asked(
            key=f"share-{answer_id}-{interaction.user.id}",
            venue=shared(venue, str(interaction.id)),
            user=str(interaction.user.id),
            at=interaction.created_at.timestamp(),
            text="",
            address=Address(
                venue=venue,
                data={"interaction": str(interaction.id), "user": str(interaction.user.id)},
            ),
            again=answer_id,
        )
        is_new = await self._accept(interaction, asked)
        if is_new is not None:
            await tell(interaction, _SHARED if is_new else _SHARED_BEFORE)

    async def _show_quotes(self, interaction: Interaction, venue: Venue, answer_id: str) -> None:
        await _think(interaction)
        address = Address(venue=venue, only_for=str(interaction.user.id))
        try:
            pages = quote_pages(await self._host.quotes(answer_id, address))
        except Exception:
            log.exception("the quotes of answer %s", answer_id)
            pages = [_NOT_SHOWN]
        await self._say(interaction, pages)

    async def _ask_person(self, interaction: Interaction, answer_id: str) -> None:
        await _think(interaction)
        try:
            told = await self._hands_off.tell(self._host, answer_id, str(interaction.user.id))
        except CitewellError as error:
            log.warning("answer %s cannot be handed off: %s", answer_id, error)
            told = "Nobody could be told just now. Please try again."
        await self._say(interaction, [told or _NOBODY])

    async def _say(self, interaction: Interaction, pages: Sequence[str]) -> None:
        """Say something to who asked alone, after it was acknowledged."""
        application, token = str(interaction.application_id), interaction.token
        first, *others = pages
        try:
            await self._calls.change_answer(application, token, "@original", said(first))
            for page in others:
                await self._calls.follow_up(application, token, said(page))
        except DeliveryError as error:
            log.warning("interaction %d: %s", interaction.id, error)


def _may_post(interaction: Interaction) -> bool:
    """Tell whether the bot may write for everyone where something was pressed."""
    rights = interaction.app_permissions
    if interaction.guild_id is None:
        return True
    in_thread = isinstance(interaction.channel, discord.Thread)
    may_send = rights.send_messages_in_threads if in_thread else rights.send_messages
    return rights.view_channel and may_send


async def tell(interaction: Interaction, text: str) -> None:
    """Answer with a line for who asked alone; one that was answered before is left so."""
    try:
        await interaction.response.send_message(
            text, ephemeral=True, allowed_mentions=discord.AllowedMentions.none()
        )
    except (discord.InteractionResponded, discord.HTTPException, OSError) as error:
        log.info("interaction %d is not answered: %s", interaction.id, error)


async def failed(interaction: Interaction) -> None:
    """Say that something went wrong."""
    await tell(interaction, _WENT_WRONG)


async def _think(interaction: Interaction) -> None:
    """Acknowledge; a repetition was acknowledged before, and what is too late is found later."""
    try:
        await interaction.response.defer(ephemeral=True, thinking=True)
    except (discord.InteractionResponded, discord.HTTPException, OSError) as error:
        log.info("interaction %d is not acknowledged: %s", interaction.id, error)


async def _show_form(interaction: Interaction, answer_id: str) -> None:
    form = discord.ui.Modal(title="What was wrong?", custom_id=f"{REASON}{answer_id}", timeout=1)
    form.add_item(
        discord.ui.TextInput(
            label="Your words go to who runs this bot",
            custom_id=FIELD,
            style=discord.TextStyle.long,
            required=False,
            max_length=_MAX_REASON,
        )
    )
    # discord.py keeps no form that has ended; what is sent is heard by its name, after a restart
    # as well.
    form.stop()
    try:
        await interaction.response.send_modal(form)
    except (discord.InteractionResponded, discord.HTTPException, OSError) as error:
        log.info("interaction %d shows no form: %s", interaction.id, error)


def _value(components: object) -> str:
    """Return what was written into the form."""
    parts = components if isinstance(components, list) else []
    for one in parts:
        if not isinstance(one, dict):
            continue
        if one.get("custom_id") == FIELD:
            return str(one.get("value") or "").strip()
        inner = [*(one.get("components") or []), one.get("component")]
        found = _value([part for part in inner if part])
        if found:
            return found
    return ""
