"""Registering commands, as a real client does it."""

import discord
import pytest
from discord import app_commands

from citewell_discord.testing import CannotAct
from discord_clients import Bot


@pytest.fixture
def tree():
    return app_commands.CommandTree(Bot())


async def nothing(_interaction: discord.Interaction):
    pass


async def about(_interaction: discord.Interaction, _message: discord.Message):
    pass


def command(name="ask", description="Ask the documents"):
    return app_commands.Command(name=name, description=description, callback=nothing)


async def test_a_set_of_commands_replaces_the_one_before(double, tree, start, guild):
    client = await start(tree.client)
    tree.add_command(command("ask"))
    tree.add_command(command("old"))
    first = await tree.sync()
    tree.remove_command("old")

    second = await tree.sync()

    assert [one.name for one in double.world.commands] == ["ask"]
    assert first[0].id == second[0].id
    assert [one.name for one in await tree.fetch_commands()] == ["ask"]
    assert client.application_id == double.world.commands[0].application_id


async def test_commands_of_a_guild_stand_beside_global_ones(double, tree, start, guild):
    await start(tree.client)
    tree.add_command(command("ask"))
    tree.add_command(command("here"), guild=discord.Object(guild.id))

    await tree.sync()
    await tree.sync(guild=discord.Object(guild.id))

    known = [(one.name, one.guild_id) for one in double.world.commands]
    assert known == [("ask", None), ("here", guild.id)]
    assert [one.name for one in await tree.fetch_commands(guild=guild)] == ["here"]


async def test_one_command_can_be_read_and_removed(double, tree, start, guild):
    await start(tree.client)
    tree.add_command(command("ask"))
    (registered,) = await tree.sync()

    fetched = await tree.fetch_command(registered.id)
    await fetched.delete()
    with pytest.raises(discord.NotFound) as refusal:
        await tree.fetch_command(registered.id)

    assert fetched.description == "Ask the documents"
    assert double.world.commands == []
    assert refusal.value.code == 10063


async def test_options_are_kept_with_their_choices(double, tree, start, guild):
    @tree.command(name="ask", description="Ask")
    @app_commands.describe(length="How long")
    @app_commands.choices(length=[app_commands.Choice(name="short", value="s")])
    async def ask(_interaction: discord.Interaction, question: str, length: str = "s"):
        pass

    await start(tree.client)
    await tree.sync()

    question, length = double.world.commands[0].body.options
    assert (question.name, question.required) == ("question", True)
    assert [(one.name, one.value) for one in length.choices] == [("short", "s")]
    assert length.description == "How long"


async def refused(client, commands):
    route = discord.http.Route(
        "PUT",
        "/applications/{application_id}/commands",
        application_id=client.application_id,
    )
    with pytest.raises(discord.HTTPException) as refusal:
        await client.http.request(route, json=commands)
    assert refusal.value.code == 50035
    return refusal.value.text


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        ([{"name": "x" * 33, "description": "x"}], "Must be between 1 and 32 in length."),
        ([{"name": "Ask", "description": "x"}], "Command name is invalid"),
        ([{"name": "a b", "description": "x"}], "Command name is invalid"),
        ([{"name": "ask", "description": ""}], "This field is required"),
        ([{"name": "ask", "description": "x" * 101}], "Must be between 1 and 100 in length."),
        ([{"name": "ask", "description": "x"}] * 2, "names must be unique"),
        ([{"name": "About", "type": 3, "description": "x"}], "cannot have description"),
        ([{"name": f"m{n}", "type": 3} for n in range(16)], "Maximum number of application"),
        (
            [{"name": f"c{n}", "description": "x"} for n in range(101)],
            "Maximum number of application",
        ),
        (
            [
                {
                    "name": "ask",
                    "description": "x",
                    "options": [
                        {"type": 3, "name": "a", "description": "x"},
                        {"type": 3, "name": "b", "description": "x", "required": True},
                    ],
                }
            ],
            "Required options must be placed before non-required options",
        ),
        (
            [
                {
                    "name": "ask",
                    "description": "x",
                    "options": [
                        {"type": 3, "name": f"o{n}", "description": "x"} for n in range(26)
                    ],
                }
            ],
            "Must be 25 or fewer in length.",
        ),
    ],
)
async def test_commands_out_of_bounds_are_refused(double, guild, bot, commands, words):
    assert words in await refused(bot, commands)
    assert double.world.commands == []


async def test_menus_may_have_spaces_and_capitals(double, tree, start, guild):
    await start(tree.client)
    tree.add_command(app_commands.ContextMenu(name="Ask about this", callback=about))

    await tree.sync()

    assert double.world.commands[0].name == "Ask about this"


async def test_commands_of_a_foreign_guild_are_refused(tree, start, guild):
    await start(tree.client)
    tree.add_command(command(), guild=discord.Object(5))

    with pytest.raises(discord.Forbidden) as refusal:
        await tree.sync(guild=discord.Object(5))

    assert refusal.value.code == 50001


async def test_two_hundred_new_commands_a_day_and_no_more(double, guild, caller):
    route = discord.http.Route(
        "PUT", "/applications/{application_id}/commands", application_id=caller.application_id
    )

    def named(start):
        return [{"name": f"c{n}", "description": "x"} for n in range(start, start + 100)]

    await caller.http.request(route, json=named(0))
    await caller.http.request(route, json=named(0))
    await caller.http.request(route, json=named(100))
    with pytest.raises(discord.HTTPException) as refusal:
        await caller.http.request(route, json=named(200))
    double.clock.advance(24 * 3600)
    await caller.http.request(route, json=named(200))

    assert refusal.value.code == 30034


async def test_a_guild_may_lack_the_scope_for_commands(double, tree, start, guild, channel, alice):
    guild.has_commands = False
    await start(tree.client)
    tree.add_command(command("ask"))
    tree.add_command(command("here"), guild=discord.Object(guild.id))

    await tree.sync()
    with pytest.raises(discord.Forbidden) as refusal:
        await tree.sync(guild=discord.Object(guild.id))
    with pytest.raises(CannotAct):
        alice.slash(channel, "ask")

    assert refusal.value.code == 50001
