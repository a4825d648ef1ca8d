"""Channels of Slack are read as people there see them, and no faster than Slack allows."""

import logging
import re
import time
from contextlib import asynccontextmanager

import msgspec
import pytest

from citewell import Changed, Context, Gone, SourceError
from citewell.conversations.transcripts import Transcript
from citewell_slack.history_settings import SlackHistoryConfig
from citewell_slack.history_workspace import Workspace
from citewell_slack.mrkdwn import unmarked
from citewell_slack.plugin import build_history, memberships


class Reader:
    """Syncs again and again, and knows what it was told."""

    def __init__(self, folder, double, *channels, **config):
        self.context = Context(
            name="talk", log=logging.getLogger("test"), data_dir=folder, base_dir=folder
        )
        self.config = SlackHistoryConfig.model_validate({
            "channels": [one.id for one in channels],
            "bot_token": double.bot_token,
            "api_url": double.api_url,
            **config,
        })
        self.known, self.transcripts, self.labels, self.uris = {}, {}, {}, {}

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
                self.uris[change.raw.id] = change.raw.uri

    @property
    def messages(self):
        return [one for each in self.transcripts.values() for one in each.messages]

    @property
    def texts(self):
        return [one.text for one in self.messages]


@pytest.fixture
def reading(tmp_path, double):
    return lambda *channels, **config: Reader(tmp_path, double, *channels, **config)


@pytest.fixture
def bob(double, general):
    bob = double.add_person("bob")
    general.members.append(bob.id)
    return bob


async def test_a_thread_keeps_names_times_and_links(double, alice, bob, general, reading):
    first = alice.say(general, "How long is the probation?")
    reply = bob.say(general, "Six months.", thread=first)
    reader = reading(general)

    await reader.sync()

    (id_,) = reader.transcripts
    asked, answered = reader.messages
    base = f"https://example.slack.com/archives/{general.id}/p"
    assert id_ == f"{general.id}/{first.ts}.slack-thread"
    assert (asked.author, asked.text, asked.at) == ("alice", first.text, float(first.ts))
    assert asked.uri == f"{base}{first.ts.replace('.', '')}" == reader.uris[id_]
    assert answered.author == "bob"
    assert answered.uri == (
        f"{base}{reply.ts.replace('.', '')}?thread_ts={first.ts}&cid={general.id}"
    )
    assert reader.labels[id_] == {f"slack:{general.id}"}


async def test_markup_becomes_what_a_reader_sees(double, alice, bob, general, reading):
    private = double.add_channel("board", [alice], is_private=True)
    text = (
        f"*Ask* {bob.mention} in <#{general.id}> or <#{private.id}>, see "
        "<https://docs.example/a_b_c|the _handbook_> & `x_y_z` at 5 < 6, ~never~ a*b"
    )
    alice.say(general, text)
    reader = reading(general)

    await reader.sync()

    (read,) = reader.texts
    assert read == (
        "Ask @bob in #general or #private-channel, see "
        "the _handbook_ (https://docs.example/a_b_c) & x_y_z at 5 < 6, never a*b"
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("*bold* _it_ ~no~ `code_x`", "bold it no code_x"),
        ("*_both_*", "both"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("```def f():\n  _x_```", "```def f():\n  _x_```"),
        ("* a\n* b", "* a\n* b"),
        ("\ue0000\ue001", "0"),
    ],
)
def test_signs_of_style_are_left_out_and_nothing_else(written, read):
    assert unmarked(written, lambda found: found[0]) == read


@pytest.mark.parametrize("sign", ["*a ", "_a ", "~*_a ", "* *a", "a_*"])
def test_signs_that_are_never_closed_take_no_time(sign):
    began = time.perf_counter()

    unmarked((sign * 13000)[:39000], lambda found: found[0])

    assert time.perf_counter() - began < 3


async def test_files_are_named(alice, general, reading):
    alice.say(general, "The plan", files=[alice.upload("plan.pdf", b"%PDF-")])
    reader = reading(general)

    await reader.sync()

    assert reader.texts == ["The plan\n[file: plan.pdf]"]


async def test_what_the_assistant_and_bots_say_is_left_out(double, alice, general, reading):
    robot = double.add_person("robot", is_bot=True)
    general.members.append(robot.id)
    first = alice.say(general, "The canteen opens at 11:40.")
    robot.say(general, "The build is green.")
    double.bot().say(general, "An answer of before.", thread=first)
    alice.say(general, f"{double.mention} when does it open?")
    double.add_person("cay").join(general)
    reader, with_bots = reading(general), reading(general, bots=True)

    await reader.sync()
    await with_bots.sync()

    assert reader.texts == ["The canteen opens at 11:40."]
    assert sorted(with_bots.texts) == ["The build is green.", "The canteen opens at 11:40."]


