"""A talk in a stand-in for a chat service: lines in, what people there would see out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping

import click

from citewell.chatting import Rehearsal
from citewell.cli.wording import safe
from citewell.types.rehearsal import Button, Said, Seen

_HELP = """\
a line          asks in the channel, with a mention; the next one goes on in its thread
/new LINE       asks anew in the channel
/direct LINE    asks in the direct conversation
/ask LINE       asks privately, with the command of the service
/press N        presses a button: its number stands beside it
/write LINE     fills in the form that is open, as after "Not helpful"
/change LINE    changes your last question
/delete         takes it back
/home           shows the bot's own page
/quit           leaves, as Ctrl-D does"""
_QUIET_S = 0.4
_LONGEST_S = 60.0
_LOOK_S = 0.05


class Session:
    """One person in one channel, and the bot.

    Args:
        rehearsal: connected.
        service: what it stands for.
        is_typed: somebody types the lines; otherwise each is shown as it is read.
    """

    def __init__(self, rehearsal: Rehearsal, service: str, *, is_typed: bool) -> None:
        self._chat = rehearsal
        self._service = service
        self._is_typed = is_typed
        self._you = rehearsal.person("you")
        self._channel = rehearsal.channel("general", [self._you])
        self._said: Said | None = None
        self._places: dict[tuple[str | None, str], None] = {
            (self._channel, ""): None,
            (None, ""): None,
        }
        self._shown: dict[str, Seen] = {}
        self._buttons: list[tuple[Seen, Button]] = []
        self._form: str | None = None
        self._commands: Mapping[str, Callable[[str], Awaitable[None]]] = {
            "/new": self._ask,
            "/direct": self._ask_directly,
            "/ask": self._ask_privately,
            "/press": self._press,
            "/write": self._write,
            "/change": self._change,
            "/delete": self._delete,
            "/home": self._home,
            "/help": self._help,
        }

    async def run(self) -> None:
        """Do what the lines say, until they end."""
        if self._is_typed:
            click.secho(
                f"This stands in for {self._service}: ask about the documents; /help lists the "
                "rest, Ctrl-D leaves.",
                dim=True,
            )
        while (line := await asyncio.to_thread(self._read)) is not None:
            if line in {"/quit", "/exit"}:
                return
            if line:
                await self._do(line)

    def _read(self) -> str | None:
        if self._is_typed:
            try:
                return input("you> ").strip()
            except EOFError:
                click.echo()
                return None
        line = sys.stdin.readline()
        if line.strip():
            click.echo(f"you> {safe(line.strip())}")
        return line.strip() if line else None

    async def _do(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        if name in self._commands:
            await self._commands[name](rest.strip())
        elif line.startswith("/"):
            click.echo(f"{safe(name)} is no command here\n{_HELP}")
            return
        elif self._said is not None and self._said.thread:
            said = self._said
            self._said = await self._chat.say(
                self._you, line, channel=said.channel, thread=said.thread, mention=False
            )
        else:
            await self._ask(line)
        await self._show()

    # --- what one may do ------------------------------------------------------------------

    async def _ask(self, line: str) -> None:
        self._said = await self._chat.say(self._you, line, channel=self._channel)

    async def _ask_directly(self, line: str) -> None:
        self._said = await self._chat.say(self._you, line, mention=False)

    async def _ask_privately(self, line: str) -> None:
        self._said = await self._chat.command(self._you, line, channel=self._channel)

    async def _press(self, line: str) -> None:
        if not line.isdecimal() or not 1 <= int(line) <= len(self._buttons):
            click.echo(f"expected the number of a button, from 1 to {len(self._buttons)}")
            return
        message, button = self._buttons[int(line) - 1]
        await self._chat.press(self._you, message, button)

    async def _write(self, line: str) -> None:
        if self._chat.form(self._you) is None:
            click.echo("no form is open")
            return
        await self._chat.fill_in(self._you, line)

    async def _change(self, line: str) -> None:
        if self._said is None:
            click.echo("nothing was asked yet")
            return
        await self._chat.change(self._said, line)

    async def _delete(self, _line: str) -> None:
        if self._said is None:
            click.echo("nothing was asked yet")
            return
        await self._chat.take_back(self._said)

    async def _home(self, _line: str) -> None:
        click.echo(_indented(self._chat.home(self._you) or "the bot has no page of its own here"))

    @staticmethod
    async def _help(_line: str) -> None:
        click.echo(_HELP)

    # --- what is seen ---------------------------------------------------------------------

    async def _show(self) -> None:
        """Wait until nothing moves any more, and show what is new."""
        before = dict(self._shown)
        loop = asyncio.get_running_loop()
        begin = still_since = loop.time()
        state = self._state()
        while loop.time() - still_since < _QUIET_S or any(one.is_growing for one in state[0]):
            await asyncio.sleep(_LOOK_S)
            now = self._state()
            if now != state:
                state, still_since = now, loop.time()
            if loop.time() - begin > _LONGEST_S:
                click.echo("nothing more came within a minute")
                break
            if state == (tuple(before.values()), self._form) and loop.time() - begin < 5:
                # An answer needs longer than it takes to see that nothing moves.
                still_since = loop.time()
        self._tell(before, *state)

    def _state(self) -> tuple[tuple[Seen, ...], str | None]:
        if self._said is not None and self._said.thread:
            self._places[self._said.channel, self._said.thread] = None
        seen = {
            one.id: one
            for channel, thread in self._places
            for one in self._chat.seen(self._you, channel=channel, thread=thread)
        }
        return tuple(seen.values()), self._chat.form(self._you)

    def _tell(self, before: Mapping[str, Seen], seen: tuple[Seen, ...], form: str | None) -> None:
        kept = dict(self._shown)
        self._shown = {one.id: one for one in seen}
        fresh = [one for one in seen if before.get(one.id) != one]
        gone = [one for one in kept if one not in self._shown]
        if fresh:
            self._buttons = [(one, button) for one in fresh for button in one.buttons]
        number = 0
        for one in fresh:
            who = "bot, to you alone" if one.only_for else "bot"
            click.secho(f"{who}{' (changed)' if one.id in before else ''}", bold=True)
            click.echo(_indented(one.text))
            for button in one.buttons:
                number += 1
                click.secho(f"  [{number}] {safe(button.label)}", fg="cyan")
        if gone:
            click.secho(f"bot: took {len(gone)} message{'s' * (len(gone) > 1)} back", dim=True)
        if form is not None and form != self._form:
            click.secho("a form is open", bold=True)
            click.echo(_indented(form))
        self._form = form
        click.echo()


def _indented(text: str) -> str:
    return "\n".join(f"  {safe(line)}" for line in text.splitlines())
