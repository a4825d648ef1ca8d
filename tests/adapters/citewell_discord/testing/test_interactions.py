"""Commands, buttons, menus and forms, answered by a real client."""

import discord
import pytest
from discord import app_commands

from citewell_discord.testing import (
    Callback,
    CannotAct,
    MessageFlags,
    MessageKind,
    NotSendable,
    Permissions,
    Upload,
    rendered,
)
from discord_clients import Bot, answering


@pytest.fixture
def tree():
    """Commands that say how they were used, registered once the client starts."""
    return app_commands.CommandTree(Bot())


async def use(double, person, channel, name="ask", **options):
    """Use a command and wait for the end of it."""
    interaction = person.slash(channel, name, **options)
    await double.until(lambda: interaction.answered)
    return interaction


async def test_a_slash_command_is_answered(double, channel, alice, tree, start):
    @tree.command(description="Ask the documents")
    async def ask(interaction: discord.Interaction, question: str, days: int = 1):
        await interaction.response.send_message(f"{interaction.user.name}: {question} {days}")

    await start_with(tree, start)
    interaction = await use(double, alice, channel, question="why?", days=3)

    (reply,) = interaction.replies
    assert reply.content == "alice: why? 3"
    assert reply.kind == MessageKind.SLASH_COMMAND
    assert double.messages(channel) == [reply]
    assert interaction.answered == Callback.MESSAGE


async def start_with(tree, start):
    """Start the tree's client, with its commands registered."""

    async def setup():
        await tree.sync()

    tree.client.setup_hook = setup
    return await start(tree.client)


async def test_an_answer_names_who_asked(double, channel, alice, tree, start):
    answers = []

    @tree.command(description="Ask the documents")
    async def ask(interaction: discord.Interaction):
        await interaction.response.send_message("done")
        answers.append(await interaction.original_response())

    await start_with(tree, start)
    interaction = await use(double, alice, channel)
    await double.until(lambda: answers)

    assert answers[0].interaction_metadata.user.id == alice.user.id
    assert answers[0].interaction_metadata.id == interaction.id


async def test_options_may_be_users_and_channels(double, guild, channel, alice, tree, start):
    @tree.command(description="Ask")
    async def ask(
        interaction: discord.Interaction, who: discord.Member, where: discord.TextChannel
    ):
        await interaction.response.send_message(f"{who.name} in {where.name}")

    await start_with(tree, start)
    bob = double.person("bob", guild)
    interaction = await use(double, alice, channel, who=bob.user, where=channel)

    assert interaction.replies[0].content == "bob in help"


async def test_options_may_be_roles_and_files(double, guild, channel, alice, tree, start):
    @tree.command(description="Ask")
    async def ask(interaction: discord.Interaction, who: discord.Role, file: discord.Attachment):
        text = (await file.read()).decode()
        await interaction.response.send_message(f"{who.name}: {text}")

    await start_with(tree, start)
    staff = double.world.add_role(guild, "staff")
    file = Upload("a.txt", b"28 days")
    interaction = await use(double, alice, channel, who=staff, file=file)

    assert interaction.replies[0].content == "staff: 28 days"


async def test_a_button_is_pressed_by_its_emoji(double, channel, alice, bot):
    view = answering(discord.ui.Button(emoji="👍", custom_id="up"))
    await bot.get_channel(channel.id).send("good?", view=view)

    interaction = alice.press(double.messages(channel)[0], "👍")

    assert interaction.data["custom_id"] == "up"


async def test_thinking_then_an_edit(double, channel, alice, tree, start):
    loading = []

    @tree.command(description="Ask")
    async def ask(interaction: discord.Interaction):
        await interaction.response.defer(thinking=True)
        loading.append(double.interactions[0].original.is_loading)
        await interaction.edit_original_response(content="done")

    await start_with(tree, start)
    interaction = await use(double, alice, channel)
    await double.until(lambda: interaction.original.content)

    assert loading == [True]
    assert interaction.original.content == "done"
    assert not interaction.original.is_loading
    assert interaction.answered == Callback.DEFERRED_MESSAGE


