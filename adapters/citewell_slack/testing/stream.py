"""What has been streamed into one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from citewell_slack.testing.blocks import identified
from citewell_slack.testing.wire import JsonObject, objects

_TASK_FIELDS = {"title", "status", "details", "output", "sources"}


@dataclass
class Stream:
    """The chunks of a streamed message, joined as they are shown.

    Attributes:
        mode: tasks in their places, or gathered where the first one stands.
        plan_title: of the gathered tasks.
        recipient: whom it is streamed to.
        ended: how it ended; None while it runs.
    """

    started_at: float
    mode: Literal["timeline", "plan"] = "timeline"
    recipient: str | None = None
    plan_title: str | None = None
    appended_at: float = 0.0
    ended: Literal["stopped", "expired", "stopped by a person"] | None = None
    parts: list[JsonObject] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Tell whether more may be appended."""
        return self.ended is None

    @property
    def text(self) -> str:
        """The Markdown streamed so far, without tasks."""
        return "".join(part["text"] for part in self.parts if part["type"] == "markdown")

    @property
    def tasks(self) -> list[JsonObject]:
        """The task cards as they are now."""
        return [part for part in self.parts if part["type"] == "task_card"]

    @property
    def size(self) -> int:
        """Characters of text and cards, which share one cap."""
        cards = sum(_chars(card) for card in self.tasks)
        return len(self.text) + cards

    def append(self, chunks: Sequence[JsonObject]) -> None:
        """Join checked chunks to what is there."""
        for chunk in chunks:
            match chunk["type"]:
                case "markdown_text":
                    self._add_text(chunk["text"])
                case "task_update":
                    self._update_task(chunk)
                case "plan_update":
                    self.plan_title = chunk["title"]
                case "blocks":
                    self.parts += identified(objects(chunk["blocks"]))

    def blocks(self) -> list[JsonObject]:
        """Return what is shown, as blocks."""
        parts = [{**part} for part in self.parts]
        if self.mode == "timeline" or not (self.tasks or self.plan_title):
            return parts
        tasks = [part for part in parts if part["type"] == "task_card"]
        plan = {"type": "plan", "title": self.plan_title or "", "tasks": tasks}
        first = self.parts.index(self.tasks[0]) if self.tasks else 0
        shown = [*parts[:first], plan, *parts[first:]]
        return [part for part in shown if part["type"] != "task_card"]

    def _add_text(self, text: str) -> None:
        if self.parts and self.parts[-1]["type"] == "markdown":
            self.parts[-1]["text"] += text
        elif text:
            self.parts.append({"type": "markdown", "text": text})

    def _update_task(self, chunk: JsonObject) -> None:
        changes = {name: value for name, value in chunk.items() if name in _TASK_FIELDS}
        for card in self.tasks:
            if card["task_id"] == chunk["id"]:
                # An update replaces title, status and sources, but adds to what was written.
                written = {name: card[name] for name in ("details", "output") if name in card}
                card.update(changes)
                for name, text in written.items():
                    card[name] = text + changes.get(name, "")
                return
        self.parts.append({"type": "task_card", "task_id": chunk["id"], **changes})


def _chars(card: JsonObject) -> int:
    # A card takes room beyond its words: messages fail at about 3,000 characters and 24 cards.
    words = sum(len(card.get(name) or "") for name in ("title", "details", "output"))
    sources = sum(len(one["url"]) + len(one["text"]) for one in objects(card.get("sources")))
    return 300 + words + sources
