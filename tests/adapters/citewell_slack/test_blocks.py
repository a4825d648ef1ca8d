"""Which blocks are taken, and which are not."""

import pytest


def plain(text):
    return {"type": "plain_text", "text": text}


def mrkdwn(text):
    return {"type": "mrkdwn", "text": text}


def button(name="go", **more):
    return {"type": "button", "action_id": name, "text": plain("Go"), "value": "1", **more}


def rich(*inlines):
    section = {"type": "rich_text_section", "elements": [*inlines]}
    return {"type": "rich_text", "elements": [section]}


FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "rate",
    "positive_button": {"text": plain("Good"), "value": "up"},
    "negative_button": {"text": plain("Bad"), "value": "down"},
}
CELL = {"type": "raw_text", "text": "28"}
TASK = {"task_id": "t", "title": "Searched", "status": "complete"}

GOOD = [
    {"type": "section", "text": mrkdwn("a" * 3_000), "accessory": button()},
    {"type": "section", "fields": [mrkdwn("a")] * 10},
    {"type": "markdown", "text": "**28**"},
    {"type": "header", "text": plain("a" * 150)},
    {"type": "divider"},
    {"type": "context", "elements": [mrkdwn("a")] * 10},
    {"type": "context_actions", "elements": [FEEDBACK]},
    {"type": "actions", "elements": [button(str(number)) for number in range(25)]},
    {"type": "table", "rows": [[CELL] * 20, [rich({"type": "text", "text": "a"})] * 20]},
    {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"},
    {"type": "task_card", **TASK, "output": rich({"type": "text", "text": "3 passages"})},
    {"type": "plan", "title": "Plan", "tasks": [TASK]},
    rich(
        {"type": "text", "text": "a", "style": {"bold": True}},
        {"type": "link", "url": "https://example.com", "text": "b"},
        {"type": "user", "user_id": "U1"},
        {"type": "broadcast", "range": "here"},
        {"type": "emoji", "name": "eyes"},
    ),
    {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_list", "style": "ordered", "indent": 1, "elements": []}
            | {"elements": [{"type": "rich_text_section", "elements": []}]},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "a"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a"}]},
        ],
    },
]

BAD = [
    ({"type": "unknown"}, "/blocks/0/type"),
    ({"text": "no type"}, "/blocks/0/type"),
    ("text", "/blocks/0"),
    ({"type": "section"}, "/blocks/0"),
    ({"type": "section", "text": mrkdwn("")}, "/blocks/0/text/text"),
    ({"type": "section", "text": mrkdwn("a" * 3_001)}, "/blocks/0/text/text"),
    ({"type": "section", "text": "a"}, "/blocks/0/text"),
    ({"type": "section", "text": mrkdwn("a"), "colour": "red"}, "/blocks/0"),
    ({"type": "section", "text": mrkdwn("a"), "block_id": "a" * 256}, "/blocks/0/block_id"),
    ({"type": "markdown", "text": "a" * 12_001}, "/blocks/0/text"),
    ({"type": "header", "text": mrkdwn("a")}, "/blocks/0/text/type"),
    ({"type": "header", "text": plain("a" * 151)}, "/blocks/0/text/text"),
    ({"type": "context", "elements": [mrkdwn("a")] * 11}, "/blocks/0/elements"),
    ({"type": "context_actions", "elements": [FEEDBACK] * 6}, "/blocks/0/elements"),
    ({"type": "context_actions", "elements": [button()]}, "/blocks/0/elements/0/type"),
    ({"type": "actions", "elements": []}, "/blocks/0/elements"),
    ({"type": "actions", "elements": [button(), button()]}, "/blocks/0/elements"),
    ({"type": "actions", "elements": [button(value="a" * 2_001)]}, "/blocks/0/elements/0/value"),
    ({"type": "actions", "elements": [button("a" * 256)]}, "/blocks/0/elements/0/action_id"),
    ({"type": "actions", "elements": [button(style="blue")]}, "/blocks/0/elements/0/style"),
    (
        {"type": "actions", "elements": [button(text=plain("a" * 76))]},
        "/blocks/0/elements/0/text/text",
    ),
    ({"type": "table", "rows": [[CELL] * 21]}, "/blocks/0/rows/0"),
    ({"type": "table", "rows": [[CELL]] * 101}, "/blocks/0/rows"),
    ({"type": "table", "rows": [["28"]]}, "/blocks/0/rows/0/0"),
    ({"type": "image", "alt_text": "a"}, "/blocks/0"),
    ({"type": "task_card", **TASK, "status": "completed"}, "/blocks/0/status"),
    ({"type": "task_card", **TASK, "output": "text"}, "/blocks/0/output"),
    (rich({"type": "text"}), "/blocks/0/elements/0/elements/0"),
    (rich({"type": "text", "text": ""}), "/blocks/0/elements/0/elements/0/text"),
]


@pytest.fixture
def post(client, general):
    def send(*blocks):
        return client.chat_postMessage(channel=general.id, text="a", blocks=[*blocks])

    return send


@pytest.mark.parametrize("block", GOOD, ids=lambda block: block["type"])
async def test_a_block_is_taken(double, general, post, block):
    await post(block)

    assert double.posted(general)[0].blocks[0]["type"] == block["type"]


@pytest.mark.parametrize(("block", "pointer"), BAD)
async def test_a_malformed_block_is_refused_with_its_place(post, block, pointer):
    with pytest.raises(Exception, match="invalid_blocks") as caught:
        await post(block)

    (message,) = caught.value.response["response_metadata"]["messages"]
    assert f"[json-pointer:{pointer}" in message


async def test_a_message_holds_fifty_blocks(post, refused):
    await post(*[{"type": "divider"}] * 50)

    assert await refused(post(*[{"type": "divider"}] * 51)) == "invalid_blocks"


async def test_a_message_holds_one_table(post, refused):
    table = {"type": "table", "rows": [[CELL]]}

    assert await refused(post(table, table)) == "invalid_attachments"


async def test_a_table_holds_ten_thousand_characters(post, refused):
    rows = [[{"type": "raw_text", "text": "a" * 101}]] * 100

    assert await refused(post({"type": "table", "rows": rows})) == "invalid_blocks"


async def test_block_ids_are_not_repeated(post, refused):
    line = {"type": "divider", "block_id": "line"}

    assert await refused(post(line, line)) == "invalid_blocks"


async def test_markdown_blocks_share_one_cap(post, refused):
    half = {"type": "markdown", "text": "a" * 6_001}

    assert await refused(post(half, half)) == "msg_blocks_too_long"


async def test_elements_without_ids_are_given_some(double, general, post):
    unnamed = {"type": "button", "text": plain("Go")}

    await post({"type": "actions", "elements": [unnamed]})

    (block,) = double.posted(general)[0].blocks
    assert block["block_id"]
    assert block["elements"][0]["action_id"]