async def test_first_follow_up_after_thinking_is_the_answer(double, channel, alice, tree, start):
    @tree.command(description="Ask")
    async def ask(interaction: discord.Interaction):
        await interaction.response.defer(thinking=True, ephemeral=True)
        await interaction.followup.send("first")
        await interaction.followup.send("second", ephemeral=True)

    await start_with(tree, start)
    interaction = await use(double, alice, channel)
    await double.until(lambda: interaction.follow_ups)

    assert [one.content for one in interaction.replies] == ["first", "second"]
    assert all(one.seen_by is alice.user for one in interaction.replies)
    assert double.messages(channel) == []


async def test_only_who_asked_sees_an_ephemeral_answer(double, guild, channel, alice, tree, start):
    @tree.command(description="Ask")
    async def ask(interaction: discord.Interaction):
        view = discord.ui.View().add_item(discord.ui.Button(label="share", custom_id="share"))
        await interaction.response.send_message("secret", ephemeral=True, view=view)

    client = await start_with(tree, start)
    interaction = await use(double, alice, channel)
    bob = double.person("bob", guild)

    assert alice.seen(channel) == [interaction.original]
    assert bob.seen(channel) == []
    with pytest.raises(CannotAct):
        bob.press(interaction.original, "share")
    with pytest.raises(discord.NotFound):
        await client.get_channel(channel.id).fetch_message(interaction.original.id)
    assert client.heard == []


async def test_original_can_be_read_edited_and_deleted(double, channel, alice, tree, start):
    @tree.command(description="Ask")
    async def ask(interaction: discord.Interaction):
        await interaction.response.send_message("one", ephemeral=True)
        original = await interaction.original_response()
        await interaction.edit_original_response(content=original.content + " two")
        await interaction.delete_original_response()

    await start_with(tree, start)
    interaction = await use(double, alice, channel)
    await double.until(lambda: interaction.original.is_deleted)

    assert [one.draft.content for one in interaction.original.revisions] == ["one", "one two"]
    assert interaction.original.flags == MessageFlags.EPHEMERAL


async def test_follow_ups_can_be_edited_and_deleted(double, channel, alice, tree, start):
    @tree.command(description="Ask")
    async def ask(interaction: discord.Interaction):
        await interaction.response.send_message("one")
        more = await interaction.followup.send("two", wait=True)
        await more.edit(content="three")
        await more.delete()

    await start_with(tree, start)
    interaction = await use(double, alice, channel)
    await double.until(lambda: interaction.follow_ups and interaction.follow_ups[0].is_deleted)

    assert interaction.follow_ups[0].content == "three"
    assert [one.content for one in interaction.replies] == ["one"]


async def failing(double, person, channel, tree, start, body):
    """Let a command do something that is refused, and return how."""
    refusals = []

    @tree.command(description="Ask")
    async def ask(interaction: discord.Interaction):
        try:
            await body(interaction)
        except discord.HTTPException as refusal:
            refusals.append(refusal)

    await start_with(tree, start)
    person.slash(channel, "ask")
    await double.until(lambda: refusals)
    return refusals[0]


async def test_after_three_seconds_an_interaction_is_unknown(double, channel, alice, tree, start):
    async def late(interaction):
        double.clock.advance(3.1)
        await interaction.response.send_message("too late")

    refusal = await failing(double, alice, channel, tree, start, late)

    assert (refusal.status, refusal.code) == (404, 10062)
    assert double.has_failed(double.interactions[0])


async def test_answering_twice_is_refused(double, channel, alice, tree, start):
    async def twice(interaction):
        await interaction.response.send_message("one")
        interaction.response._response_type = None
        await interaction.response.send_message("two")

    refusal = await failing(double, alice, channel, tree, start, twice)

    assert (refusal.status, refusal.code) == (400, 40060)


async def test_after_fifteen_minutes_the_token_is_invalid(double, channel, alice, tree, start):
    async def much_later(interaction):
        await interaction.response.defer(thinking=True)
        double.clock.advance(15 * 60 + 1)
        await interaction.followup.send("too late")

    refusal = await failing(double, alice, channel, tree, start, much_later)

    assert (refusal.status, refusal.code) == (401, 50027)


