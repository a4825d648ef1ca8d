"""The Events API: what the app is told of, where it subscribed and may see it."""

from __future__ import annotations

from collections.abc import Mapping

from citewell_slack.testing.deliveries import Deliveries, Delivery
from citewell_slack.testing.messages import Message
from citewell_slack.testing.wire import JsonObject
from citewell_slack.testing.workspace import Channel, ChannelKind, Workspace

SUBSCRIPTIONS = frozenset({
    "agent_session_stopped",
    "app_context_changed",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "member_joined_channel",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "reaction_removed",
    "subteam_created",
    "subteam_members_changed",
    "subteam_updated",
    "tokens_revoked",
})

_MESSAGE_SUBSCRIPTION: Mapping[ChannelKind, str] = {
    ChannelKind.PUBLIC: "message.channels",
    ChannelKind.PRIVATE: "message.groups",
    ChannelKind.GROUP_IM: "message.mpim",
    ChannelKind.IM: "message.im",
}


class Events:
    """Turns what happens into events.

    Attributes:
        subscriptions: the bot events of the manifest.
    """

    def __init__(self, workspace: Workspace, deliveries: Deliveries) -> None:
        self.subscriptions = set(SUBSCRIPTIONS)
        self._workspace = workspace
        self._deliveries = deliveries

    def posted(self, message: Message) -> list[Delivery]:
        """Tell of a new message; a mention in a channel makes two events with one `ts`."""
        event = self._event_of(message)
        sent = self._mention(message, event)
        return sent + self._of_message(message, {**event, "event_ts": message.ts})

    def changed(self, message: Message, before: JsonObject) -> list[Delivery]:
        """Tell of an edit; Slack mentions the bot anew when a mention is edited."""
        stamp = self._workspace.clock.stamp()
        # Slack also calls it a change when it adds a preview; nobody is mentioned by that.
        is_edited = message.to_json()["text"] != before["text"]
        sent = self._mention(message, self._event_of(message)) if is_edited else []
        return sent + self._of_message(
            message,
            {
                "type": "message",
                "subtype": "message_changed",
                "message": message.to_json(),
                "previous_message": before,
                "hidden": True,
                "ts": stamp,
                "event_ts": stamp,
            },
        )

    def deleted(self, message: Message) -> list[Delivery]:
        """Tell that a message is gone."""
        stamp = self._workspace.clock.stamp()
        return self._of_message(
            message,
            {
                "type": "message",
                "subtype": "message_deleted",
                "deleted_ts": message.ts,
                "previous_message": message.to_json(),
                "hidden": True,
                "ts": stamp,
                "event_ts": stamp,
            },
        )

    def other(self, event: JsonObject, *, channel: Channel | None = None) -> list[Delivery]:
        """Tell of what is no message, where the bot is a member of the channel."""
        is_due = self._workspace.is_installed and event["type"] in self.subscriptions
        if not is_due or (channel is not None and not self._workspace.has_bot(channel)):
            return []
        stamp = self._workspace.clock.stamp()
        return [self._send({"event_ts": stamp, **event})]

    def _event_of(self, message: Message) -> JsonObject:
        event = {**message.to_json(), "team": self._workspace.team}
        if message.thread_ts not in {None, message.ts}:
            first = self._workspace.messages.found(message.channel, message.thread_ts or "")
            event["parent_user_id"] = first.user if first else ""
        return event

    def _mention(self, message: Message, event: JsonObject) -> list[Delivery]:
        bot = self._workspace.bot
        channel = self._workspace.channels[message.channel]
        is_due = channel.kind != ChannelKind.IM and self._hears(channel)
        if not is_due or message.user == bot.id or f"<@{bot.id}>" not in message.text:
            return []
        if "app_mention" not in self.subscriptions:
            return []
        # Both events of one message share its `ts`; an edit keeps that, and has its own time.
        stamp = self._workspace.clock.stamp() if message.edits else message.ts
        mention = {**event, "type": "app_mention", "channel": channel.id, "event_ts": stamp}
        mention.pop("subtype", None)
        return [self._send(mention)]

    def _of_message(self, message: Message, event: JsonObject) -> list[Delivery]:
        channel = self._workspace.channels[message.channel]
        is_subscribed = _MESSAGE_SUBSCRIPTION[channel.kind] in self.subscriptions
        if not is_subscribed or not self._hears(channel):
            return []
        return [self._send({**event, "channel": channel.id, "channel_type": str(channel.kind)})]

    def _hears(self, channel: Channel) -> bool:
        return self._workspace.is_installed and self._workspace.has_bot(channel)

    def _send(self, event: JsonObject) -> Delivery:
        workspace = self._workspace
        return self._deliveries.send(
            "events_api",
            {
                "token": "verification-token",
                "team_id": workspace.team,
                "api_app_id": workspace.app,
                "event": event,
                "type": "event_callback",
                "event_id": workspace.new_id("Ev"),
                "event_time": int(workspace.clock.now),
                "authorizations": [
                    {
                        "enterprise_id": None,
                        "team_id": workspace.team,
                        "user_id": workspace.bot.id,
                        "is_bot": True,
                        "is_enterprise_install": False,
                    }
                ],
                "is_ext_shared_channel": False,
            },
        )
