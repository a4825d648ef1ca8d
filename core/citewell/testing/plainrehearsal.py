"""The stand-in for `plainchat`: people in a chat that is one file in a temporary folder."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec.structs import replace

from citewell.testing.plainchat import Posted
from citewell.testing.plaintalk import MENTION
from citewell.testing.plainworld import DIRECT, Happening, Page, PlainWorld
from citewell.types.rehearsal import ABILITIES, Button, Said, Seen

_ADDRESS = re.compile(r"<(https?://[^\s>]*)>")
_PATIENCE_S = 5.0
_POLL_S = 0.01
_PEOPLE = "C-help"


class PlainRehearsal:
    """People in a `PlainWorld`. Whoever reads text sees no previews and loads no images.

    Args:
        path: of its file.
        max_chars: of one message.
    """

    can = ABILITIES - {"home"}

    def __init__(self, path: Path, *, max_chars: int = 2000) -> None:
        self._world = PlainWorld(path)
        self._path = path
        self._max_chars = max_chars
        self._said: dict[str, Happening] = {}
        self._world.put_channel(_PEOPLE, ())

    @property
    def settings(self) -> Mapping[str, object]:
        """Settings that lead to the file."""
        return {"path": str(self._path), "max_chars": self._max_chars, "hand_off": _PEOPLE}

    # --- who is there ---------------------------------------------------------------------

    def person(self, name: str, *, groups: Collection[str] = ()) -> str:
        """Return the id of somebody."""
        self._world.put_person(f"U-{name}", groups)
        return f"U-{name}"

    def channel(self, name: str, members: Collection[str]) -> str:
        """Return the id of a channel."""
        self._world.put_channel(f"C-{name}", members)
        return f"C-{name}"

    # --- what they do ---------------------------------------------------------------------

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
        """Let somebody write something."""
        happening = Happening(
            kind="said",
            person=person,
            channel=channel or f"{DIRECT}{person}",
            of="",
            thread=thread,
            is_in_thread=bool(thread),
            text=f"{MENTION} {text}" if mention else text,
            files=dict(files or {}),
        )
        return self._keep(self._world.do(happening))

    async def change(self, said: Said, text: str) -> None:
        """Let somebody change what they wrote."""
        before = self._said[said.id]
        mention = f"{MENTION} " if MENTION in before.text else ""
        changed = replace(before, kind="changed", text=f"{mention}{text}", files={})
        self._world.do(changed)

    async def take_back(self, said: Said) -> None:
        """Let somebody delete what they wrote."""
        self._world.do(replace(self._said[said.id], kind="deleted", text="", files={}))

    async def command(self, person: str, text: str, *, channel: str | None = None) -> Said:
        """Let somebody ask privately."""
        place = channel or f"{DIRECT}{person}"
        asked = Happening(kind="asked", person=person, channel=place, of="", text=text)
        return self._keep(self._world.do(asked))

    async def ask_about(self, person: str, message: Said | Seen) -> Said:
        """Let somebody ask about what a message says."""
        said = self._said.get(message.id)
        text = said.text if said is not None else getattr(message, "text", "")
        about = Happening(kind="about", person=person, channel=message.channel, of="", text=text)
        return self._keep(self._world.do(about))

    async def press(self, person: str, message: Seen, button: Button) -> None:
        """Let somebody press a button, and wait until that shows where it opens something."""
        self._world.close_page(person)
        pressed = Happening(
            kind="pressed",
            person=person,
            channel=message.channel,
            of=message.id,
            thread=message.thread,
            action=button.name,
            answer_id=button.handle,
        )
        self._world.do(pressed)
        if button.name in {"quotes", "unhelpful"}:
            await self._until(lambda: self._world.page(person) is not None)

    async def fill_in(self, person: str, text: str) -> None:
        """Let somebody send the form that is open."""
        page = self._form(person)
        self._world.close_page(person)
        sent = Happening(
            kind="sent",
            person=person,
            channel=page.channel,
            of="form",
            thread=page.thread,
            text=text,
            action=page.action,
            answer_id=page.answer_id,
        )
        self._world.do(sent)

    async def repeat(self, said: Said) -> None:
        """Tell once more what was said."""
        self._world.redo(self._said[said.id])

    # --- what they see --------------------------------------------------------------------

    def seen(self, person: str, *, channel: str | None = None, thread: str = "") -> list[Seen]:
        """Return what the bot has there for somebody."""
        place = channel or f"{DIRECT}{person}"
        return [
            self._seen(one)
            for one in self._world.messages()
            if (one.channel, one.thread) == (place, thread) and one.only_for in {None, person}
        ]

    def form(self, person: str) -> str | None:
        """Return the text of what is open for somebody."""
        page = self._world.page(person)
        return None if page is None else page.text

    def home(self, person: str) -> None:
        """Return None: the bot has no page here."""

    # --- how it does ----------------------------------------------------------------------

    def cut(self) -> None:
        """Break every connection."""
        weather = self._world.weather()
        self._world.put_weather(replace(weather, cuts=weather.cuts + 1, is_heard=False))

    def fail(self, times: int, *, status: int, retry_after_s: float | None = None) -> None:
        """Let the next calls fail."""
        weather = self._world.weather()
        self._world.put_weather(
            replace(weather, failing=times, status=status, retry_after_s=retry_after_s)
        )

    async def until_connected(self) -> None:
        """Wait until the adapter looks at the file."""
        await self._until(lambda: self._world.weather().is_heard)

    # --- inside ---------------------------------------------------------------------------

    def _keep(self, done: Happening) -> Said:
        self._said[done.of] = done
        return Said(id=done.of, person=done.person, channel=done.channel, thread=done.thread)

    def _form(self, person: str) -> Page:
        page = self._world.page(person)
        if page is None or not page.action:
            raise LookupError(f"no form is open for {person}")
        return page

    def _seen(self, one: Posted) -> Seen:
        buttons = tuple(
            Button(name=button.name, label=button.label, handle=button.answer_id)
            for button in self._world.buttons(one.id)
        )
        return Seen(
            id=one.id,
            channel=one.channel,
            thread=one.thread,
            text=one.text,
            only_for=one.only_for,
            buttons=buttons,
            links=tuple(_ADDRESS.findall(one.text)),
            changes=len(msgspec.json.decode(one.edits)),
            is_growing=not one.is_complete,
        )

    @staticmethod
    async def _until(is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while not is_so():  # noqa: ASYNC110 - another process may be at it
                await asyncio.sleep(_POLL_S)


@asynccontextmanager
async def rehearsed() -> AsyncIterator[PlainRehearsal]:
    """Open a chat in a temporary folder."""
    with TemporaryDirectory(prefix="citewell-") as folder:
        yield PlainRehearsal(Path(folder) / "chat.sqlite")