async def test_a_follow_up_before_any_answer_is_refused(double, channel, alice, tree, start):
    async def early(interaction):
        await interaction.followup.send("early")

    refusal = await failing(double, alice, channel, tree, start, early)

    assert (refusal.status, refusal.code) == (404, 10015)


async def test_a_wrong_token_names_no_interaction(double, channel, alice, tree, start):
    async def wrong(interaction):
        interaction.token = "wrong"
        await interaction.response.send_message("x")

    refusal = await failing(double, alice, channel, tree, start, wrong)

    assert refusal.code == 10062


async def test_an_answer_too_long_is_refused_and_can_be_given_again(
    double, channel, alice, tree, start
):
    async def too_long(interaction):
        try:
            await interaction.response.send_message("x" * 2001)
        finally:
            await interaction.response.send_message("short")

    refusal = await failing(double, alice, channel, tree, start, too_long)

    assert "In data.content: Must be 2000 or fewer in length." in refusal.text
    assert double.interactions[0].replies[0].content == "short"


async def test_a_message_menu_carries_the_message(double, channel, alice, start):
    # What the menu is opened on may be read without the intent.
    tree = app_commands.CommandTree(Bot(intents=discord.Intents.default()))

    @tree.context_menu(name="Ask about this")
    async def about(interaction: discord.Interaction, message: discord.Message):
        await interaction.response.send_message(f"about: {message.content}", ephemeral=True)

    await start_with(tree, start)
    message = alice.say(channel, "28 days?")
    interaction = alice.use_on_message("Ask about this", message)
    await double.until(lambda: interaction.replies)

    assert interaction.replies[0].content == "about: 28 days?"
    assert interaction.replies[0].kind == MessageKind.CONTEXT_MENU


async def test_a_command_works_in_a_direct_conversation(double, channel, alice, tree, start):
    @tree.command(description="Ask")
    async def ask(interaction: discord.Interaction):
        await interaction.response.send_message(f"guild: {interaction.guild}")

    await start_with(tree, start)
    interaction = await use(double, alice, double.world.direct(alice.user))

    assert interaction.replies[0].content == "guild: None"


async def test_what_is_not_registered_cannot_be_used(double, channel, alice, bot):
    with pytest.raises(CannotAct, match="no such command is registered"):
        alice.slash(channel, "ask")


async def test_commands_below_a_group_are_used_by_both_names(double, channel, alice, tree, start):
    group = app_commands.Group(name="citewell", description="Settings")

    @group.command(description="Show")
    async def show(interaction: discord.Interaction, what: str):
        await interaction.response.send_message(f"shows {what}")

    tree.add_command(group)
    await start_with(tree, start)
    interaction = await use(double, alice, channel, "citewell show", what="channels")

    assert interaction.replies[0].content == "shows channels"
    with pytest.raises(CannotAct, match=r"expected one of \['show'\] below it"):
        alice.slash(channel, "citewell hide")


async def test_only_what_is_offered_can_be_chosen(double, channel, alice, tree, start):
    @tree.command(description="Ask")
    @app_commands.choices(length=[app_commands.Choice(name="Short", value="s")])
    async def ask(interaction: discord.Interaction, length: str):
        await interaction.response.send_message(length)

    await start_with(tree, start)

    with pytest.raises(CannotAct, match="is not offered"):
        alice.slash(channel, "ask", length="long")
    assert (await use(double, alice, channel, length="s")).replies[0].content == "s"


async def test_a_command_is_offered_where_and_to_whom_it_says(
    double, guild, channel, alice, tree, start
):
    @tree.command(description="Set up")
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    async def setup(interaction: discord.Interaction):
        await interaction.response.send_message("done")

    await start_with(tree, start)

    with pytest.raises(CannotAct):
        alice.slash(channel, "setup")
    with pytest.raises(CannotAct):
        alice.slash(double.world.direct(alice.user), "setup")
    chief = double.person(
        "chief", guild, double.world.add_role(guild, "chief", Permissions.MANAGE_GUILD)
    )
    assert (await use(double, chief, channel, "setup")).replies[0].content == "done"


async def test_missing_and_unknown_options_are_noticed(double, channel, alice, tree, start):
    @tree.command(description="Ask")
    async def ask(interaction: discord.Interaction, question: str):
        await interaction.response.send_message(question)

    await start_with(tree, start)

    with pytest.raises(CannotAct, match=r"unknown options \['qestion'\], missing \['question'\]"):
        alice.slash(channel, "ask", qestion="why?")


