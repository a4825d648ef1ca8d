"""A double of Discord: a real client talks to it over real sockets, and nothing leaves the machine.

It holds what Discord holds, refuses what Discord refuses and breaks when a test says so; people
act in it through methods, and everything that a bot did can be read.
"""

from citewell.chat import CannotAct
from citewell_discord.testing.bodies import ButtonStyle, Component, ComponentType, Embed
from citewell_discord.testing.calls import RestCall
from citewell_discord.testing.clock import Clock
from citewell_discord.testing.double import DiscordDouble
from citewell_discord.testing.events import Intents
from citewell_discord.testing.forms import NotSendable
from citewell_discord.testing.interactions import Callback, Interaction, InteractionKind
from citewell_discord.testing.messages import (
    Attachment,
    Draft,
    Message,
    MessageFlags,
    MessageKind,
    Revision,
    Upload,
)
from citewell_discord.testing.people import Person
from citewell_discord.testing.permissions import ALL, MEMBER, Overwrite, Permissions
from citewell_discord.testing.places import Channel, ChannelKind, Guild, Member, Role, Tag, User
from citewell_discord.testing.pointing import pointed_at
from citewell_discord.testing.rates import Rate
from citewell_discord.testing.rendering import Button, Link, Rendered, rendered

__all__ = [
    "ALL",
    "MEMBER",
    "Attachment",
    "Button",
    "ButtonStyle",
    "Callback",
    "CannotAct",
    "Channel",
    "ChannelKind",
    "Clock",
    "Component",
    "ComponentType",
    "DiscordDouble",
    "Draft",
    "Embed",
    "Guild",
    "Intents",
    "Interaction",
    "InteractionKind",
    "Link",
    "Member",
    "Message",
    "MessageFlags",
    "MessageKind",
    "NotSendable",
    "Overwrite",
    "Permissions",
    "Person",
    "Rate",
    "Rendered",
    "RestCall",
    "Revision",
    "Role",
    "Tag",
    "Upload",
    "User",
    "pointed_at",
    "rendered",
]
