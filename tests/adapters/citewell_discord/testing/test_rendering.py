"""What a person sees of a message, and whom it rings."""

import time

import pytest

from citewell_discord.testing import Draft, Message, MessageFlags, Revision, User, rendered
from citewell_discord.testing.bodies import AllowedMentions
from citewell_discord.testing.places import Channel, ChannelKind

BOT = User(1, "citewell", is_bot=True)
ALICE = User(7, "alice")
HERE = Channel(2, ChannelKind.TEXT, "help")


def message(content, *, allowed=None, flags=MessageFlags.NONE, reference=None):
    draft = Draft(content=content, allowed_mentions=allowed, flags=flags)
    return Message(
        id=3, channel=HERE, author=BOT, revisions=[Revision(0.0, draft)], reference=reference
    )


@pytest.mark.parametrize(
    ("content", "links"),
    [
        ("[Handbook](https://a.example/x)", [("Handbook", "https://a.example/x")]),
        ("[Handbook](<https://a.example/x>)", [("Handbook", "https://a.example/x")]),
        ('[Handbook](https://a.example/x "title")', [("Handbook", "https://a.example/x")]),
        ("https://a.example/x", [("https://a.example/x", "https://a.example/x")]),
        ("<https://a.example/x>", [("https://a.example/x", "https://a.example/x")]),
        ("[[1]](https://a.example/x)", [("[1]", "https://a.example/x")]),
        ("`https://a.example/x`", []),
        ("```\nhttps://a.example/x\n```", []),
        ("[1] and (2)", []),
        ("f[0](x)", []),
        ("[x](https://a.example/b_(c))", [("x", "https://a.example/b_(c)")]),
        ("[x](<https://a.example/b_(c)>)", [("x", "https://a.example/b_(c)")]),
        ("[x](javascript:alert(1))", [("x", "javascript:alert(1)")]),
        ("(see https://a.example/x).", [("https://a.example/x", "https://a.example/x")]),
        ("xhttps://a.example/x", [("https://a.example/x", "https://a.example/x")]),
        ("\\`https://a.example/x`", [("https://a.example/x`", "https://a.example/x`")]),
        (
            "[https://b.example](https://a.example)",
            [
                ("https://b.example", "https://a.example"),
                ("https://b.example", "https://b.example"),
            ],
        ),
        ("HTTPS://A.example", [("HTTPS://A.example", "HTTPS://A.example")]),
    ],
)
def test_links_are_found_with_their_labels(content, links):
    seen = rendered(message(content))

    assert [(one.label, one.url) for one in seen.links] == links


@pytest.mark.parametrize(
    ("content", "flags", "count"),
    [
        ("https://a.example", MessageFlags.NONE, 1),
        ("[x](https://a.example)", MessageFlags.NONE, 1),
        ("<https://a.example>", MessageFlags.NONE, 0),
        ("[x](<https://a.example>)", MessageFlags.NONE, 0),
        ("https://a.example", MessageFlags.SUPPRESS_EMBEDS, 0),
    ],
)
def test_previews_come_of_links_that_do_not_forbid_them(content, flags, count):
    assert len(rendered(message(content, flags=flags)).previews) == count


@pytest.mark.parametrize(
    ("allowed", "pings"),
    [
        (None, ["<@7>", "<@&8>", "@everyone", "@here"]),
        (AllowedMentions(), []),
        (AllowedMentions(parse=["users"]), ["<@7>"]),
        (AllowedMentions(parse=["roles", "everyone"]), ["<@&8>", "@everyone", "@here"]),
        (AllowedMentions(users=["7"]), ["<@7>"]),
        (AllowedMentions(users=["9"], roles=["8"]), ["<@&8>"]),
    ],
)
def test_only_allowed_mentions_ring(allowed, pings):
    seen = rendered(message("<@!7> <@&8> <#9> @everyone @here", allowed=allowed))

    assert list(seen.mentions) == ["<@7>", "<@&8>", "<#9>", "@everyone", "@here"]
    assert list(seen.pings) == pings


@pytest.mark.parametrize("content", ["`<@7>`", "``a ` <@7>``", "```\n@everyone <@7>\n```"])
def test_what_stands_in_code_rings_nobody(content):
    seen = rendered(message(content))

    assert list(seen.mentions) == list(seen.pings) == []


@pytest.mark.parametrize("content", ["\\<@7>", "\\`<@7>`", "`unclosed <@7>", "*<@7>*", "x<@7>y"])
def test_what_only_looks_harmless_rings(content):
    assert list(rendered(message(content)).pings) == ["<@7>"]


@pytest.mark.parametrize(
    ("allowed", "pings"),
    [
        (None, ["<@7>"]),
        (AllowedMentions(), []),
        (AllowedMentions(replied_user=True), ["<@7>"]),
    ],
)
def test_a_reply_rings_who_is_answered_unless_told_otherwise(allowed, pings):
    question = Message(id=4, channel=HERE, author=ALICE, revisions=[Revision(0.0, Draft())])

    assert list(rendered(message("x", allowed=allowed, reference=question)).pings) == pings


def test_a_reply_to_oneself_rings_nobody():
    own = Message(id=4, channel=HERE, author=BOT, revisions=[Revision(0.0, Draft())])

    assert list(rendered(message("x", reference=own)).pings) == []


def test_earlier_revisions_can_be_rendered():
    one = message("first")
    one.revisions.append(Revision(1.0, Draft(content="second")))

    assert rendered(one).text == "second"
    assert rendered(one, revision=0).text == "first"


@pytest.mark.parametrize("part", ["`", "[", "[a", "[a](", "<@", "https://", "(", "``a`", "[[a]"])
def test_hostile_text_is_rendered_quickly(part):
    began = time.perf_counter()

    rendered(message(part * (4000 // len(part))))

    assert time.perf_counter() - began < 1
