"""Commands, shortcuts, clicks and forms: what the app is sent, and what its answer does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from citewell_slack.testing.board import Board
from citewell_slack.testing.deliveries import Deliveries, Delivery
from citewell_slack.testing.messages import Ephemeral, Message
from citewell_slack.testing.rendering import Button
from citewell_slack.testing.surfaces import View
from citewell_slack.testing.triggers import ResponseUrls, Triggers
from citewell_slack.testing.views import Views, check_view
from citewell_slack.testing.wire import JsonObject, Refusal
from citewell_slack.testing.workspace import Channel, Workspace

Place: TypeAlias = Message | Ephemeral | View
"""Where something can be pressed."""
Then: TypeAlias = Callable[[object], None]


class Interactions:
    """Sends what people do to the app.

    Attributes:
        errors: what Slack showed people beside their input, oldest first.
        refused: answers of the app that Slack would not take.
    """

    def __init__(
        self,
        workspace: Workspace,
        board: Board,
        deliveries: Deliveries,
        *,
        triggers: Triggers,
        response_urls: ResponseUrls,
        views: Views,
    ) -> None:
        self.errors: list[Mapping[str, str]] = []
        self.refused: list[Refusal] = []
        self._workspace = workspace
        self._board = board
        self._deliveries = deliveries
        self._triggers = triggers
        self._response_urls = response_urls
        self._views = views

    def command(self, user: str, channel: Channel, *, name: str, text: str) -> Delivery:
        """Send a slash command; what the app says with its acknowledgement is shown."""
        workspace = self._workspace
        url = self._response_urls.issue(self._board, channel, user)
        payload = {
            "token": "verification-token",
            "team_id": workspace.team,
            "team_domain": workspace.domain,
            "channel_id": channel.id,
            "channel_name": channel.name or "directmessage",
            "user_id": user,
            "user_name": workspace.users[user].name,
            "command": name,
            "text": text,
            "api_app_id": workspace.app,
            "is_enterprise_install": "false",
            "response_url": url,
            "trigger_id": self._triggers.issue(user),
        }
        return self._deliveries.send(
            "slash_commands", payload, lambda answer: self._commanded(url, answer)
        )

    def shortcut(self, user: str, message: Message, *, callback_id: str) -> Delivery:
        """Send a shortcut of a message."""
        channel = self._workspace.channels[message.channel]
        return self._send(
            user,
            {
                "type": "message_action",
                "callback_id": callback_id,
                "action_ts": self._workspace.clock.stamp(),
                "message_ts": message.ts,
                "message": message.to_json(),
                "channel": self._named(channel),
                "response_url": self._response_urls.issue(self._board, channel, user, message),
            },
        )

    def click(self, user: str, place: Place, button: Button) -> Delivery:
        """Send a press of a button."""
        action = {
            "type": button.kind,
            "action_id": button.action_id,
            "block_id": button.block_id,
            "text": {"type": "plain_text", "text": button.text, "emoji": True},
            "value": button.value,
        }
        return self.act(user, place, action)

    def act(self, user: str, place: Place, action: JsonObject) -> Delivery:
        """Send an action of some element."""
        timed = {**action, "action_ts": self._workspace.clock.stamp()}
        shared = {"type": "block_actions", "actions": [timed], "state": {"values": {}}}
        return self._send(user, shared | self._place(user, place))

    def submit(self, view: View, values: JsonObject) -> Delivery:
        """Send a filled form; the answer says what becomes of it."""
        shown = self._views.to_json(view) | {"state": {"values": values}}
        return self._send(
            view.user,
            {"type": "view_submission", "view": shown, "response_urls": []},
            lambda answer: self._submitted(view, answer),
        )

    def close(self, view: View) -> Delivery | None:
        """Close a modal; the app hears of it if it asked to."""
        self._views.close(view)
        if not view.body.get("notify_on_close"):
            return None
        shown = self._views.to_json(view)
        return self._send(view.user, {"type": "view_closed", "view": shown, "is_cleared": False})

    def _commanded(self, url: str, answer: object) -> None:
        try:
            self._response_urls.say(url, answer)
        except Refusal as refusal:
            self.refused.append(refusal)

    def _submitted(self, view: View, answer: object) -> None:
        body = answer if isinstance(answer, dict) else {}
        try:
            match body.get("response_action"):
                case "errors":
                    self.errors.append(body.get("errors") or {})
                case "update":
                    self._views.change(view, check_view(body.get("view"), "modal"))
                case "push":
                    self._views.push(view, check_view(body.get("view"), "modal"))
                case "clear":
                    self._views.close(view, all_stacked=True)
                case _:
                    self._views.close(view)
        except Refusal as refusal:
            self.refused.append(refusal)

    def _place(self, user: str, place: Place) -> JsonObject:
        if isinstance(place, View):
            shown = self._views.to_json(place)
            return {"container": {"type": "view", "view_id": place.id}, "view": shown}
        channel = self._workspace.channels[place.channel]
        is_ephemeral = isinstance(place, Ephemeral)
        container: JsonObject = {
            "type": "message",
            "message_ts": place.ts,
            "channel_id": channel.id,
            "is_ephemeral": is_ephemeral,
        }
        if place.thread_ts:
            container["thread_ts"] = place.thread_ts
        found: JsonObject = {
            "container": container,
            "channel": self._named(channel),
            "response_url": self._response_urls.issue(self._board, channel, user, place),
        }
        # Of an ephemeral, Slack sends no message.
        return found if isinstance(place, Ephemeral) else {**found, "message": place.to_json()}

    def _send(self, user: str, more: JsonObject, then: Then | None = None) -> Delivery:
        workspace = self._workspace
        name = workspace.users[user].name
        payload = {
            "team": {"id": workspace.team, "domain": workspace.domain},
            "user": {"id": user, "username": name, "name": name, "team_id": workspace.team},
            "api_app_id": workspace.app,
            "token": "verification-token",
            "trigger_id": self._triggers.issue(user),
            "enterprise": None,
            "is_enterprise_install": False,
            **more,
        }
        return self._deliveries.send("interactive", payload, then)

    def _named(self, channel: Channel) -> JsonObject:
        return {"id": channel.id, "name": channel.name or "directmessage"}
