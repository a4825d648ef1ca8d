"""What a person sees, so that nothing is lost and nothing is pinged."""

import time
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell_slack.testing import Button, Link, Mention, notified, rendered


@dataclass
class Shown:
    blocks: list = field(default_factory=list)
    text: str = ""


def plain(text):
    return {"type": "plain_text", "text": text}


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def markdown(text):
    return {"type": "markdown", "text": text}


def seen(*blocks):
    return rendered(Shown([*blocks]))


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_blocks_hide_the_text():
    assert rendered(Shown([section("seen")], "fallback")).text == "seen"
    assert rendered(Shown(text="seen")).text == "seen"
    assert notified(Shown([section("seen")], "fallback <!here>")).text == "fallback @here"


@given(st.text())
def test_escaped_text_is_seen_as_it_was_meant(text):
    without_links = text.replace("http", "").replace("`", "")

    assert seen(section(escaped(without_links))).text == without_links


@given(st.text())
def test_plain_text_is_seen_as_it_is(text):
    assert seen({"type": "header", "text": plain(text)}).text == text


@given(st.text())
def test_the_source_of_markdown_is_kept(text):
    assert seen(markdown(text)).source == text


def test_only_slacks_three_escapes_are_undone():
    assert seen(section("&amp;lt; &nbsp; &copy &#60;")).text == "&lt; &nbsp; &copy &#60;"


@pytest.mark.parametrize(
    ("block", "text", "link"),
    [
        (section("see <https://example.com/a|the rules>"), "see the rules", "the rules"),
        (section("<https://example.com/a>"), "https://example.com/a", "https://example.com/a"),
        (section("https://example.com/a"), "https://example.com/a", "https://example.com/a"),
        (markdown("see [the rules](https://example.com/a)"), "see the rules", "the rules"),
        (markdown("[\\[1\\]](https://example.com/a)"), "[1]", "[1]"),
        (markdown("[[1]](https://example.com/a)"), "[1]", "[1]"),
        (markdown("<https://example.com/a>"), "https://example.com/a", "https://example.com/a"),
        (markdown("https://example.com/a"), "https://example.com/a", "https://example.com/a"),
        (markdown('[a](<https://example.com/a> "title")'), "a", "a"),
    ],
)
def test_a_link_has_text_and_address(block, text, link):
    found = seen(block)

    assert found.text == text
    assert found.links == [Link(link, "https://example.com/a")]


@pytest.mark.parametrize("kind", [section, markdown])
@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("<@U1>", Mention("user", "U1")),
        ("<@U1|alice>", Mention("user", "U1")),
        ("<#C1>", Mention("channel", "C1")),
        ("<!subteam^S1>", Mention("usergroup", "S1")),
        ("<!here>", Mention("broadcast", "here")),
        ("<!channel>", Mention("broadcast", "channel")),
        ("<!everyone>", Mention("broadcast", "everyone")),
    ],
)
def test_a_mention_is_found(kind, text, mention):
    assert seen(kind(f"hello {text}")).mentions == [mention]


@pytest.mark.parametrize("kind", [section, markdown])
@pytest.mark.parametrize("text", ["&lt;@U1&gt;", "<@U1", "@here", "< @U1>"])
def test_what_is_escaped_mentions_nobody(kind, text):
    assert seen(kind(text)).mentions == []


CODE = ["`<@U1>`", "```\n<@U1>\n```", "~~~\n<@U1>\n~~~", "````\n```\n<@U1>\n````", "```\n<@U1>"]


@pytest.mark.parametrize("text", CODE)
def test_code_in_markdown_mentions_nobody(text):
    assert seen(markdown(text)).mentions == []


@pytest.mark.parametrize("text", ["` a\n\n<@U1> `", "` <@U1>", "a ```\n<@U1>", "``<@U1>`"])
def test_what_only_looks_like_code_in_markdown_mentions(text):
    assert seen(markdown(text)).mentions == [Mention("user", "U1")]


def test_code_in_mrkdwn_mentions_but_does_not_link_addresses():
    found = seen(section("`<@U1> https://example.com` ```https://example.com```"))

    assert found.mentions == [Mention("user", "U1")]
    assert found.links == []


def test_verbatim_mrkdwn_links_no_addresses():
    text = {"type": "mrkdwn", "text": "https://example.com <https://example.com>", "verbatim": True}

    assert len(seen({"type": "section", "text": text}).links) == 1


