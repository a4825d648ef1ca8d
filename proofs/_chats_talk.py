"""People who ask in a double of Slack, and what each of them must see in the end.

Each question is about an item of its own, whose code stands in the documents alone: so every
message of the bot tells which question it answers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from citewell_slack.testing import Channel, Message, Person, SlackDouble, rendered

_CODE = re.compile(r"\bK\d{5}Q\b")
_PEOPLE = 6
_CHANNELS = 4


def code_of(item: int) -> str:
    """Return what the documents say about an item, and nothing else does."""
    return f"K{(item * 7919 + 13) % 100_000:05d}Q"


def write_documents(folder: Path, items: int) -> None:
    """Write what is known of `items` items."""
    folder.mkdir(parents=True)
    for first in range(0, items, 50):
        lines = [
            f"## Item {item}\n\nThe code of item {item} is {code_of(item)}.\n"
            for item in range(first, min(first + 50, items))
        ]
        text = "# Items\n\n" + "\n".join(lines)
        (folder / f"items-{first:05d}.md").write_text(text, encoding="utf-8")


@dataclass
class Due:
    """A question, and what has to be seen of it.

    Attributes:
        item: whose code must stand in exactly one message; None where none may.
        past: items that it was about before; their codes may stand nowhere.
    """

    message: Message
    channel: Channel
    person: Person
    item: int | None
    past: list[int] = field(default_factory=list)


class Talk:
    """Everything that is said.

    Args:
        double: where.
        items: how many the documents have.
        chance: decides what is done.
    """

    def __init__(self, double: SlackDouble, items: int, chance: random.Random) -> None:
        self._double = double
        self._chance = chance
        self._fresh = iter(chance.sample(range(items), items))
        self.people = [double.add_person(f"person{number}") for number in range(_PEOPLE)]
        self.channels = [
            double.add_channel(f"channel{number}", self.people) for number in range(_CHANNELS)
        ]
        self._machine = double.add_person("machine", is_bot=True)
        for channel in self.channels:
            channel.members.append(self._machine.id)
        self.questions: list[Due] = []
        self.edits = self.deletes = self.chatter = 0

    def step(self) -> None:
        """Do one thing that people do."""
        open_ones = [one for one in self.questions if one.item is not None]
        roll = self._chance.random()
        if roll < 0.12 and open_ones:
            self._edit(self._chance.choice(open_ones))
        elif roll < 0.18 and open_ones:
            self._delete(self._chance.choice(open_ones))
        elif roll < 0.30:
            self._chat()
        elif roll < 0.50 and open_ones:
            self._follow_up(self._chance.choice(open_ones))
        else:
            self._ask()

    def _ask(self) -> None:
        person = self._chance.choice(self.people)
        direct = self._chance.random() < 0.25
        channel = person.im if direct else self._chance.choice(self.channels)
        mention = "" if direct else f"{self._double.mention} "
        self._due(person, channel, mention, None)

    def _follow_up(self, earlier: Due) -> None:
        person = earlier.person
        self._due(person, earlier.channel, "", earlier.message)

    def _due(self, person: Person, channel: Channel, mention: str, thread: Message | None) -> None:
        item = next(self._fresh)
        text = f"{mention}What is the code of item {item}?"
        message = person.say(channel, text, thread=thread)
        self.questions.append(Due(message, channel, person, item))

    def _edit(self, question: Due) -> None:
        item = next(self._fresh)
        is_mention = self._double.mention in question.message.text
        mention = f"{self._double.mention} " if is_mention else ""
        question.person.edit(question.message, f"{mention}What is the code of item {item}?")
        if question.item is not None:
            question.past.append(question.item)
        question.item = item
        self.edits += 1

    def _delete(self, question: Due) -> None:
        question.person.delete(question.message)
        if question.item is not None:
            question.past.append(question.item)
        question.item = None
        self.deletes += 1

    def _chat(self) -> None:
        """Say what is no question to the bot; another bot even names it."""
        channel = self._chance.choice(self.channels)
        if self._chance.random() < 0.5:
            self._machine.say(channel, f"{self._double.mention} the build is done")
        else:
            self._chance.choice(self.people).say(channel, "What is the code of the door?")
        self.chatter += 1

    # --- what must be seen ----------------------------------------------------------------

    def visible(self) -> dict[str, int]:
        """Return how many messages of the bot say each code."""
        counts: dict[str, int] = {}
        for message in self._posted():
            for code in set(_CODE.findall(rendered(message).text)):
                counts[code] = counts.get(code, 0) + 1
        return counts

    def messages(self) -> int:
        """Return how many messages of the bot stand anywhere."""
        return sum(1 for _ in self._posted())

    def wrong(self) -> list[str]:
        """Name what is not as it has to be."""
        counts = self.visible()
        found: list[str] = []
        for number, question in enumerate(self.questions):
            where = f"question {number} ({question.message.ts})"
            if question.item is not None and counts.get(code_of(question.item), 0) != 1:
                times = counts.get(code_of(question.item), 0)
                found.append(f"{where}: item {question.item} is answered {times} times")
            found += [
                f"{where}: item {item} of before still stands there"
                for item in question.past
                if counts.get(code_of(item), 0)
            ]
        due = sum(one.item is not None for one in self.questions)
        if self.messages() != due:
            found.append(f"{self.messages()} messages of the bot for {due} questions")
        found += [f"{one.ts} still streams" for one in self._posted() if one.is_streaming]
        return found

    def _posted(self) -> Iterator[Message]:
        for channel in (*self.channels, *(person.im for person in self.people)):
            for message in self._double.posted(channel):
                if not message.is_tombstone:
                    yield message
