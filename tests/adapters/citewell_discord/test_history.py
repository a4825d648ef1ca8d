"""Channels of Discord are read as people there see them."""

import logging
from contextlib import asynccontextmanager

import msgspec
import pytest

from citewell import Changed, Context, Gone, SourceError
from citewell.conversations.transcripts import Transcript
from citewell_discord.history_config import DiscordHistoryConfig
from citewell_discord.plainly import plainly
from citewell_discord.plugin import build_history, memberships
from citewell_discord.testing import ALL, DiscordDouble, Upload


class Reader:
    """Syncs again and again, and knows what it was told."""

    def __init__(self, folder, double, *channels, **config):
        self.context = Context(
            name="talk", log=logging.getLogger("test"), data_dir=folder, base_dir=folder
        )
        self.config = DiscordHistoryConfig.model_validate({
            "channels": [str(one.id) for one in channels],
            "token": double.token,
            "api_url": double.api_url,
            **config,
        })
        self.known, self.transcripts, self.labels = {}, {}, {}

    @asynccontextmanager
    async def open(self):
        async with build_history(self.config, self.context) as source:
            yield source

    async def sync(self):
        async with self.open() as source:
            async for change in source.changes(self.known):
                if isinstance(change, Gone):
                    del self.known[change.id], self.transcripts[change.id]
                    continue
                assert isinstance(change, Changed)
                content = change.raw.path.read_bytes()
                self.known[change.raw.id] = change.version
                self.transcripts[change.raw.id] = msgspec.json.decode(content, type=Transcript)
                self.labels[change.raw.id] = change.raw.labels

    @property
    def messages(self):
        return [one for each in self.transcripts.values() for one in each.messages]

    @property
    def texts(self):
        return [one.text for one in self.messages]


@pytest.fixture
async def server():
    async with DiscordDouble() as opened:
        yield opened


@pytest.fixture
def guild(server):
    return server.world.add_guild("example", rights=ALL)


@pytest.fixture
def ann(server, guild):
    return server.person("ann", guild)


@pytest.fixture
def ben(server, guild):
    return server.person("ben", guild)


@pytest.fixture
def lobby(server, guild):
    return server.world.add_text(guild, "lobby")


@pytest.fixture
def reading(tmp_path, server):
    return lambda *channels, **config: Reader(tmp_path, server, *channels, **config)


async def test_a_thread_keeps_names_times_and_links(guild, ann, ben, lobby, reading):
    first = ann.say(lobby, "How long is the probation?")
    thread = ann.start_thread(first, "Probation")
    answer = ben.say(thread, "Six months.")
    reader = reading(lobby)

    await reader.sync()

    (id_,) = reader.transcripts
    asked, answered = reader.messages
    base = f"https://discord.com/channels/{guild.id}"
    assert id_ == f"{lobby.id}/{thread.id:020d}.discord-thread"
    assert reader.transcripts[id_].title == "#lobby: Probation"
    assert (asked.author, asked.uri) == ("ann", f"{base}/{lobby.id}/{first.id}")
    assert (answered.author, answered.uri) == ("ben", f"{base}/{thread.id}/{answer.id}")
    assert reader.labels[id_] == {f"discord:{lobby.id}"}


async def test_posts_of_a_forum_are_documents(server, guild, ann, ben, reading):
    forum = server.world.add_forum(guild, "help")
    post = ann.post(forum, "Who has the key?", "The one of the cellar.")
    ben.say(post, "I have it.")
    reader = reading(forum)

    await reader.sync()

    (transcript,) = reader.transcripts.values()
    assert transcript.title == "#help: Who has the key?"
    assert reader.texts == ["The one of the cellar.", "I have it."]


async def test_archived_threads_are_read_and_private_ones_are_not(server, ann, ben, lobby, reading):
    thread = ann.start_thread(ann.say(lobby, "How long is the probation?"), "Probation")
    ben.say(thread, "Six months.")
    thread.is_archived = True
    hidden = ann.start_private_thread(lobby, "Between us")
    ann.say(hidden, "Not for everybody.")
    ann.say(hidden, "Not at all.")
    reader = reading(lobby)

    await reader.sync()

    assert reader.texts == ["How long is the probation?", "Six months."]


async def test_edits_and_deletions_are_followed(server, ann, ben, lobby, reading):
    first = ann.say(lobby, "How long is the probation?")
    thread = ann.start_thread(first, "Probation")
    answer = ben.say(thread, "Six months.")
    lone = ann.say(lobby, "The canteen opens at 11:40.")
    reader = reading(lobby)
    await reader.sync()
    ben.edit(answer, "Five months.")
    ann.edit(lone, "It opens at 12:00.")
    await reader.sync()
    edited = sorted(reader.texts)
    ann.delete(lone)
    server.world.remove_channel(thread)
    ann.delete(first)

    await reader.sync()

    assert edited == ["Five months.", "How long is the probation?", "It opens at 12:00."]
    assert reader.texts == []


