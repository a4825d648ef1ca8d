"""Whatever the bot does, every call that posts or changes a message rings nobody."""

from collections.abc import Mapping

from citewell.testing.adapters.library import DAYS, NOTE, write_library
from citewell.testing.adapters.stage import Stage
from readership import staged

_SHOWS = ("content", "components", "embeds")


def shown(body: object) -> list[Mapping[str, object]]:
    """Return what a body shows as messages: itself, or what it answers an interaction with."""
    if not isinstance(body, dict):
        return []
    held = [body, body.get("data"), body.get("message")]
    # A form has components, and is no message.
    return [
        one
        for one in held
        if isinstance(one, dict) and any(one.get(name) for name in _SHOWS) and "title" not in one
    ]


async def everything(stage: Stage) -> None:
    """Do all that people can do with the bot."""
    chat = stage.chat
    person, other = stage.person(), stage.person("5511000001")
    channel = await stage.channel(person, other)
    said = await chat.say(person, DAYS, channel=channel)
    await stage.says(said, "28 days")
    for name in ("quotes", "helpful", "person", "unhelpful"):
        await stage.press(person, said, name)
    await chat.fill_in(person, "too short, @everyone")
    await chat.say(other, NOTE, channel=channel, thread=said.thread, mention=False)
    await stage.settled()
    await chat.change(said, NOTE)
    await stage.says(said, "fourth day")
    asked = await chat.command(person, DAYS, channel=channel)
    await stage.says(asked, "28 days")
    await stage.press(person, asked, "share")
    about = await chat.ask_about(other, said)
    await stage.reply(about)
    direct = await chat.say(person, f"{DAYS} @everyone", mention=False)
    await stage.reply(direct)
    for profile in ("slow", "shape-long", "refusing", "failing", "hostile-slowly"):
        someone, place = await stage.scene(profile=profile)
        await stage.reply(await chat.say(someone, DAYS, channel=place))
    await chat.take_back(said)
    await stage.settled()


def test_every_call_that_shows_something_allows_no_mentions():
    with staged("discord", write_library) as (runner, stage):
        runner.run(everything(stage))
        calls = [(one.route, each) for one in stage.chat.double.calls for each in shown(one.body)]

    routes = {route for route, _ in calls}
    assert {route.partition(" ")[0] for route in routes} == {"POST", "PATCH"}
    assert any("/callback" in route for route in routes)
    assert any("/webhooks/" in route for route in routes)
    assert any(route.startswith("PATCH /channels") for route in routes)
    for route, body in calls:
        allowed = body.get("allowed_mentions")
        assert isinstance(allowed, dict), route
        assert allowed.get("parse") == [], route
        assert not any(allowed.get(name) for name in ("users", "roles", "replied_user")), route
