"""Buttons, menus and Components V2, within Discord's bounds and beyond them."""

import aiohttp
import discord
import pytest
from discord import ui

from citewell_discord.testing import ComponentType, MessageFlags, rendered
from discord_clients import answering


@pytest.fixture
def place(channel, bot):
    return bot.get_channel(channel.id)


def layout(*items):
    """Return a view of Components V2 with these items."""
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    return view


async def refusal_of(sending):
    with pytest.raises(discord.HTTPException) as refusal:
        await sending
    assert refusal.value.code == 50035
    return refusal.value.text


def button(number=0, **settings):
    settings = {"label": f"b{number}", "custom_id": f"b{number}", **settings}
    return ui.Button(**settings)


async def test_buttons_and_links_come_as_they_were_sent(double, channel, place):
    link = ui.Button(label="Handbook", url="https://docs.example/leave")
    sent = await place.send("answer", view=answering(button(), link))

    seen = rendered(double.messages(channel)[0])
    assert [(one.label, one.custom_id, one.url) for one in seen.buttons] == [
        ("b0", "b0", None),
        ("Handbook", None, "https://docs.example/leave"),
    ]
    assert [one.url for one in seen.links] == ["https://docs.example/leave"]
    assert sent.components[0].children[1].url == "https://docs.example/leave"


async def test_each_component_is_given_a_number(double, channel, place):
    await place.send("answer", view=answering(button(0), button(1)))

    (row,) = double.messages(channel)[0].components
    assert [row.id, *(one.id for one in row.components)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([{"type": 1, "components": [{"type": 2, "style": 1, "label": "x"}]}], "required"),
        (
            [{"type": 1, "components": [{"type": 2, "style": 1, "custom_id": "x"}]}],
            "must have a label or an emoji",
        ),
        (
            [{"type": 1, "components": [{"type": 2, "style": 5, "label": "x"}]}],
            "This field is required",
        ),
        (
            [
                {
                    "type": 1,
                    "components": [
                        {"type": 2, "style": 1, "label": "x", "custom_id": "x", "url": "http://a.b"}
                    ],
                }
            ],
            "cannot both be specified",
        ),
        ([{"type": 1, "components": []}], "Must be between 1 and 5 in length."),
        ([{"type": 1, "components": [{"type": 10, "content": "x"}]}], "must be one of"),
        ([{"type": 10, "content": "x"}], 'Value of field "type" must be one of (1,).'),
        ([{"type": 77}], "components"),
        (
            [
                {
                    "type": 1,
                    "components": [
                        {"type": 2, "style": 5, "label": "x", "url": "javascript:alert(1)"}
                    ],
                }
            ],
            'Scheme "javascript" is not supported.',
        ),
    ],
)
async def test_components_that_make_no_sense_are_refused(channel, caller, raw, words):
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    sending = caller.http.request(route, json={"content": "x", "components": raw})

    assert words in await refusal_of(sending)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"custom_id": "x" * 101}, "Must be between 1 and 100 in length."),
        ({"label": "x" * 81}, "Must be 80 or fewer in length."),
        (
            {"custom_id": None, "url": "https://a.b/" + "x" * 512},
            "Must be 512 or fewer in length.",
        ),
    ],
)
async def test_buttons_out_of_bounds_are_refused(channel, caller, settings, words):
    one = {"type": 2, "style": 5 if "url" in settings else 1, "label": "x", "custom_id": "x"}
    raw = [{"type": 1, "components": [{**one, **settings}]}]
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)

    text = await refusal_of(caller.http.request(route, json={"content": "x", "components": raw}))

    assert words in text


async def test_a_row_holds_five_buttons(channel, caller):
    raw = [{"type": 2, "style": 1, "label": "x", "custom_id": str(number)} for number in range(6)]
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    body = {"content": "x", "components": [{"type": 1, "components": raw}]}

    text = await refusal_of(caller.http.request(route, json=body))

    assert "Must be between 1 and 5 in length." in text


async def test_the_same_custom_id_twice_is_refused(place):
    sending = place.send("x", view=answering(button(0), button(0)))

    assert "Component custom id cannot be duplicated" in await refusal_of(sending)


async def test_a_layout_carries_text_sections_pictures_and_buttons(double, channel, place):
    view = layout(
        ui.TextDisplay("**28 days** [1]"),
        ui.Section("Handbook, page 3", accessory=button(1)),
        ui.Separator(),
        ui.Container(
            ui.TextDisplay("[Handbook](<https://docs.example/leave>)"),
            ui.MediaGallery(discord.MediaGalleryItem("https://docs.example/a.png")),
            ui.ActionRow(button(2), ui.Button(label="Open", url="https://docs.example/open")),
        ),
    )

    sent = await place.send(view=view)

    message = double.messages(channel)[0]
    seen = rendered(message)
    assert message.flags == MessageFlags.COMPONENTS_V2
    assert sent.flags.components_v2
    assert seen.text.startswith("**28 days** [1]\nHandbook, page 3\nb1\n[Handbook]")
    assert [one.label for one in seen.buttons] == ["b1", "b2", "Open"]
    assert [(one.label, one.url) for one in seen.links] == [
        ("Handbook", "https://docs.example/leave"),
        ("Open", "https://docs.example/open"),
    ]
    assert list(seen.images) == ["https://docs.example/a.png"]
    assert [one.type for one in message.components] == [
        ComponentType.TEXT_DISPLAY,
        ComponentType.SECTION,
        ComponentType.SEPARATOR,
        ComponentType.CONTAINER,
    ]


