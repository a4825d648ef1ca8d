"""People, and other bots: everything that somebody can do on Discord before a bot notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from citewell.chat import CannotAct
from citewell_discord.testing.arguments import Arguments
from citewell_discord.testing.bodies import Component, ComponentType, MessageBody, ThreadBody
from citewell_discord.testing.command_rules import Command, CommandKind
from citewell_discord.testing.errors import Payload
from citewell_discord.testing.forms import submission
from citewell_discord.testing.interactions import Interaction, InteractionKind, Interactions
from citewell_discord.testing.message_rules import drafted
from citewell_discord.testing.messages import MENUS, Draft, Message, MessageKind, Upload, walk
from citewell_discord.testing.permissions import Permissions
from citewell_discord.testing.places import Channel, ChannelKind, User
from citewell_discord.testing.posts import Origin, Posts
from citewell_discord.testing.threads import Threads
from citewell_discord.testing.world import World


class Person:
    """Somebody at a keyboard.

    Args:
        user: who it is; may be a bot.
        world: where they act.
        posts: with which they write.
        threads: with which they start posts.
        interactions: through which they ask bots.
    """

    def __init__(
        self, user: User, world: World, posts: Posts, threads: Threads, interactions: Interactions
    ) -> None:
        self.user = user
        self._world = world
        self._posts = posts
        self._threads = threads
        self._interactions = interactions

    @property
    def mention(self) -> str:
        """What a message says to ring them."""
        return self.user.mention

    def seen(self, channel: Channel) -> Sequence[Message]:
        """Return the messages of a channel that they can read, oldest first.

        Ephemeral answers to them are among them; without the right to see the channel there are
        none.
        """
        if not channel.allows(self.user, Permissions.VIEW_CHANNEL):
            return []
        has_history = channel.allows(self.user, Permissions.READ_MESSAGE_HISTORY)
        return [
            one
            for one in channel.messages.values()
            if not one.is_deleted
            and (has_history or one.seen_by is self.user)
            and one.seen_by in {None, self.user}
        ]

    def say(self, channel: Channel, text: str, *files: Upload) -> Message:
        """Write in a channel or thread."""
        self._may(channel, Permissions.SEND_MESSAGES)
        return self._write(channel, text, files)

    def tell_bot(self, text: str, *files: Upload) -> Message:
        """Write to the bot directly."""
        return self._write(self._world.direct(self.user), text, files)

    def reply(self, message: Message, text: str, *files: Upload) -> Message:
        """Answer a message."""
        self._may(message.channel, Permissions.SEND_MESSAGES)
        origin = Origin(kind=MessageKind.REPLY, reference=message)
        return self._write(message.channel, text, files, origin)

    def edit(self, message: Message, text: str) -> None:
        """Change what they wrote."""
        self._is_own(message)
        draft = drafted(
            MessageBody(content=text), before=message.draft, attachments=message.attachments
        )
        self._posts.change(message, draft)

    def delete(self, message: Message) -> None:
        """Take back what they wrote, or as a moderator what somebody else did."""
        if not message.channel.allows(self.user, Permissions.MANAGE_MESSAGES):
            self._is_own(message)
        self._posts.remove(message)

    def react(self, message: Message, emoji: str) -> None:
        """Put a reaction under a message."""
        self._sees(message)
        self._may(message.channel, Permissions.ADD_REACTIONS)
        self._posts.react(message, self.user, emoji)

    def unreact(self, message: Message, emoji: str) -> None:
        """Take a reaction back."""
        self._posts.unreact(message, self.user, emoji)

    def type(self, channel: Channel) -> None:
        """Be seen typing."""
        self._may(channel, Permissions.SEND_MESSAGES)
        self._posts.type(channel, self.user)

    def start_thread(self, message: Message, name: str) -> Channel:
        """Start a thread below a message."""
        self._may(message.channel, Permissions.CREATE_PUBLIC_THREADS)
        return self._threads.start_below(message, ThreadBody(name=name), self.user)

    def start_private_thread(self, channel: Channel, name: str) -> Channel:
        """Start a thread that only those see who are added to it."""
        self._may(channel, Permissions.CREATE_PRIVATE_THREADS)
        body = ThreadBody(name=name, type=ChannelKind.PRIVATE_THREAD)
        return self._threads.start(channel, body, self.user)

    def add_to_thread(self, thread: Channel, user: User) -> None:
        """Make somebody a member of a thread."""
        self._may(thread, Permissions.SEND_MESSAGES_IN_THREADS)
        self._threads.join(thread, user)

    def post(self, forum: Channel, title: str, text: str, *, tags: Sequence[str] = ()) -> Channel:
        """Start a post of a forum."""
        self._may(forum, Permissions.SEND_MESSAGES)
        body = ThreadBody(name=title, applied_tags=[forum.tag(tag).id for tag in tags])
        return self._threads.post(forum, body, self.user, Draft(content=text))

    def refuse_direct(self) -> None:
        """Take no direct messages from the bot."""
        self._world.closed.add(self.user.id)

    def slash(self, channel: Channel, name: str, **options: object) -> Interaction:
        """Use a slash command.

        Args:
            channel: where.
            name: of the command; one of a group is "group command".
            options: a value may be a user, a role, a channel or a file.

        Raises:
            CannotAct: it cannot be used so, here or by this person.
        """
        self._may(channel, Permissions.USE_APPLICATION_COMMANDS)
        first, *below = name.split()
        command = self._command(channel, first, CommandKind.SLASH)
        arguments = Arguments(channel, self._posts)
        given = arguments.given(command, below, options)
        data: Payload = {
            "id": str(command.id),
            "name": command.name,
            "type": int(command.kind),
            "options": given,
            "resolved": arguments.resolved,
        }
        if command.guild_id is not None:
            data["guild_id"] = str(command.guild_id)
        return self._interactions.open(InteractionKind.COMMAND, self.user, channel, data)

    def use_on_message(self, name: str, message: Message) -> Interaction:
        """Choose a command from the menu of a message."""
        self._sees(message)
        self._may(message.channel, Permissions.USE_APPLICATION_COMMANDS)
        command = self._command(message.channel, name, CommandKind.MESSAGE_MENU)
        data: Payload = {
            "id": str(command.id),
            "name": command.name,
            "type": int(command.kind),
            "target_id": str(message.id),
            "resolved": {"messages": {str(message.id): self._interactions.written(message)}},
        }
        return self._interactions.open(InteractionKind.COMMAND, self.user, message.channel, data)

    def press(self, message: Message, button: str) -> Interaction:
        """Press the button of this `custom_id`, or with this label or emoji."""
        component = self._component(message, frozenset({ComponentType.BUTTON}), button)
        return self._use(message, component, {})

    def choose(self, message: Message, menu: str, *values: str) -> Interaction:
        """Choose from the menu of this `custom_id`."""
        component = self._component(message, MENUS, menu)
        known = {option.value for option in component.options or ()}
        if not set(values) <= known:
            raise CannotAct(f"{values}: not all of them are offered; offered are {sorted(known)}")
        return self._use(message, component, {"values": list(values)})

    def submit(
        self, interaction: Interaction, values: Mapping[str, str | Sequence[str]]
    ) -> Interaction:
        """Fill in the form that `interaction` was answered with, by `custom_id`, and send it."""
        modal = interaction.modal
        if modal is None or interaction.user is not self.user:
            raise CannotAct(f"{self.user.name} was shown no form in answer to this")
        data: Payload = {
            "custom_id": modal.custom_id,
            "components": submission(modal, values),
            "resolved": {},
        }
        return self._interactions.open(
            InteractionKind.MODAL,
            self.user,
            interaction.channel,
            data,
            message=interaction.message,
        )

    def _write(
        self,
        channel: Channel,
        text: str,
        files: Sequence[Upload],
        origin: Origin = Origin(),  # noqa: B008 - frozen
    ) -> Message:
        attachments = [self._posts.attach(channel, one) for one in files]
        draft = drafted(MessageBody(content=text), attachments=attachments)
        return self._posts.write(channel, self.user, draft, origin)

    def _use(self, message: Message, component: Component, more: Payload) -> Interaction:
        data: Payload = {
            "custom_id": component.custom_id,
            "component_type": int(component.type),
            "id": component.id,
            **more,
        }
        kind = InteractionKind.COMPONENT
        return self._interactions.open(kind, self.user, message.channel, data, message=message)

    def _component(self, message: Message, types: frozenset[ComponentType], name: str) -> Component:
        self._sees(message)
        for one in walk(message.components):
            emoji = None if one.emoji is None else one.emoji.name
            if one.type in types and one.custom_id and name in {one.custom_id, one.label, emoji}:
                if one.disabled:
                    raise CannotAct(f"{name}: it is disabled")
                return one
        known = [one.custom_id for one in walk(message.components) if one.custom_id]
        raise CannotAct(f"{name}: the message has no such button or menu; it has {known}")

    def _command(self, channel: Channel, name: str, kind: CommandKind) -> Command:
        offered = [one for one in self._world.commands if one.kind == kind]
        # The command of a guild is offered before a global one of the same name.
        for one in sorted(offered, key=lambda one: one.guild_id is None):
            if one.name == name and self._is_offered(one, channel):
                return one
        known = [one.name for one in offered]
        raise CannotAct(f"{name}: no such command is registered here; registered are {known}")

    def _is_offered(self, command: Command, channel: Channel) -> bool:
        """Tell whether the command can be used here, by this person."""
        if channel.guild is None:
            return command.is_direct
        if command.guild_id not in {None, channel.guild.id} or not command.is_in_guilds:
            return False
        if not channel.guild.has_commands:
            return False
        needed = Permissions(int(command.body.default_member_permissions or 0))
        is_closed = command.body.default_member_permissions is not None and not needed
        is_administrator = channel.allows(self.user, Permissions.ADMINISTRATOR)
        return is_administrator or (not is_closed and channel.allows(self.user, needed))

    def _may(self, channel: Channel, right: Permissions) -> None:
        if channel.is_thread and right == Permissions.SEND_MESSAGES:
            right = Permissions.SEND_MESSAGES_IN_THREADS
        if not channel.allows(self.user, right):
            raise CannotAct(f"{self.user.name} lacks {right.name} in {channel.name or channel.id}")

    def _is_own(self, message: Message) -> None:
        if message.author is not self.user:
            raise CannotAct(f"{self.user.name} did not write this message")

    def _sees(self, message: Message) -> None:
        is_hidden = message.seen_by is not None and message.seen_by is not self.user
        if is_hidden or message.is_deleted:
            raise CannotAct(f"{self.user.name} does not see this message")
        self._may(message.channel, Permissions.VIEW_CHANNEL)