async def test_a_button_updates_its_message(double, channel, alice, bot):
    class Counter(discord.ui.View):
        @discord.ui.button(label="more", custom_id="more")
        async def more(self, interaction, button):
            button.disabled = True
            await interaction.response.edit_message(content="pressed", view=self)

    await bot.get_channel(channel.id).send("press", view=Counter())
    message = double.messages(channel)[0]
    interaction = alice.press(message, "more")
    await double.until(lambda: interaction.answered)

    assert message.content == "pressed"
    assert interaction.answered == Callback.UPDATE
    assert [button.is_disabled for button in rendered(message).buttons] == [True]
    with pytest.raises(CannotAct, match="disabled"):
        alice.press(message, "more")


async def test_what_is_gone_cannot_be_updated(double, channel, alice, bot):
    refusals = []

    class Slow(discord.ui.View):
        @discord.ui.button(label="more")
        async def more(self, interaction, _button):
            for content in ("x" * 2001, "gone"):
                try:
                    await interaction.response.edit_message(content=content)
                except discord.HTTPException as refusal:
                    refusals.append(refusal)
                await interaction.message.delete()

    await bot.get_channel(channel.id).send("press", view=Slow())
    alice.press(double.messages(channel)[0], "more")
    await double.until(lambda: len(refusals) == 2)

    assert "In data.content: Must be 2000" in refusals[0].text
    assert refusals[1].code == 10008


async def test_a_button_may_be_answered_later(double, channel, alice, bot):
    class Later(discord.ui.View):
        @discord.ui.button(label="more")
        async def more(self, interaction, _button):
            await interaction.response.defer()
            await interaction.edit_original_response(content="later")

    await bot.get_channel(channel.id).send("press", view=Later())
    message = double.messages(channel)[0]
    interaction = alice.press(message, "more")
    await double.until(lambda: message.is_edited)

    assert message.content == "later"
    assert interaction.answered == Callback.DEFERRED_UPDATE
    assert interaction.replies == []


async def test_a_button_answers_with_a_reply(double, channel, alice, bot):
    class Quotes(discord.ui.View):
        @discord.ui.button(label="Show the quotes")
        async def show(self, interaction, _button):
            await interaction.response.send_message("“28 days”", ephemeral=True)

    await bot.get_channel(channel.id).send("answer", view=Quotes())
    interaction = alice.press(double.messages(channel)[0], "Show the quotes")
    await double.until(lambda: interaction.replies)

    assert interaction.replies[0].seen_by is alice.user
    assert interaction.replies[0].reference is double.messages(channel)[0]


async def test_buttons_survive_a_restart_as_dynamic_items(double, channel, alice, start):
    pressed = []

    class Feedback(
        discord.ui.DynamicItem[discord.ui.Button], template=r"fb:(?P<id>\d+):(?P<to>\w+)"
    ):
        def __init__(self, answer, to):
            super().__init__(discord.ui.Button(label=to, custom_id=f"fb:{answer}:{to}"))

        @classmethod
        async def from_custom_id(cls, interaction, item, match):
            return cls(match["id"], match["to"])

        async def callback(self, interaction):
            pressed.append(self.item.custom_id)
            await interaction.response.defer()

    first = await start(Bot())
    await first.get_channel(channel.id).send("x", view=answering(Feedback(7, "up")))
    await first.close()
    second = Bot()
    second.add_dynamic_items(Feedback)
    await start(second)
    interaction = alice.press(double.messages(channel)[0], "fb:7:up")
    await double.until(lambda: interaction.answered)

    assert pressed == ["fb:7:up"]


async def test_a_choice_from_a_menu_is_told(double, channel, alice, bot):
    class Choice(discord.ui.View):
        @discord.ui.select(
            custom_id="profile",
            options=[discord.SelectOption(label="Short"), discord.SelectOption(label="Long")],
        )
        async def pick(self, interaction, select):
            await interaction.response.send_message(select.values[0])

    await bot.get_channel(channel.id).send("which?", view=Choice())
    message = double.messages(channel)[0]
    interaction = alice.choose(message, "profile", "Long")
    await double.until(lambda: interaction.replies)

    assert interaction.replies[0].content == "Long"
    with pytest.raises(CannotAct, match="offered are"):
        alice.choose(message, "profile", "Medium")


