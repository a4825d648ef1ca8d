"""What people see beside messages: modals, Home, prompts and statuses."""

from __future__ import annotations

from dataclasses import dataclass, field

from citewell_slack.testing.wire import JsonObject


@dataclass
class View:
    """A modal or a Home view.

    Attributes:
        root: the id of the first of the modals that are stacked.
    """

    id: str
    user: str
    body: JsonObject
    hash: str
    root: str
    previous: str | None = None
    is_open: bool = True

    @property
    def text(self) -> str:
        """Its title."""
        title = self.body.get("title") or {}
        return str(title.get("text", ""))

    @property
    def blocks(self) -> list[JsonObject]:
        """Its blocks."""
        return [*self.body["blocks"]]

    def to_json(self, *, team: str, app: str, bot: str) -> JsonObject:
        """Return the view as answers and payloads carry it."""
        return {
            "callback_id": "",
            "private_metadata": "",
            "external_id": "",
            "close": None,
            "submit": None,
            "clear_on_close": False,
            "notify_on_close": False,
            "state": {"values": {}},
            **self.body,
            "id": self.id,
            "team_id": team,
            "app_id": app,
            "bot_id": bot,
            "hash": self.hash,
            "root_view_id": self.root,
            "previous_view_id": self.previous,
        }


@dataclass(frozen=True)
class Prompts:
    """What the messages tab suggests to ask."""

    title: str
    prompts: tuple[JsonObject, ...]
    thread_ts: str | None


@dataclass(frozen=True)
class Status:
    """The line that says what the bot is doing; empty once it was cleared."""

    text: str
    loading_messages: tuple[str, ...]
    set_at: float


@dataclass
class Surfaces:
    """Everything that is not a message.

    Attributes:
        modals: all that were ever opened, oldest first.
        homes: the published view of each user.
        prompts: by channel.
        statuses: by channel and thread, each with all that was shown, oldest first.
        titles: of threads, by channel and thread.
        sessions: the state of each agent session, by channel and thread.
    """

    modals: list[View] = field(default_factory=list)
    homes: dict[str, View] = field(default_factory=dict)
    prompts: dict[str, Prompts] = field(default_factory=dict)
    statuses: dict[tuple[str, str], list[Status]] = field(default_factory=dict)
    titles: dict[tuple[str, str], str] = field(default_factory=dict)
    sessions: dict[tuple[str, str], str] = field(default_factory=dict)

    def open_modal(self, user: str) -> View | None:
        """Return the modal that is on top, for `user`."""
        shown = [view for view in self.modals if view.user == user and view.is_open]
        return shown[-1] if shown else None

    def status(self, channel: str, thread_ts: str, *, now: float) -> str:
        """Return the status that is shown now, or nothing."""
        shown = self.statuses.get((channel, thread_ts))
        # Slack clears a status after two minutes without a message.
        return shown[-1].text if shown and now - shown[-1].set_at < 120 else ""

    def clear_status(self, channel: str, thread_ts: str | None, *, now: float) -> None:
        """Take a status away, as Slack does when the bot replies."""
        shown = self.statuses.get((channel, thread_ts or ""))
        if shown and shown[-1].text:
            shown.append(Status("", (), now))