async def test_edits_and_deletions_are_followed(alice, bob, general, reading):
    first = alice.say(general, "How long is the probation?")
    reply = bob.say(general, "Six months.", thread=first)
    other = bob.say(general, "Three in sales.", thread=first)
    reader = reading(general)
    await reader.sync()
    bob.edit(reply, "Five months.")
    bob.delete(other)
    await reader.sync()
    edited = reader.texts
    alice.delete(first)
    await reader.sync()
    headless = reader.texts
    bob.delete(reply)

    await reader.sync()

    assert edited == ["How long is the probation?", "Five months."]
    assert headless == ["Five months."]
    assert reader.texts == []


@pytest.mark.parametrize("cursor", ["", "on"])
async def test_an_empty_page_is_not_taken_for_the_end(alice, general, reading, monkeypatch, cursor):
    for number in range(3):
        alice.say(general, f"Note {number}.")
    reader = reading(general)
    await reader.sync()
    read = Workspace.read

    async def told(self, method, **arguments):
        if method != "conversations.history" or arguments.get("cursor"):
            return await read(self, method, **{**arguments, "cursor": None})
        return {"messages": [], "has_more": True, "response_metadata": {"next_cursor": cursor}}

    monkeypatch.setattr(Workspace, "read", told)
    if not cursor:
        with pytest.raises(SourceError, match="tells of more"):
            await reader.sync()
    else:
        await reader.sync()

    assert len(reader.texts) == 3


async def test_what_was_sent_from_a_thread_to_the_channel_stands_in_the_thread_alone(
    alice, bob, general, reading
):
    first = alice.say(general, "How long is the probation?")
    bob.say(general, "Six months.", thread=first).subtype = "thread_broadcast"
    reader = reading(general)

    await reader.sync()

    assert reader.texts == ["How long is the probation?", "Six months."]


async def test_slack_is_waited_for_when_it_says_so(double, alice, general, reading):
    alice.say(general, "The canteen opens at 11:40.")
    double.faults.limit("conversations.history", 1, times=4)
    reader = reading(general)

    await reader.sync()

    assert reader.texts == ["The canteen opens at 11:40."]
    assert len(double.calls("conversations.history")) >= 5


async def test_a_long_wait_is_left_to_the_next_sync_and_told(double, alice, general, reading):
    alice.say(general, "The canteen opens at 11:40.")
    double.faults.limit("conversations.history", 60)
    reader = reading(general, max_minutes=0.2)

    with pytest.raises(SourceError, match=r"left alone for 60 s; the next sync goes on"):
        await reader.sync()
    await reader.sync()

    assert reader.texts == ["The canteen opens at 11:40."]


async def test_a_long_channel_is_not_read_again(double, alice, general, reading):
    double.clock._now -= 40 * 86400
    for number in range(2000):
        alice.say(general, f"Note {number}.")
    await double.clock.advance(40 * 86400)
    reader = reading(general)
    await reader.sync()
    first = len(double.calls("conversations.history"))
    alice.say(general, "A new note.")

    await reader.sync()

    again = len(double.calls("conversations.history")) - first
    assert first >= 10
    assert again <= 11
    assert len(reader.texts) == 2001


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda double, general: general.members.remove(double.bot_user_id), "not_in_channel"),
        (lambda double, general: double.tokens.bots.clear(), "copy bot_token anew"),
        (lambda double, general: double.tokens.scopes.remove("channels:history"), "add the scope"),
    ],
)
async def test_what_is_in_the_way_is_told_with_its_mend(
    double, alice, general, reading, spoil, told
):
    alice.say(general, "The canteen opens at 11:40.")
    reader = reading(general)
    await reader.sync()
    spoil(double, general)

    with pytest.raises(SourceError, match=re.escape(told)):
        await reader.sync()

    assert reader.texts == ["The canteen opens at 11:40."]


def test_members_of_the_channel_have_its_label():
    config = SlackHistoryConfig.model_validate({"channels": ["C0123456"], "bot_token": "x"})

    (one,) = memberships(config)

    assert (one.service, one.group, one.label) == ("slack", "channel:C0123456", "slack:C0123456")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channels": ["#lunch"]}, '"#lunch" is no id of a channel; .* of the channel\'s details'),
        ({"channels": ["C0123ABCD"] * 2}, '"C0123ABCD" is named twice'),
        ({"channels": ["C0123ABCD"], "api_url": "slack.com"}, "begins with https://"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SlackHistoryConfig.model_validate({"bot_token": "secret", **settings})
