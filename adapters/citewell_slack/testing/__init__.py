"""A double of Slack, which the real client libraries talk to over sockets of this machine."""

from citewell.chat import CannotAct
from citewell_slack.testing.clock import Clock
from citewell_slack.testing.deliveries import Delivery
from citewell_slack.testing.double import SlackDouble
from citewell_slack.testing.messages import Content, Ephemeral, Message
from citewell_slack.testing.person import Person
from citewell_slack.testing.rendering import Button, Link, Mention, Rendered, notified, rendered
from citewell_slack.testing.requests import NotVerified
from citewell_slack.testing.surfaces import View
from citewell_slack.testing.team import Team
from citewell_slack.testing.workspace import Channel, File, User, UserGroup

__all__ = [
    "Button",
    "CannotAct",
    "Channel",
    "Clock",
    "Content",
    "Delivery",
    "Ephemeral",
    "File",
    "Link",
    "Mention",
    "Message",
    "NotVerified",
    "Person",
    "Rendered",
    "SlackDouble",
    "Team",
    "User",
    "UserGroup",
    "View",
    "notified",
    "rendered",
]
