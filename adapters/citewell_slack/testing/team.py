"""One workspace in which the app is, or may be, installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from citewell_slack.testing.api import Tokens, WebApi
from citewell_slack.testing.assistance import Assistance
from citewell_slack.testing.board import Board
from citewell_slack.testing.chat import Chat
from citewell_slack.testing.clock import Clock
from citewell_slack.testing.conversations import Conversations
from citewell_slack.testing.deliveries import Deliveries
from citewell_slack.testing.directory import Directory
from citewell_slack.testing.events import Events
from citewell_slack.testing.installation import Grant, Installation
from citewell_slack.testing.interactions import Interactions
from citewell_slack.testing.limits import Limits
from citewell_slack.testing.messages import Message
from citewell_slack.testing.person import Hands, Person
from citewell_slack.testing.streaming import Streaming
from citewell_slack.testing.triggers import ResponseUrls, Triggers
from citewell_slack.testing.views import Views
from citewell_slack.testing.workspace import Channel, ChannelKind, File, Ids, UserGroup, Workspace


@dataclass(frozen=True)
class Slack:
    """What all workspaces share."""

    clock: Clock
    ids: Ids
    limits: Limits
    api: WebApi
    deliveries: Deliveries
    response_urls: ResponseUrls
    installation: Installation
    changed: Callable[[], None]


class Team:
    """One workspace.

    Attributes:
        workspace: people, channels, messages and all else there is to be seen.
        events: what the app subscribed to.
        tokens: which are good here, and their scopes.
        interactions: what became of submitted forms.
    """

    def __init__(self, slack: Slack, name: str) -> None:
        self.workspace = Workspace(slack.clock, slack.ids, name=name)
        self.tokens = Tokens()
        self.events = Events(self.workspace, slack.deliveries)
        self._slack = slack
        board = Board(self.workspace, self.events, slack.changed)
        triggers = Triggers(slack.clock, slack.limits)
        views = Views(self.workspace, triggers)
        self._directory = Directory(self.workspace, self.events)
        streaming = Streaming(self.workspace, board, slack.limits)
        self.interactions = Interactions(
            self.workspace,
            board,
            slack.deliveries,
            triggers=triggers,
            response_urls=slack.response_urls,
            views=views,
        )
        self._hands = Hands(
            self.workspace,
            board,
            self.events,
            self._directory,
            streaming,
            self.interactions,
            views,
        )
        families = (
            Chat(self.workspace, board, slack.limits),
            streaming,
            Conversations(self.workspace),
            self._directory,
            views,
            Assistance(self.workspace),
        )
        methods = [method for family in families for method in family.methods()]
        slack.api.offer(methods, self.tokens)

    @property
    def team(self) -> str:
        """The workspace's id."""
        return self.workspace.team

    @property
    def bot_token(self) -> str:
        """A token of the bot."""
        return self.tokens.bots[0]

    @property
    def bot_user_id(self) -> str:
        """The bot's own user."""
        return self.workspace.bot.id

    @property
    def mention(self) -> str:
        """What people write to name the bot."""
        return f"<@{self.bot_user_id}>"

    def add_person(self, name: str, *, is_bot: bool = False) -> Person:
        """Add somebody, or another app's bot, who is in no channel yet."""
        return Person(self.workspace.add_user(name, is_bot=is_bot), self._hands)

    def add_group(self, handle: str, people: Iterable[Person] = ()) -> UserGroup:
        """Add a group that can be mentioned."""
        return self.workspace.add_group(handle, [one.id for one in people])

    def add_channel(
        self,
        name: str,
        people: Iterable[Person] = (),
        *,
        is_private: bool = False,
        has_bot: bool = True,
    ) -> Channel:
        """Add a channel with these members."""
        members = [one.id for one in people] + ([self.bot_user_id] if has_bot else [])
        kind = ChannelKind.PRIVATE if is_private else ChannelKind.PUBLIC
        return self.workspace.add_channel(name, members, kind=kind)

    def bot(self) -> Person:
        """Return the app's own user, to be invited or removed."""
        return Person(self.workspace.bot, self._hands)

    def posted(self, channel: Channel) -> list[Message]:
        """Return what the app said in a channel and did not take back, oldest first."""
        every = self.workspace.messages.all(channel.id)
        own = self._hands.board.app_author
        return [one for one in every if one.author == own and not one.is_deleted]

    def unfurl(self, message: Message) -> None:
        """Add a preview to a message, as Slack does with links; the app hears of a change."""
        self.events.changed(message, message.to_json())

    def allow(self, person: Person) -> str:
        """Return the code for the app's redirect once `person` pressed "Allow"."""
        return self._slack.installation.allow(Grant(self.workspace, self.tokens, person.id))

    def uninstall(self) -> None:
        """Take the app away; it hears of that, and of nothing after."""
        revoked = {"oauth": [], "bot": [self.bot_user_id]}
        self.events.other({"type": "tokens_revoked", "tokens": revoked})
        self.events.other({"type": "app_uninstalled"})
        self.tokens.bots.clear()
        self.workspace.is_installed = False

    def file_for(self, token: str, id_: str) -> File | None:
        """Return a file that a token may read."""
        is_good = token in self.tokens.bots and "files:read" in self.tokens.scopes
        return self._directory.readable(id_) if is_good else None