class Why(discord.ui.Modal, title="What was wrong?"):
    reason = discord.ui.TextInput(
        label="Reason",
        custom_id="reason",
        min_length=3,
        max_length=50,
        style=discord.TextStyle.long,
    )

    async def on_submit(self, interaction):
        await interaction.response.send_message(f"Thank you: {self.reason.value}", ephemeral=True)


async def shown(double, channel, person, bot, modal):
    """Press a button that shows a form, and return the press."""

    class Down(discord.ui.View):
        @discord.ui.button(label="down", custom_id="down")
        async def down(self, interaction, _button):
            await interaction.response.send_modal(modal)

    await bot.get_channel(channel.id).send("answer", view=Down())
    interaction = person.press(double.messages(channel)[0], "down")
    await double.until(lambda: interaction.modal)
    return interaction


async def test_a_form_is_shown_and_sent(double, channel, alice, bot):
    interaction = await shown(double, channel, alice, bot, Why())

    sent = alice.submit(interaction, {"reason": "it was old"})
    await double.until(lambda: sent.replies)

    assert interaction.answered == Callback.MODAL
    assert interaction.modal.title == "What was wrong?"
    assert sent.replies[0].content == "Thank you: it was old"
    assert sent.replies[0].seen_by is alice.user


async def test_a_form_with_labels_is_shown_and_sent(double, channel, alice, bot):
    class Labelled(discord.ui.Modal, title="Why?"):
        kind = discord.ui.Label(
            text="Kind",
            component=discord.ui.Select(
                custom_id="kind",
                options=[discord.SelectOption(label="old"), discord.SelectOption(label="wrong")],
            ),
        )
        reason = discord.ui.Label(
            text="Reason", component=discord.ui.TextInput(custom_id="reason", required=False)
        )

        async def on_submit(self, interaction):
            text = f"{self.kind.component.values} {self.reason.component.value}"
            await interaction.response.send_message(text)

    interaction = await shown(double, channel, alice, bot, Labelled())
    sent = alice.submit(interaction, {"kind": ["old"], "reason": "2019"})
    await double.until(lambda: sent.replies)

    assert sent.replies[0].content == "['old'] 2019"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"reason": "x"}, "expected 3 to 50"),
        ({}, "expected 3 to 50"),
        ({"reason": "x" * 51}, "expected 3 to 50"),
        ({"raeson": "xxxx"}, "no such fields"),
    ],
)
async def test_a_form_is_not_sent_wrongly_filled_in(double, channel, alice, bot, values, words):
    interaction = await shown(double, channel, alice, bot, Why())

    with pytest.raises(NotSendable, match=words):
        alice.submit(interaction, values)


async def test_a_form_is_for_who_was_shown_it(double, guild, channel, alice, bot):
    bob = double.person("bob", guild)
    interaction = await shown(double, channel, alice, bot, Why())

    with pytest.raises(CannotAct):
        bob.submit(interaction, {"reason": "it was old"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": "x" * 46}, "Must be between 1 and 45 in length."),
        ({"custom_id": "x" * 101}, "Must be between 1 and 100 in length."),
        ({"components": []}, "Must be between 1 and 5 in length."),
        ({"components": [{"type": 1, "components": [{"type": 2, "style": 1}]}]}, "must be one of"),
    ],
)
async def test_a_form_out_of_bounds_is_refused(double, channel, alice, tree, start, change, words):
    class Odd(Why):
        def to_dict(self):
            return {**super().to_dict(), **change}

    async def show(interaction):
        await interaction.response.send_modal(Odd())

    refusal = await failing(double, alice, channel, tree, start, show)

    assert refusal.code == 50035
    assert words in refusal.text
    assert double.interactions[0].modal is None