async def test_what_the_assistant_and_bots_say_is_left_out(server, guild, ann, lobby, reading):
    robot = server.other_bot("robot", guild)
    ann.say(lobby, "The canteen opens at 11:40.")
    robot.say(lobby, "The build is green.")
    ann.say(lobby, f"{server.world.bot.mention} when does it open?")
    reader, with_bots = reading(lobby), reading(lobby, bots=True)

    await reader.sync()
    await with_bots.sync()

    assert reader.texts == ["The canteen opens at 11:40."]
    assert sorted(with_bots.texts) == ["The build is green.", "The canteen opens at 11:40."]


async def test_mentions_and_files_are_named(server, ann, ben, lobby, reading):
    upload = Upload("plan.pdf", b"%PDF-", "application/pdf")
    ann.say(lobby, f"**Ask** {ben.mention} in {lobby.mention}", upload)
    reader = reading(lobby)

    await reader.sync()

    assert reader.texts == ["Ask @ben in #channel\n[file: plan.pdf]"]


async def test_a_long_channel_is_read_page_by_page(server, ann, lobby, reading):
    for number in range(250):
        ann.say(lobby, f"Note {number}.")
    reader = reading(lobby)

    await reader.sync()

    assert len(reader.texts) == 250


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("**bold** *it* __line__ ~~no~~ ||sp|| `code_x`", "bold it line no sp code_x"),
        ("***all***", "all"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("# Head\n> quoted\n- item", "Head\nquoted\n- item"),
        ("[the _portal_](https://docs.example/a_b_c)", "the _portal_ (https://docs.example/a_b_c)"),
        (
            "<https://docs.example/a_b_c> https://x.example/_y_",
            "https://docs.example/a_b_c https://x.example/_y_",
        ),
        (
            "<@1> <@!2> <@&3> <#4> <:smile:5> <a:wave:6> </ask:7>",
            "@ann @somebody @role #channel :smile: :wave: /ask",
        ),
        ("<t:0:R> <t:99999999999>", "1970-01-01 00:00 UTC 5138-11-16 09:46 UTC"),
        ("```py\n_x_\n```", "```py\n_x_\n```"),
        (r"\*not bold\* \_", "*not bold* _"),
    ],
)
def test_markdown_becomes_what_a_reader_sees(written, read):
    assert plainly(written, {"1": "ann"}) == read


async def test_what_is_in_the_way_is_told_with_its_mend(server, guild, ann, lobby, reading):
    ann.say(lobby, "The canteen opens at 11:40.")
    reader = reading(lobby)
    await reader.sync()
    server.world.remove_channel(lobby)

    with pytest.raises(SourceError, match="Unknown Channel; correct the id"):
        await reader.sync()
    wrong = reading(lobby, token="wrong")
    with pytest.raises(SourceError, match="copy it anew"):
        await wrong.sync()

    assert reader.texts == ["The canteen opens at 11:40."]


def test_who_sees_the_channel_has_its_label():
    config = DiscordHistoryConfig.model_validate({"channels": ["123456789012345678"], "token": "x"})

    (one,) = memberships(config)

    assert one.group == "channel:123456789012345678"
    assert (one.service, one.label) == ("discord", "discord:123456789012345678")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channels": ["lunch"]}, '"lunch" is no id of a channel; .* "Copy Channel ID" gives'),
        ({"channels": ["123456789012345678"] * 2}, '"123456789012345678" is named twice'),
        ({"channels": ["123456789012345678"], "api_url": "discord.com"}, "begins with https://"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        DiscordHistoryConfig.model_validate({"token": "secret", **settings})


async def test_a_login_that_is_limited_is_left_to_the_next_sync(server, guild, ann, reading):
    reader = reading(server.world.add_text(guild, "lunch"))
    server.faults.limit("GET /users/@me", wait_s=3600.0)

    with pytest.raises(SourceError, match=r"wants to be left alone for .*; the next sync goes on"):
        await reader.sync()


async def test_what_is_no_channel_for_text_is_refused_with_what_to_do(server, guild, ann, reading):
    channel = server.world.add_text(guild, "lunch")
    thread = ann.start_thread(ann.say(channel, "Soup?"), "soup")

    with pytest.raises(SourceError, match="of a thread the one that it is in"):
        await reading(thread).sync()


async def test_a_login_warns_of_nothing(server, guild, ann, reading, caplog):
    reader = reading(server.world.add_text(guild, "lunch"))

    with caplog.at_level(logging.WARNING):
        await reader.sync()

    assert caplog.messages == []
