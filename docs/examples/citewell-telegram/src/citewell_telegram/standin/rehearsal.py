"""People who talk in the stand-in, and what they see."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager

from telegram import MessageEntity

from citewell.chat import Button, CannotAct, Said, Seen
from citewell_telegram.standin.api import TOKEN, Api
from citewell_telegram.standin.world import BOT, Json, World
from citewell_telegram.writing import GROWING

_MENTION = f"@{BOT['username']}"
_PATIENCE_S = 5.0
_LOOK_S = 0.01
# What Telegram itself makes links and mentions of, where no entity says that it is code.
_LINKED = re.compile(
    r"(?:https?|ftp|tg)://\S+|\b(?:[\w-]+\.)+(?:com|org|net|io|md|gg|xyz|example)\b\S*|[\w.]+@[\w.]+\.\w+"
)
_PINGED = re.compile(r"@\w{3,}")
_VERBATIM = {MessageEntity.CODE, MessageEntity.PRE}


class TelegramRehearsal:
    """People in a `World`.

    Args:
        world: what there is.
        api: that the bot calls.
    """

    can = frozenset({"direct", "edits", "buttons", "ask-about", "files", "groups"})

    def __init__(self, world: World, api: Api) -> None:
        self._world = world
        self._api = api
        self._forms: dict[str, str] = {}
        self._first: dict[str, Json] = {}
        self._people = world.channel("help", ())

    @property
    def settings(self) -> Mapping[str, object]:
        """Settings that lead to the stand-in."""
        return {
            "token": TOKEN,
            "api_url": self._api.url,
            "hand_off": str(self._people),
            "pace_s": 0.2,
        }

    def person(self, name: str, *, groups: Collection[str] = ()) -> str:
        """Return the id of somebody."""
        return str(self._world.person(name, groups))

    def channel(self, name: str, members: Collection[str]) -> str:
        """Return the id of a group."""
        return str(self._world.channel(name, members))

    # --- what they do -------------------------------------------------------------------------

    async def say(
        self,
        person: str,
        text: str,
        *,
        channel: str | None = None,
        thread: str = "",
        mention: bool = True,
        files: Mapping[str, bytes] | None = None,
    ) -> Said:
        """Let somebody write something; one file goes with it, as in Telegram."""
        written = f"{_MENTION} {text}" if mention else text
        document = None
        for name, content in (files or {}).items():
            id_ = f"file{len(self._world.files)}"
            self._world.files[id_] = content
            document = {
                "file_id": id_,
                "file_unique_id": id_,
                "file_name": name,
                "file_size": len(content),
            }
        names = ("caption", "caption_entities") if document else ("text", "entities")
        fields: Json = dict(zip(names, (written, _mentions(written)), strict=True))
        if thread:
            fields |= {"message_thread_id": int(thread), "is_topic_message": True}
        return self._told(person, channel, document=document, **fields)

    async def change(self, said: Said, text: str) -> None:
        """Let somebody change what they wrote."""
        message = self._world.messages[int(said.id)]
        before = message.get("text") or message.get("caption", "")
        written = f"{_MENTION} {text}" if before.startswith(_MENTION) else text
        changed = {**message, "text": written, "entities": _mentions(written)}
        changed["edit_date"] = message["date"] + 1
        self._world.messages[int(said.id)] = changed
        self._world.tell(edited_message=changed)
        self._api.news()

    async def take_back(self, said: Said) -> None:
        """Refuse: a bot hears nothing of it."""
        del said
        raise CannotAct("Telegram tells no bot that a message was deleted")

    async def command(self, person: str, text: str, *, channel: str | None = None) -> Said:
        """Refuse: an answer in a group is seen by all."""
        del person, text, channel
        raise CannotAct("in Telegram a bot cannot answer one person of a group alone")

    async def ask_about(self, person: str, message: Said | Seen) -> Said:
        """Let somebody reply to a message with nothing but a mention of the bot."""
        replied = {**self._world.messages[int(message.id)]}
        replied.pop("reply_to_message", None)
        return self._told(
            person,
            message.channel,
            text=_MENTION,
            entities=_mentions(_MENTION),
            reply_to_message=replied,
        )

    async def press(self, person: str, message: Seen, button: Button) -> None:
        """Let somebody press a button, and open what it leads to."""
        self._forms.pop(person, None)
        id_ = f"press{len(self._api.answered)}-{person}-{message.id}-{button.name}"
        query = {
            "id": id_,
            "from": self._world.user(int(person)),
            "chat_instance": "1",
            "message": self._world.messages[int(message.id)],
            "data": button.handle,
        }
        self._world.tell(callback_query=query)
        self._api.news()
        await self._until(lambda: id_ in self._api.answered)
        answered = self._api.answered[id_]
        if answered.get("show_alert"):
            self._forms[person] = str(answered["text"])
        if url := answered.get("url"):
            await self._follow(person, str(url))

    async def _follow(self, person: str, url: str) -> None:
        """Open the conversation with the bot through a link, and press Start there."""
        known = len(self.seen(person))
        self._told(person, None, text=f"/start {url.partition('?start=')[2]}")
        await self._until(lambda: len(self.seen(person)) > known)
        await asyncio.sleep(_LOOK_S)
        self._forms[person] = "\n".join(one.text for one in self.seen(person)[known:])

    async def fill_in(self, person: str, text: str) -> None:
        """Refuse: a bot has no forms."""
        del person, text
        raise CannotAct("Telegram has no forms")

    async def repeat(self, said: Said) -> None:
        """Tell once more what was said."""
        told = self._first[said.id]
        self._world.tell(message=told)
        self._api.news()

    # --- what they see ------------------------------------------------------------------------

    def seen(self, person: str, *, channel: str | None = None, thread: str = "") -> list[Seen]:
        """Return what the bot has there for somebody."""
        chat = int(channel or person)
        topic = int(thread) if thread else None
        return [
            self._seen(one)
            for one in self._world.messages.values()
            if one["from"] == BOT
            and one["chat"]["id"] == chat
            and one.get("message_thread_id") == topic
        ]

    def form(self, person: str) -> str | None:
        """Return the alert that somebody looks at, or what the bot showed to them alone."""
        return self._forms.get(person)

    def home(self, person: str) -> None:
        """Return None: the bot has no page."""

    # --- how it does --------------------------------------------------------------------------

    def cut(self) -> None:
        """Break every connection."""
        self._api.cut()

    def fail(self, times: int, *, status: int, retry_after_s: float | None = None) -> None:
        """Let the next calls fail."""
        self._api.fail(times, status, retry_after_s)

    async def until_connected(self) -> None:
        """Wait until the bot waits for what happens."""
        await self._until(lambda: self._api.is_heard)

    # --- inside -------------------------------------------------------------------------------

    def _told(self, person: str, channel: str | None, **fields: object) -> Said:
        message = self._world.put(int(person), int(channel or person), **fields)
        id_ = str(message["message_id"])
        self._first[id_] = message
        self._world.tell(message=message)
        self._api.news()
        thread = str(fields.get("message_thread_id") or "")
        return Said(id=id_, person=person, channel=channel or person, thread=thread)

    def _seen(self, message: Json) -> Seen:
        keys = message.get("reply_markup", {}).get("inline_keyboard", [])
        links = [one["url"] for one in message.get("entities", []) if "url" in one]
        bare = _without_code(message)
        links += _LINKED.findall(bare)
        disabled = message.get("link_preview_options", {}).get("is_disabled")
        return Seen(
            id=str(message["message_id"]),
            channel=str(message["chat"]["id"]),
            thread=str(message.get("message_thread_id", "")),
            # Nobody sees characters without width.
            text=message["text"].replace("\u2060", ""),
            buttons=tuple(
                Button(
                    name=key["callback_data"].partition(":")[0],
                    label=key["text"],
                    handle=key["callback_data"],
                )
                for row in keys
                for key in row
            ),
            links=tuple(links),
            pings=tuple(_PINGED.findall(bare)),
            previews=() if disabled else tuple(links),
            changes=self._world.changes.get(message["message_id"], 0),
            is_growing=message["text"].endswith(GROWING),
        )

    @staticmethod
    async def _until(is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while not is_so():  # noqa: ASYNC110 - a bot is at it, over HTTP
                await asyncio.sleep(_LOOK_S)


def _mentions(text: str) -> list[Json]:
    """Return the entities that Telegram gives a text of somebody: where it mentions the bot."""
    return [
        {
            "type": MessageEntity.MENTION,
            "offset": len(text[: at.start()].encode("utf-16-le")) // 2,
            "length": len(_MENTION),
        }
        for at in re.finditer(re.escape(_MENTION), text)
    ]


def _without_code(message: Json) -> str:
    """Return the text of a message of which Telegram looks for links and mentions."""
    units = str(message["text"]).encode("utf-16-le")
    for one in message.get("entities", []):
        if one["type"] in _VERBATIM:
            begin, end = 2 * one["offset"], 2 * (one["offset"] + one["length"])
            units = units[:begin] + " ".encode("utf-16-le") * one["length"] + units[end:]
    return units.decode("utf-16-le")


@asynccontextmanager
async def rehearsed() -> AsyncIterator[TelegramRehearsal]:
    """Open a stand-in on a port of this machine."""
    world = World()
    api = Api(world)
    await api.open()
    try:
        yield TelegramRehearsal(world, api)
    finally:
        await api.close()
