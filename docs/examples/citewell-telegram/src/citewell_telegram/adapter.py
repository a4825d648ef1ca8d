"""The adapter: hears what happens by long polling, and answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence

from telegram import Bot, Message, Update
from telegram.error import Conflict, InvalidToken, TelegramError

from citewell import AdapterError, Context, DeliveryError
from citewell.blocks import Block
from citewell.chat import Address, Asked, Attachment, Deleted, Edited, Event, Host
from citewell_telegram.calls import POLL_S, told
from citewell_telegram.drafts import Drafts
from citewell_telegram.hearing import DIRECT, Hearing
from citewell_telegram.plugin import TelegramConfig
from citewell_telegram.pressing import Pressing
from citewell_telegram.readers import Readers
from citewell_telegram.replies import TelegramReply
from citewell_telegram.writing import Written

_HEARD = ("message", "edited_message", "callback_query")
_LONGEST_PAUSE_S = 30.0


class TelegramAdapter:
    """Speaks to the Bot API.

    Args:
        bot: the client.
        config: of the adapter.
        context: of the adapter.
    """

    def __init__(self, bot: Bot, config: TelegramConfig, context: Context) -> None:
        self.is_connected = False
        self._bot = bot
        self._pace_s = config.pace_s
        self._log = context.log
        self._drafts = Drafts(context.data_dir / "drafts")
        self._readers = Readers(bot)
        self._hearing = Hearing(context.name)
        self._pressing = Pressing(bot, self._hearing, context.name, config.hand_off)

    @property
    def pace_s(self) -> float:
        """Seconds between two changes of one reply."""
        return self._pace_s

    def fits(self, blocks: Sequence[Block], address: Address) -> bool:
        """Tell whether blocks fit one message."""
        del address
        return Written(blocks).fits

    # --- what happens ---------------------------------------------------------------------

    async def serve(self, host: Host) -> None:
        """Ask Telegram again and again what happened.

        The next call acknowledges what the last one brought. So it is made once all of that is
        kept; what was not acknowledged comes again, also to the next process.

        Raises:
            AdapterError: the token is wrong.
        """
        offset, pause_s = 0, 0.0
        try:
            while True:
                try:
                    offset = await self._heard(host, offset)
                    pause_s = 0.0
                except InvalidToken as error:
                    raise AdapterError("token: Telegram knows no such bot") from error
                except (TelegramError, DeliveryError) as error:
                    self.is_connected = False
                    self._log.warning("%s", _reason(error))
                    pause_s = min(pause_s * 2 or 0.1, _LONGEST_PAUSE_S)
                    await asyncio.sleep(pause_s)
        finally:
            self.is_connected = False

    async def _heard(self, host: Host, offset: int) -> int:
        """Hand over what happened since `offset`; return the next one."""
        await self._bot.initialize()
        self.is_connected = True
        updates = await self._bot.get_updates(offset, timeout=POLL_S, allowed_updates=_HEARD)
        for update in updates:
            await self._take(update, host)
            offset = update.update_id + 1
        return offset

    async def _take(self, update: Update, host: Host) -> None:
        try:
            if update.callback_query is not None:
                await self._pressing.act(update.callback_query, host)
            elif update.message is None or not await self._is_start(update.message, host):
                event = await self._hearing.event(update, host, self._bot.username, self._bot.id)
                if event is not None:
                    await host.accept(event)
        except DeliveryError as error:
            # Who pressed may press again; nothing else waits for it.
            self._log.warning("a button did nothing: %s", error)

    async def _is_start(self, message: Message, host: Host) -> bool:
        """Answer who opens the conversation, through a link or by themselves."""
        if message.from_user is not None:
            self._readers.meet(message.chat.id, message.from_user.id)
        is_start = message.chat.type == DIRECT and (message.text or "").startswith("/start")
        if is_start:
            await self._pressing.start(message, host)
        return is_start

    async def missed(self, since: float) -> AsyncIterator[Event]:
        """Yield nothing: what nobody heard, Telegram tells `serve`, for 24 hours."""
        del since
        nothing: tuple[Event, ...] = ()
        for event in nothing:
            yield event

    async def changed(self, asked: Asked) -> Edited | Deleted | None:
        """Return None: a bot cannot look at a message, and hears of changes by events."""
        del asked
        return None

    # --- replies --------------------------------------------------------------------------

    async def open_reply(self, address: Address, key: str) -> TelegramReply:
        """Begin a reply."""
        return TelegramReply(self._bot, self._drafts, address, key, ())

    async def find_reply(
        self, address: Address, key: str, posted: Sequence[str]
    ) -> TelegramReply | None:
        """Return a reply of before a crash; None where a message may stand there unknown."""
        draft = self._drafts.find(key)
        if draft is not None and draft.is_posting:
            self._drafts.drop(key)
            return None
        known = posted if draft is None else draft.posted
        return TelegramReply(self._bot, self._drafts, address, key, known)

    async def readers(self, address: Address, groups: Collection[str]) -> frozenset[frozenset[str]]:
        """Return who reads a chat."""
        return await self._readers.of(address, groups)

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        """Return the content of a file."""
        too_large = DeliveryError(f"larger than {max_bytes} bytes", passes=False)
        if (attachment.size or 0) > max_bytes:
            raise too_large
        with told():
            file = await self._bot.get_file(attachment.ref)
            content = bytes(await file.download_as_bytearray())
        if len(content) > max_bytes:
            raise too_large
        return content


def _reason(error: TelegramError | DeliveryError) -> str:
    if isinstance(error, Conflict):
        return "another process asks Telegram with the same token; end it"
    return str(error)
