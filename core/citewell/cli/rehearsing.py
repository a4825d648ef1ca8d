"""A talk in a stand-in for a chat service: lines in, what people there would see out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

import click

from citewell.chatting import Rehearsal
from citewell.cli.beholding import Beheld, View
from citewell.cli.page import Line, Look, Piece
from citewell.cli.printing import Printer
from citewell.cli.wording import safe_line
from citewell.errors import CannotAct
from citewell.types.rehearsal import Said

HELP_CHANNEL = "help"
"""Where people are told of questions that go on to them."""

_YOU, _COLLEAGUE = "you", "colleague"
_HELP = """\
a line              asks in the channel, with a mention; the next one goes on in its thread
/new LINE           asks anew in the channel
/direct LINE        asks in the direct conversation
/ask LINE           asks for you alone, with the command of the service
/about LINE         a colleague writes LINE, and you choose "Ask about this"
/file PATH LINE     asks with a file
/press BUTTON       presses a button: its number, or what stands on it
/write LINE         fills in the form that is open, as after "Not helpful"
/change LINE        changes your last question
/delete             takes it back
/home               shows the bot's own page
/quit               leaves, as Ctrl-D does"""
_NEEDS = {
    "/direct": "direct",
    "/ask": "command",
    "/about": "ask-about",
    "/file": "files",
    "/press": "buttons",
    "/write": "forms",
    "/change": "edits",
    "/delete": "deletes",
    "/home": "home",
}
_LOOK_S = 0.05
_QUIET_S = 0.5
# How long is waited for something to be seen: of what shows something for sure, and of what need
# not. A question that was heard is waited for until it has its outcome, however long that takes.
_SURELY_S = 10.0
_PERHAPS_S = 1.0


class Works(Protocol):
    """What the talk wants to know of the bot."""

    async def is_idle(self) -> bool:
        """Tell whether every question that came in has its outcome."""
        ...


class Session:
    """You in a channel with a colleague, and the bot.

    Args:
        rehearsal: connected.
        bot: that answers there.
        printer: where what is seen is shown.
    """

    def __init__(self, rehearsal: Rehearsal, bot: Works, printer: Printer) -> None:
        self._chat = rehearsal
        self._bot = bot
        self._printer = printer
        self._you = rehearsal.person(_YOU)
        self._colleague = rehearsal.person(_COLLEAGUE)
        self._channel = rehearsal.channel("general", [self._you, self._colleague])
        to_ask = rehearsal.channel(HELP_CHANNEL, [self._you])
        names = {self._channel: "#general", to_ask: f"#{HELP_CHANNEL}"}
        people = {self._you: _YOU, self._colleague: _COLLEAGUE}
        self._view = View(rehearsal, self._you, names=names, people=people)
        self._thread: Said | None = None
        self._written: Said | None = None
        self._commands: Mapping[str, Callable[[str], Awaitable[float]]] = {
            "/new": self._ask,
            "/direct": self._ask_directly,
            "/ask": self._ask_privately,
            "/about": self._ask_about,
            "/file": self._ask_with_file,
            "/press": self._press,
            "/write": self._write,
            "/change": self._change,
            "/delete": self._delete,
            "/home": self._home,
            "/help": self._help,
        }

    async def run(self, lines: AsyncIterator[str]) -> None:
        """Do what the lines say, until they end."""
        async for line in lines:
            if line in {"/quit", "/exit"}:
                return
            if line:
                await self._do(line)

    async def _do(self, line: str) -> None:
        try:
            patience_s = await self._done(line)
            if patience_s:
                await self._show(patience_s)
        except CannotAct as error:
            click.echo(safe_line(str(error)))
        click.echo()

    async def _done(self, line: str) -> float:
        """Do what a line says; return how long to wait for something to be seen, 0: not at all."""
        name, _, rest = line.partition(" ")
        if not line.startswith("/"):
            return await (self._follow_up if self._thread else self._ask)(line)
        need = _NEEDS.get(name)
        if need is not None and need not in self._chat.can:
            raise CannotAct(_MISSING.get(need, f"this service has no {need}"))
        if name not in self._commands:
            raise CannotAct(f"{name} is no command here; /help lists them")
        if name not in {"/delete", "/home", "/help"} and not rest.strip():
            raise CannotAct(f"expected something behind {name}; /help says what")
        return await self._commands[name](rest.strip())

    # --- what one may do ------------------------------------------------------------------

    async def _ask(self, line: str) -> float:
        return self._said(await self._chat.say(self._you, line, channel=self._channel))

    async def _follow_up(self, line: str) -> float:
        begun = self._thread
        if begun is None:
            return await self._ask(line)
        return self._said(
            await self._chat.say(
                self._you, line, channel=begun.channel, thread=begun.thread, mention=False
            )
        )

    async def _ask_directly(self, line: str) -> float:
        return self._said(await self._chat.say(self._you, line, mention=False))

    async def _ask_privately(self, line: str) -> float:
        said = await self._chat.command(self._you, line, channel=self._channel)
        self._view.look_at(said)
        return _SURELY_S

    async def _ask_about(self, line: str) -> float:
        told = await self._chat.say(self._colleague, line, channel=self._channel, mention=False)
        self._view.look_at(await self._chat.ask_about(self._you, told))
        return _SURELY_S

    async def _ask_with_file(self, line: str) -> float:
        name, _, question = line.partition(" ")
        try:
            content = await asyncio.to_thread(Path(name).read_bytes)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise CannotAct(f"{name} cannot be read: {why}") from error
        files = {Path(name).name: content}
        asked = await self._chat.say(
            self._you, question.strip(), channel=self._channel, files=files
        )
        return self._said(asked)

    def _said(self, said: Said) -> float:
        self._thread = said if said.thread else None
        self._written = said
        self._view.look_at(said)
        return _SURELY_S

    async def _press(self, line: str) -> float:
        message, button = self._view.button(line)
        self._view.expect_form(button.name)
        await self._chat.press(self._you, message, button)
        return _PERHAPS_S if button.name == "helpful" else _SURELY_S

    async def _write(self, line: str) -> float:
        if self._chat.form(self._you) is None:
            raise CannotAct('no form is open; "Not helpful" opens one')
        await self._chat.fill_in(self._you, line)
        return _PERHAPS_S

    async def _change(self, line: str) -> float:
        await self._chat.change(self._asked(), line)
        return _SURELY_S

    async def _delete(self, _line: str) -> float:
        await self._chat.take_back(self._asked())
        self._written = self._thread = None
        return _SURELY_S

    def _asked(self) -> Said:
        if self._written is None:
            raise CannotAct("there is no question of yours to change; ask one first")
        return self._written

    async def _home(self, _line: str) -> float:
        # The page is brought up to date when somebody looks; what is seen is what comes of that.
        self._chat.home(self._you)
        await self._quiet(_PERHAPS_S, lambda: self._chat.home(self._you))
        self._printer.write(self._view.page(self._chat.home(self._you)))
        return 0

    async def _help(self, _line: str) -> float:
        missing = [name for name, need in _NEEDS.items() if need not in self._chat.can]
        click.echo("\n".join(one for one in _HELP.splitlines() if one.split()[0] not in missing))
        return 0

    # --- what is seen ---------------------------------------------------------------------

    async def _show(self, patience_s: float) -> None:
        """Wait until nothing moves any more, and show what is new."""
        self._view.begin()
        self._printer.status("Waiting \u2026")
        seen = await self._quiet(patience_s, self._view.look)
        self._printer.write(self._view.told(seen) or [_NOTHING])

    async def _quiet(self, patience_s: float, look: Callable[[], object]) -> Beheld:
        """Return what is seen once the bot has nothing to do and nothing changes."""
        loop = asyncio.get_running_loop()
        begin = still_since = loop.time()
        first = before = look()
        while True:
            await asyncio.sleep(_LOOK_S)
            now, seen = look(), self._view.look()
            if now != before:
                before, still_since = now, loop.time()
                self._printer.draw(self._view.told(seen))
            if seen.is_growing or not await self._bot.is_idle():
                still_since = loop.time()
                continue
            is_new = self._view.is_new(seen) or now != first
            patience = _QUIET_S if is_new else patience_s
            if loop.time() - (still_since if is_new else max(begin, still_since)) >= patience:
                return seen


_NOTHING = Line((Piece("nothing new is to be seen", Look.FAINT),))
_MISSING = {"home": "the bot has no page of its own in this service"}