@pytest.mark.parametrize("piece", ["[", "![", "`", "<", "[a](", "\\", "`` ` ", "[[a]", "~~~\n"])
def test_hostile_text_is_read_in_time(piece):
    began = time.perf_counter()

    seen(markdown(piece * (30_000 // len(piece))))

    assert time.perf_counter() - began < 5


def test_code_in_markdown_holds_no_links():
    found = seen(markdown("`[a](https://example.com)` ``b ` https://example.com``"))

    assert found.links == []


def test_images_are_found_in_markdown_and_in_blocks():
    image = {"type": "image", "image_url": "https://example.com/b.png", "alt_text": "b"}

    found = seen(markdown("![a](https://example.com/a.png)"), image)

    assert found.images == ["https://example.com/a.png", "https://example.com/b.png"]
    assert found.text == "a\nb"


def test_escapes_of_markdown_are_undone():
    assert seen(markdown(r"1 \* 2 \_ \\ \[a\]\(b\) \& \a")).text == r"1 * 2 _ \ [a](b) & \a"


def test_rich_text_is_read_whole():
    inlines = [
        {"type": "text", "text": "28 "},
        {"type": "link", "url": "https://example.com", "text": "days"},
        {"type": "user", "user_id": "U1"},
        {"type": "usergroup", "usergroup_id": "S1"},
        {"type": "channel", "channel_id": "C1"},
        {"type": "broadcast", "range": "here"},
        {"type": "emoji", "name": "eyes"},
    ]
    parts = [{"type": "rich_text_section", "elements": inlines}]
    item = {"type": "rich_text_section", "elements": [{"type": "text", "text": "item"}]}
    parts.append({"type": "rich_text_list", "style": "bullet", "elements": [item, item]})

    found = seen({"type": "rich_text", "elements": parts})

    assert found.text == "28 days@U1@S1#C1@here:eyes:\nitem\nitem"
    assert found.links == [Link("days", "https://example.com")]
    assert [one.kind for one in found.mentions] == ["user", "usergroup", "channel", "broadcast"]


def test_every_button_is_found():
    feedback = {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": {"text": plain("Good"), "value": "up"},
        "negative_button": {"text": plain("Bad"), "value": "down"},
    }
    go = {"type": "button", "action_id": "go", "text": plain("Go"), "url": "https://example.com"}

    found = seen(
        {"type": "actions", "block_id": "a", "elements": [go]},
        {"type": "context_actions", "block_id": "b", "elements": [feedback]},
        {**section("text"), "block_id": "c", "accessory": go},
    )

    assert found.buttons == [
        Button("Go", "go", "", "https://example.com", "button", "a"),
        Button("Good", "rate", "up", "", "feedback_buttons", "b"),
        Button("Bad", "rate", "down", "", "feedback_buttons", "b"),
        Button("Go", "go", "", "https://example.com", "button", "c"),
    ]


def test_a_table_is_read_by_rows():
    cell = {"type": "raw_text", "text": "raw"}
    inner = {"type": "rich_text_section", "elements": [{"type": "text", "text": "rich"}]}
    rich = {"type": "rich_text", "elements": [inner]}

    assert (
        seen({"type": "table", "rows": [[cell, rich], [cell, cell]]}).text == "raw\nrich\nraw\nraw"
    )


def test_a_plan_shows_its_tasks_and_their_sources():
    source = {"type": "url", "text": "Handbook", "url": "https://example.com/h"}
    inner = {"type": "rich_text_section", "elements": [{"type": "text", "text": "3 passages"}]}
    task = {
        "task_id": "t",
        "title": "Searched",
        "output": {"type": "rich_text", "elements": [inner]},
        "sources": [source],
    }

    found = seen({"type": "plan", "title": "Plan", "tasks": [task]})

    assert found.text == "Plan\nSearched\n3 passages\nHandbook"
    assert found.links == [Link("Handbook", "https://example.com/h")]


def test_context_and_inputs_are_read():
    context = {
        "type": "context",
        "elements": [plain("5 of 6"), {"type": "mrkdwn", "text": "<@U1>"}],
    }
    entry = {"type": "plain_text_input", "action_id": "r", "placeholder": plain("Say why")}
    form = {"type": "input", "label": plain("Reason"), "element": entry, "hint": plain("Short")}

    found = seen(context, form, {"type": "divider"})

    assert found.text == "5 of 6\n@U1\nReason\nShort\nSay why"
    assert found.mentions == [Mention("user", "U1")]