async def test_a_form_does_not_answer_a_form(double, channel, alice, bot):
    refusals = []

    class Again(Why):
        async def on_submit(self, interaction):
            try:
                await interaction.response.send_modal(Why())
            except discord.HTTPException as refusal:
                refusals.append(refusal)

    interaction = await shown(double, channel, alice, bot, Again())
    alice.submit(interaction, {"reason": "it was old"})
    await double.until(lambda: refusals)

    assert "In type: Value must be one of" in refusals[0].text


async def test_an_unanswered_press_fails_for_the_person(double, channel, alice, bot):
    await bot.get_channel(channel.id).send(
        "x", view=answering(discord.ui.Button(label="dead", custom_id="dead"))
    )
    interaction = alice.press(double.messages(channel)[0], "dead")

    double.clock.advance(3.5)

    assert double.has_failed(interaction)


async def test_a_layout_is_the_answer_to_thinking(double, channel, alice, tree, start):
    class Sources(discord.ui.LayoutView):
        text = discord.ui.TextDisplay("28 days [1]")

    @tree.command(description="Ask")
    async def ask(interaction: discord.Interaction):
        await interaction.response.defer(thinking=True, ephemeral=True)
        await interaction.edit_original_response(view=Sources())

    await start_with(tree, start)
    interaction = await use(double, alice, channel)
    await double.until(lambda: interaction.original.components)

    assert rendered(interaction.original).text == "28 days [1]"
    assert interaction.original.flags == MessageFlags.COMPONENTS_V2 | MessageFlags.EPHEMERAL


async def test_a_form_has_no_original_message(double, channel, alice, bot):
    refusals = []

    class Shy(Why):
        async def on_submit(self, interaction):
            await interaction.response.defer(thinking=True)
            await interaction.delete_original_response()
            try:
                await interaction.original_response()
            except discord.HTTPException as refusal:
                refusals.append(refusal)

    interaction = await shown(double, channel, alice, bot, Shy())
    alice.submit(interaction, {"reason": "it was old"})
    await double.until(lambda: refusals)

    assert refusals[0].code == 10008


async def test_a_token_that_was_never_given_is_unknown(double, channel, caller):
    for application, token in ((double.application_id, "x"), (5, "x")):
        route = discord.http.Route(
            "POST",
            "/webhooks/{webhook_id}/{webhook_token}",
            webhook_id=application,
            webhook_token=token,
        )
        with pytest.raises(discord.NotFound) as refusal:
            await caller.http.request(route, json={"content": "x"})
        assert refusal.value.code == 10015


async def test_a_missing_button_is_named(double, channel, alice, bot):
    await bot.get_channel(channel.id).send(
        "x", view=answering(discord.ui.Button(label="up", custom_id="up"))
    )

    with pytest.raises(CannotAct, match=r"no such button or menu; it has \['up'\]"):
        alice.press(double.messages(channel)[0], "down")


async def test_a_command_of_one_guild_is_not_offered_in_another(
    double, guild, moderated, channel, alice, tree, start
):
    @tree.command(description="Ask", guild=discord.Object(guild.id))
    async def ask(interaction: discord.Interaction):
        await interaction.response.send_message("here")

    client = await start(tree.client)
    await tree.sync(guild=discord.Object(guild.id))
    other = double.world.add_text(moderated, "other")
    double.world.join(moderated, alice.user)

    assert client.application_id
    assert (await use(double, alice, channel)).data["guild_id"] == str(guild.id)
    with pytest.raises(CannotAct):
        alice.slash(other, "ask")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"style": 3}, "must be one of (1, 2)"),
        ({"max_length": 5000}, "int value should be between 1 and 4000."),
        ({"value": "x" * 4001}, "Must be 4000 or fewer in length."),
        ({"placeholder": "x" * 101}, "Must be 100 or fewer in length."),
        ({"label": "x" * 46}, "Must be between 1 and 45 in length."),
    ],
)
async def test_text_inputs_out_of_bounds_are_refused(
    double, channel, alice, tree, start, part, words
):
    class Odd(Why):
        def to_dict(self):
            one = {"type": 4, "custom_id": "r", "label": "r", "style": 1, **part}
            rows = [{"type": 1, "components": [one]}]
            return {**super().to_dict(), "components": rows}

    async def show(interaction):
        await interaction.response.send_modal(Odd())

    assert words in (await failing(double, alice, channel, tree, start, show)).text