async def test_a_layout_is_read_back_as_it_was_sent(place):
    sent = await place.send(view=layout(ui.Container(ui.TextDisplay("x"), accent_colour=5)))

    fetched = await place.fetch_message(sent.id)

    (container,) = fetched.components
    assert container.children[0].content == "x"
    assert container.accent_colour.value == 5


async def test_a_layouts_button_is_answered(double, channel, alice, place):
    class Pressed(ui.Button):
        async def callback(self, interaction):
            changed = layout(ui.TextDisplay("thanks"))
            await interaction.response.edit_message(view=changed)

    await place.send(view=layout(ui.ActionRow(Pressed(label="up", custom_id="up"))))
    message = double.messages(channel)[0]
    interaction = alice.press(message, "up")
    await double.until(lambda: interaction.answered)

    assert rendered(message).text == "thanks"


async def test_forty_components_and_no_more(double, channel, place, bot):
    await place.send(view=layout(*(ui.TextDisplay("x") for _ in range(40))))
    raw = [{"type": 10, "content": "x"}] * 41
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=place.id)

    text = await refusal_of(bot.http.request(route, json={"flags": 1 << 15, "components": raw}))

    assert "40 or fewer" in text
    assert len(double.messages(channel)) == 1


async def test_nested_components_count(channel, caller):
    raw = [{"type": 17, "components": [{"type": 10, "content": "x"}] * 40}]
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)

    text = await refusal_of(caller.http.request(route, json={"flags": 1 << 15, "components": raw}))

    assert "40 or fewer" in text


async def test_four_thousand_characters_and_no_more(double, channel, place, bot):
    await place.send(view=layout(ui.TextDisplay("x" * 3000), ui.TextDisplay("y" * 1000)))
    raw = [{"type": 10, "content": "x" * 3000}, {"type": 10, "content": "x" * 1001}]
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=place.id)

    text = await refusal_of(bot.http.request(route, json={"flags": 1 << 15, "components": raw}))

    assert "exceeds the maximum size of 4000" in text
    assert len(double.messages(channel)) == 1


async def test_four_thousand_characters_of_many_bytes_make_discord_fail(double, channel, place):
    # By hand, for the library would try again for half a minute.
    fine = "語" * 3386
    await place.send(view=layout(ui.TextDisplay(fine)))
    body = {"flags": 1 << 15, "components": [{"type": 10, "content": fine + "語"}]}

    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bot {double.token}"}) as session,
        session.post(f"{double.api_url}/channels/{channel.id}/messages", json=body) as answer,
    ):
        assert answer.status == 500


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"content": "x"}, "The 'content' field cannot be used"),
        ({"embeds": [{"title": "x"}]}, "The 'embeds' field cannot be used"),
    ],
)
async def test_a_layout_excludes_content_and_embeds(channel, caller, more, words):
    raw = [{"type": 10, "content": "x"}]
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    body = {"flags": 1 << 15, "components": raw, **more}

    assert words in await refusal_of(caller.http.request(route, json=body))


async def test_a_layout_never_becomes_a_plain_message_again(double, channel, place, bot):
    sent = await place.send(view=layout(ui.TextDisplay("x")))
    route = discord.http.Route(
        "PATCH",
        "/channels/{channel_id}/messages/{message_id}",
        channel_id=place.id,
        message_id=sent.id,
    )

    text = await refusal_of(bot.http.request(route, json={"flags": 0, "content": "plain"}))
    await bot.http.request(route, json={"flags": 0, "components": [{"type": 10, "content": "y"}]})

    assert "The 'content' field cannot be used" in text
    assert double.messages(channel)[0].flags == MessageFlags.COMPONENTS_V2
    assert rendered(double.messages(channel)[0]).text == "y"


async def test_a_plain_message_becomes_a_layout_once_its_content_is_gone(double, channel, place):
    sent = await place.send("streaming ...")

    text = await refusal_of(sent.edit(content="x", view=layout(ui.TextDisplay("done"))))
    await sent.edit(content=None, view=layout(ui.TextDisplay("done")))

    message = double.messages(channel)[0]
    assert "The 'content' field cannot be used" in text
    assert message.content == ""
    assert rendered(message).text == "done"
    assert message.revisions[0].draft.content == "streaming ..."


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"type": 9, "components": [{"type": 10, "content": "x"}]}, "This field is required"),
        ({"type": 17, "components": []}, "Must be between 1 and 40 in length."),
        ({"type": 17, "components": [{"type": 17, "components": []}]}, "must be one of"),
        ({"type": 10, "content": ""}, "This field is required"),
        ({"type": 12, "items": []}, "Must be between 1 and 10 in length."),
        ({"type": 13, "file": {"url": "file:///etc/passwd"}}, "is not supported"),
    ],
)
async def test_layouts_that_make_no_sense_are_refused(channel, caller, raw, words):
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    body = {"flags": 1 << 15, "components": [raw]}

    assert words in await refusal_of(caller.http.request(route, json=body))


async def test_menus_out_of_bounds_are_refused(channel, caller):
    options = [{"label": "x", "value": str(number)} for number in range(26)]
    menu = {"type": 3, "custom_id": "m", "options": options, "placeholder": "x" * 151}
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    body = {"content": "x", "components": [{"type": 1, "components": [menu]}]}

    text = await refusal_of(caller.http.request(route, json=body))

    assert "Must be between 1 and 25 in length." in text
    assert "Must be 150 or fewer in length." in text
