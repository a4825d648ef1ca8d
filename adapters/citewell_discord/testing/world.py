"""Everything that a double knows: who there is, where, and what may be reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from citewell_discord.testing.clock import Clock, Snowflakes
from citewell_discord.testing.command_rules import Command
from citewell_discord.testing.errors import (
    Payload,
    Refusal,
    missing_access,
    missing_permissions,
    unknown,
)
from citewell_discord.testing.events import Event, Intents
from citewell_discord.testing.messages import Attachment, Message
from citewell_discord.testing.payloads import (
    channel_payload,
    guild_payload,
    member_payload,
    message_payload,
    role_payload,
    user_payload,
)
from citewell_discord.testing.permissions import Overwrite, Permissions
from citewell_discord.testing.places import Channel, ChannelKind, Guild, Member, Role, Tag, User

# Source: discord.com/developers/docs/interactions/application-commands, "Registering a Command".
_NEW_COMMANDS_A_DAY = 200


class World:
    """The state behind a double; what changes in it is published as events.

    Attributes:
        bot: the user of the application under test.
        developer: who owns the application.
        enabled: the privileged intents that the application was given.
        channels: by id, threads and direct conversations among them.
        commands: registered for the application.
        files: what can be downloaded, by path.
        closed: ids of the users who take no direct messages from the bot.
        publish: called with each event.
    """

    def __init__(self, clock: Clock, publish: Callable[[Event], None]) -> None:
        self.clock = clock
        self.ids = Snowflakes(clock)
        self.publish = publish
        self.enabled = Intents.GUILD_MEMBERS | Intents.PRESENCES | Intents.MESSAGE_CONTENT
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.commands: list[Command] = []
        self._new_commands: list[tuple[float, int | None]] = []
        self.files: dict[str, Attachment] = {}
        self.files_url = ""
        self.closed: set[int] = set()
        self.developer = self.add_user("developer")
        self.bot = self.add_user("citewell", is_bot=True)
        self.application_id = self.ids.next()

    def add_user(self, name: str, *, is_bot: bool = False) -> User:
        """Let somebody exist, as yet in no guild."""
        user = User(self.ids.next(), name, is_bot)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, *, rights: Permissions | None = None) -> Guild:
        """Found a guild that the bot is invited to.

        Args:
            name: what it is called.
            rights: what the bot is given beside what everybody has; by default nothing.
        """
        owner = self.add_user(f"owner of {name}")
        guild = Guild(self.ids.next(), name, owner.id, joined_at=self.clock.now())
        self.guilds[guild.id] = guild
        for user in (owner, self.bot):
            guild.members[user.id] = Member(user, self.clock.now())
        if rights is not None:
            role = Role(self.ids.next(), self.bot.name, rights)
            guild.roles[role.id] = role
            guild.members[self.bot.id].roles.append(role)
        members = [guild.members[self.bot.id]]
        self._tell(guild, "GUILD_CREATE", guild_payload(guild, self.bot, members=members))
        return guild

    def remove_guild(self, guild: Guild) -> None:
        """Let the bot be thrown out of a guild."""
        del self.guilds[guild.id]
        guild.members.pop(self.bot.id, None)
        self._tell(guild, "GUILD_DELETE", {"id": str(guild.id)})

    def add_role(self, guild: Guild, name: str, rights: Permissions = Permissions.NONE) -> Role:
        """Give a guild a role that nobody has yet."""
        role = Role(self.ids.next(), name, rights, position=len(guild.roles))
        guild.roles[role.id] = role
        payload: Payload = {"guild_id": str(guild.id), "role": role_payload(role)}
        self._tell(guild, "GUILD_ROLE_CREATE", payload)
        return role

    def change_role(self, guild: Guild, role: Role, rights: Permissions) -> None:
        """Change what a role may do."""
        role.permissions = rights
        payload: Payload = {"guild_id": str(guild.id), "role": role_payload(role)}
        self._tell(guild, "GUILD_ROLE_UPDATE", payload)

    def add_text(self, guild: Guild, name: str, overwrites: Sequence[Overwrite] = ()) -> Channel:
        """Open a channel for messages."""
        return self._open(
            Channel(
                self.ids.next(), ChannelKind.TEXT, name, guild=guild, overwrites=list(overwrites)
            )
        )

    def add_forum(
        self, guild: Guild, name: str, tags: Sequence[str] = (), *, requires_tag: bool = False
    ) -> Channel:
        """Open a forum whose posts may carry these tags; one that starts with "!" is moderated."""
        made = [Tag(self.ids.next(), tag.removeprefix("!"), tag.startswith("!")) for tag in tags]
        return self._open(
            Channel(
                self.ids.next(),
                ChannelKind.FORUM,
                name,
                guild=guild,
                tags=made,
                requires_tag=requires_tag,
            )
        )

    def direct(self, user: User) -> Channel:
        """Return the conversation of `user` with the bot; there is one from the first call on."""
        for channel in self.channels.values():
            if channel.is_direct and user in channel.recipients:
                return channel
        channel = Channel(self.ids.next(), ChannelKind.DIRECT, recipients=[user, self.bot])
        self.channels[channel.id] = channel
        return channel

    def remove_channel(self, channel: Channel) -> None:
        """Let a channel or thread be deleted, with the threads that hang below it."""
        below = [one for one in self.channels.values() if one.parent is channel]
        for one in [*below, channel]:
            name = "THREAD_DELETE" if one.is_thread else "CHANNEL_DELETE"
            self.tell_channel(name, one)
            del self.channels[one.id]
            if one.guild is not None:
                del one.guild.channels[one.id]

    def set_overwrites(self, channel: Channel, overwrites: Sequence[Overwrite]) -> None:
        """Change who may do what in a channel."""
        channel.overwrites = list(overwrites)
        self.tell_channel("CHANNEL_UPDATE", channel)

    def join(self, guild: Guild, user: User, roles: Sequence[Role] = ()) -> Member:
        """Let somebody become a member."""
        member = Member(user, self.clock.now(), list(roles))
        guild.members[user.id] = member
        self._tell_member(guild, "GUILD_MEMBER_ADD", member)
        return member

    def leave(self, guild: Guild, user: User) -> None:
        """Let a member go."""
        del guild.members[user.id]
        payload: Payload = {"guild_id": str(guild.id), "user": user_payload(user)}
        self._tell(guild, "GUILD_MEMBER_REMOVE", payload, Intents.GUILD_MEMBERS)

    def set_roles(self, guild: Guild, user: User, roles: Sequence[Role]) -> None:
        """Change which roles a member has."""
        member = guild.members[user.id]
        member.roles = list(roles)
        self._tell_member(guild, "GUILD_MEMBER_UPDATE", member)

    def channel(self, id_: int) -> Channel:
        """Return a channel that the bot may see.

        Raises:
            Refusal: there is none, or it may not be seen.
        """
        channel = self.channels.get(id_)
        if channel is None:
            raise unknown("Channel")
        if not channel.allows(self.bot, Permissions.VIEW_CHANNEL):
            raise missing_access()
        return channel

    def message(self, channel: Channel, id_: int) -> Message:
        """Return a message that everybody who reads the channel can see.

        Raises:
            Refusal: there is none.
        """
        message = channel.messages.get(id_)
        if message is None or message.is_deleted or message.is_ephemeral:
            raise unknown("Message")
        return message

    def guild(self, id_: int) -> Guild:
        """Return a guild that the bot is in.

        Raises:
            Refusal: it is not in one of this id.
        """
        guild = self.guilds.get(id_)
        if guild is None:
            raise unknown("Guild")
        return guild

    def note_new_commands(self, guild_id: int | None, count: int) -> None:
        """Count commands that were not registered before.

        Raises:
            Refusal: there were too many in a day.
        """
        now = self.clock.now()
        self._new_commands = [one for one in self._new_commands if one[0] > now - 24 * 3600]
        used = sum(of == guild_id for _, of in self._new_commands)
        if used + count > _NEW_COMMANDS_A_DAY:
            message = "Max number of daily application command creates has been reached (200)"
            raise Refusal(400, 30034, message)
        self._new_commands += [(now, guild_id)] * count

    def demand(self, channel: Channel, right: Permissions) -> None:
        """Refuse what the bot may not do in a channel.

        Raises:
            Refusal: it lacks some of `right`.
        """
        if not channel.allows(self.bot, Permissions.VIEW_CHANNEL):
            raise missing_access()
        if not channel.allows(self.bot, right):
            raise missing_permissions()

    def written(self, message: Message) -> Payload:
        """Write a message as the API returns it to the bot."""
        return message_payload(
            message,
            viewer=self.bot,
            application_id=self.application_id,
            with_content=bool(self.enabled & Intents.MESSAGE_CONTENT),
        )

    def tell_channel(self, name: str, channel: Channel, **more: object) -> None:
        """Publish what became of a channel or thread that the bot may see."""
        guild = channel.guild
        if guild is None or (
            channel.is_thread and not channel.allows(self.bot, Permissions.VIEW_CHANNEL)
        ):
            return
        self._tell(guild, name, {**channel_payload(channel, viewer=self.bot), **more})

    def _open(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        if channel.guild is not None:
            channel.guild.channels[channel.id] = channel
        self.tell_channel("CHANNEL_CREATE", channel)
        return channel

    def _tell_member(self, guild: Guild, name: str, member: Member) -> None:
        payload = {**member_payload(member), "guild_id": str(guild.id)}
        # A bot is told of itself without asking for the intent.
        intents = Intents.GUILDS if member.user is self.bot else Intents.GUILD_MEMBERS
        self._tell(guild, name, payload, intents)

    def _tell(
        self, guild: Guild, name: str, payload: Payload, intents: Intents = Intents.GUILDS
    ) -> None:
        self.publish(Event(name, payload, intents, guild.id))
