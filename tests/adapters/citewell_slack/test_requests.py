"""Signed requests to a real app behind a URL."""

import asyncio

import pytest
from aiohttp import web

from citewell_slack.testing import NotVerified


async def test_an_event_is_accepted(double, served, general, alice):
    served.listen("app_mention", "message")

    alice.say(general, f"{double.mention} how many?")
    await double.until(lambda: len(served.heard) == 2)
    await double.deliveries.idle()

    assert {one.state for one in double.deliveries.log} == {"acknowledged"}
    assert double.deliveries.transport.statuses == [200, 200, 200]


@pytest.mark.parametrize("spoil", [{"secret": "wrong"}, {"age_s": 301}, {"age_s": -301}])
async def test_a_wrong_or_stale_signature_is_refused_by_the_app(
    double, served, general, alice, spoil
):
    served.listen("message")
    for name, value in spoil.items():
        setattr(double.deliveries.transport.signature, name, value)

    alice.say(general, "how many?")
    await double.deliveries.idle()

    assert double.deliveries.transport.statuses[1:] == [401, 401]
    assert double.deliveries.log[0].failures == ["http_error", "http_error"]
    assert served.heard == []


async def test_a_command_and_its_answer_go_by_form(double, served, general, alice):
    @served.app.command("/ask")
    async def ask(ack, command):
        await ack(f"You asked: {command['text']}")

    await alice.command("/ask", "how many & why?", channel=general).settled()

    assert [one.text for one in double.workspace.shown_to(alice.id)] == [
        "You asked: how many & why?"
    ]


async def test_a_click_opens_a_modal_and_its_form_is_answered(double, served, general, alice):
    button = {"type": "button", "action_id": "why", "text": {"type": "plain_text", "text": "Why?"}}
    entry = {"type": "plain_text_input", "action_id": "reason"}
    label = {"type": "plain_text", "text": "Reason"}
    form = {
        "type": "modal",
        "callback_id": "form",
        "title": label,
        "submit": label,
        "blocks": [{"type": "input", "block_id": "b", "label": label, "element": entry}],
    }

    @served.app.action("why")
    async def why(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=form)

    @served.app.view("form")
    async def take(ack, view):
        await ack(response_action="errors", errors={"b": "Say more"})

    await served.client.chat_postMessage(
        channel=general.id, text="28", blocks=[{"type": "actions", "elements": [button]}]
    )
    await alice.click(double.posted(general)[0], "Why?").settled()
    await double.until(lambda: double.workspace.surfaces.modals)
    await alice.submit({"reason": "no"}).settled()

    assert double.interactions.errors == [{"b": "Say more"}]


@pytest.fixture
async def scripted(double):
    """A URL that answers as a test says, and what came there."""
    answers, came = [], []

    async def answer(request):
        body = await request.json()
        if body["type"] == "url_verification":
            return web.json_response({"challenge": body["challenge"]})
        came.append(request)
        status, headers = answers.pop(0)
        return web.Response(status=status, headers=headers)

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    await double.deliver_to(f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/")
    yield answers, came
    await runner.cleanup()


async def test_retries_come_at_once_after_a_minute_and_after_five(double, general, alice, scripted):
    answers, came = scripted
    answers += [(500, {})] * 3 + [(200, {})]
    began = double.clock.now

    alice.say(general, "how many?")
    for seconds in (0, 60, 240):
        await double.clock.advance(seconds)
        await double.deliveries.idle()

    (delivery,) = double.deliveries.log
    assert [round(one.at - began) for one in delivery.attempts] == [0, 0, 60, 300]
    assert delivery.state == "acknowledged"
    numbers = [one.headers.get("X-Slack-Retry-Num") for one in came]
    reasons = [one.headers.get("X-Slack-Retry-Reason") for one in came]
    assert numbers == [None, "1", "2", "3"]
    assert reasons == [None, "http_error", "http_error", "http_error"]


async def test_an_app_that_is_slow_is_asked_again(double, general, alice, served):
    slow, begun = asyncio.Event(), asyncio.Event()

    @served.app.use
    async def wait(next_):
        begun.set()
        await slow.wait()
        await next_()

    served.listen("message")
    alice.say(general, "how many?")
    await begun.wait()
    await double.clock.advance(3)
    slow.set()
    (delivery,) = double.deliveries.log
    await delivery.settled()

    assert delivery.failures == ["http_timeout"]
    assert [one.reason for one in delivery.attempts] == ["", "http_timeout"]


async def test_an_app_can_ask_for_no_retry(double, general, alice, scripted):
    answers, came = scripted
    answers += [(500, {"X-Slack-No-Retry": "1"})]

    alice.say(general, "how many?")
    await double.deliveries.log[0].settled()

    assert (double.deliveries.log[0].state, len(came)) == ("lost", 1)


async def test_an_unreachable_app_is_tried_again(double, general, alice, served):
    double.deliveries.transport.url = "http://127.0.0.1:9/"

    alice.say(general, "how many?")
    await double.deliveries.idle()

    assert double.deliveries.log[0].failures == ["connection_failed", "connection_failed"]


async def test_a_url_must_return_the_challenge(double):
    with pytest.raises(NotVerified, match="answered 404 without the challenge"):
        await double.deliver_to(f"{double.api_url}nowhere/at/all")
