"""What one person sees in a stand-in for a chat service, and what of it is new to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from citewell.chatting import Rehearsal
from citewell.cli.page import Line, Look, Piece
from citewell.cli.wording import safe
from citewell.errors import CannotAct
from citewell.types.rehearsal import Button, Said, Seen

_INDENT = "  "
_SPACED = " \u00b7 "
_MOST_TAKEN_BACK = 60


class Beheld(Struct, frozen=True):
    """What is seen at one moment.

    Attributes:
        messages: by id, in order.
        form: that is open.
    """

    messages: dict[str, Seen]
    form: str | None

    @property
    def is_growing(self) -> bool:
        """Whether a message is not complete."""
        return any(one.is_growing for one in self.messages.values())


class View:
    """Looks wherever something was said, and tells what is new.

    Args:
        chat: the stand-in.
        person: who looks.
        names: of channels, by id; any other is a direct conversation.
        people: names of people, by id, for where they are mentioned.
    """

    def __init__(
        self, chat: Rehearsal, person: str, *, names: Mapping[str, str], people: Mapping[str, str]
    ) -> None:
        self._chat = chat
        self._person = person
        self._names = names
        self._people = people
        self._places: dict[tuple[str | None, str], None] = {(one, ""): None for one in names}
        self._places[None, ""] = None
        self._before = self._last = Beheld({}, None)
        self._numbers: dict[tuple[str, str], int] = {}

    def look_at(self, said: Said) -> None:
        """Look from now on also where the answer to this is looked for."""
        if said.thread:
            self._places[said.channel, said.thread] = None

    def begin(self) -> None:
        """Take what is told next for what is new since the last time."""
        self._before = self._last

    def expect_form(self, name: str) -> None:
        """Take the form that a button opens for a new one, also if it is as it was before."""
        if name in {"quotes", "unhelpful"}:
            self._last = Beheld(self._last.messages, None)

    def look(self) -> Beheld:
        """Return what is seen now."""
        seen: dict[str, Seen] = {}
        for channel, thread in [*self._places]:
            for one in self._chat.seen(self._person, channel=channel, thread=thread):
                seen[one.id] = one
                if not one.thread and one.only_for is None:
                    self._places[channel, one.id] = None
        return Beheld(seen, self._chat.form(self._person))

    def is_new(self, seen: Beheld) -> bool:
        """Tell whether something is seen that was not told of."""
        return any(self._rows(seen))

    def told(self, seen: Beheld) -> list[Line]:
        """Return the lines that tell what is new."""
        self._last = seen
        return [*self._rows(seen)]

    def button(self, named: str) -> tuple[Seen, Button]:
        """Return a button that is seen, by its number or by what stands on it.

        Raises:
            CannotAct: there is none.
        """
        seen = self.look().messages.values()
        found = {self._number(one, button): (one, button) for one in seen for button in one.buttons}
        if not found:
            raise CannotAct("there is no button here yet; ask something first")
        if named.isdecimal():
            if int(named) in found:
                return found[int(named)]
            raise CannotAct(f"there is no button {named}; there are: {_listed(found)}")
        for number in sorted(found, reverse=True):
            if found[number][1].label.casefold() == named.casefold():
                return found[number]
        labels = dict.fromkeys(button.label for _, button in found.values())
        raise CannotAct(f'there is no button "{named}"; there are: {", ".join(labels)}')

    def page(self, text: str | None) -> list[Line]:
        """Return the lines of the bot's own page."""
        lines = text or "there is nothing on it yet"
        return [_head("bot \u00b7 its own page"), *self._said(lines)]

    def _rows(self, seen: Beheld) -> Iterator[Line]:
        known = self._before.messages
        blank = False
        for one in seen.messages.values():
            before = known.get(one.id)
            if before is not None and _visible(before) == _visible(one):
                continue
            if blank:
                yield Line()
            blank = True
            yield _head(_SPACED.join(["bot", self._where(one), *(["changed"] if before else [])]))
            yield from self._said(one.text)
            for button in one.buttons:
                number = self._number(one, button)
                yield Line((Piece(safe(f"[{number}] {button.label}"), Look.MARK),), _INDENT)
        for id_, one in known.items():
            if id_ not in seen.messages and one.only_for is None:
                first = " ".join(one.text.split())[:_MOST_TAKEN_BACK]
                words = safe(f"bot \u00b7 {self._where(one)} \u00b7 took back: {first} \u2026")
                yield Line((Piece(words, Look.FAINT),))
        if seen.form is not None and seen.form != self._before.form:
            if blank:
                yield Line()
            yield _head("bot \u00b7 opens to you alone")
            yield from self._said(seen.form)

    def _said(self, text: str) -> Iterator[Line]:
        """Yield the lines of a text, in which people are mentioned by name."""
        for id_, name in self._people.items():
            text = text.replace(f"<@{id_}>", f"@{name}").replace(f"@{id_}", f"@{name}")
        return _indented(text)

    def _where(self, one: Seen) -> str:
        parts = [self._names.get(one.channel, "direct")]
        parts += ["thread"] if one.thread else []
        parts += ["to you alone"] if one.only_for else []
        return _SPACED.join(parts)

    def _number(self, one: Seen, button: Button) -> int:
        return self._numbers.setdefault((one.id, button.label), len(self._numbers) + 1)


def _visible(one: Seen) -> tuple[object, ...]:
    return one.text, [button.label for button in one.buttons]


def _head(words: str) -> Line:
    return Line((Piece(safe(words), Look.STRONG),))


def _indented(text: str) -> Iterator[Line]:
    for line in text.split("\n"):
        yield Line((Piece(safe(line)),), _INDENT, _INDENT)


def _listed(numbers: Mapping[int, object]) -> str:
    return ", ".join(map(str, sorted(numbers)))
