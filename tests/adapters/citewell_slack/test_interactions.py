"""Commands, shortcuts, buttons and forms, as a real app answers them."""

import asyncio

import pytest

from citewell_slack.testing import Button, CannotAct, rendered


def plain(text):
    return {"type": "plain_text", "text": text}


def modal(*blocks, **more):
    shown = blocks or ({"type": "section", "text": plain("Quoted")},)
    return {"type": "modal", "title": plain("Quotes"), "blocks": [*shown], **more}


ACT = Button("More", "more", "")
REASON = {
    "type": "input",
    "block_id": "why",
    "label": plain("Why?"),
    "element": {"type": "plain_text_input", "action_id": "reason", "max_length": 20},
}
BUTTONS = [
    {
        "type": "actions",
        "block_id": "below",
        "elements": [
            {"type": "button", "action_id": "quotes", "text": plain("Show"), "value": "a1"},
            {"type": "button", "action_id": "share", "text": plain("Share"), "value": "a1"},
        ],
    }
]


@pytest.fixture
async def asking(connected, general, alice):
    """Alice, with the buttons of an answer before her."""
    await connected.client.chat_postMessage(channel=general.id, text="28", blocks=BUTTONS)
    return alice


@pytest.fixture
def answer(double, general, asking):
    return double.posted(general)[0]


async def test_a_command_is_answered_to_one_person(double, connected, general, alice):
    @connected.app.command("/ask")
    async def ask(ack, respond, command):
        await ack()
        await respond(f"You asked: {command['text']}")

    delivery = await alice.command("/ask", "how many?", channel=general).settled()
    await double.until(lambda: double.workspace.ephemerals)

    assert delivery.state == "acknowledged"
    assert [one.text for one in double.workspace.shown_to(alice.id)] == ["You asked: how many?"]
    assert double.posted(general) == []


async def test_what_is_said_with_the_acknowledgement_is_shown(double, connected, general, alice):
    @connected.app.command("/ask")
    async def ask(ack):
        await ack("Looking …")

    await alice.command("/ask", channel=general).settled()

    assert [one.text for one in double.workspace.shown_to(alice.id)] == ["Looking …"]


async def test_a_command_can_be_answered_to_all(double, connected, general, alice):
    @connected.app.command("/ask")
    async def ask(ack, respond):
        await ack()
        await respond("28", response_type="in_channel")

    await alice.command("/ask", channel=general).settled()
    await double.until(lambda: double.posted(general))

    assert [one.text for one in double.posted(general)] == ["28"]


async def test_what_a_command_says_is_neither_replaced_nor_deleted(
    double, connected, general, alice
):
    @connected.app.command("/ask")
    async def ask(ack, respond):
        await ack("Looking …")
        await respond("28", replace_original=True)
        await respond(delete_original=True)

    await alice.command("/ask", channel=general).settled()
    await double.until(lambda: len(double.calls("response_url")) == 2)

    assert {one.text for one in double.workspace.shown_to(alice.id)} == {"Looking …", "28"}


async def test_a_response_url_is_good_five_times(double, connected, general, alice):
    statuses = asyncio.Queue()

    @connected.app.command("/ask")
    async def ask(ack, respond):
        await ack()
        for _ in range(6):
            statuses.put_nowait((await respond("28")).status_code)

    await alice.command("/ask", channel=general).settled()

    assert [await statuses.get() for _ in range(6)] == [200] * 5 + [404]
    assert len(double.workspace.shown_to(alice.id)) == 5


async def test_a_response_url_is_good_for_half_an_hour(double, connected, general, alice):
    statuses = asyncio.Queue()

    @connected.app.command("/ask")
    async def ask(ack, respond):
        await ack()
        await double.clock.advance(1801)
        statuses.put_nowait((await respond("28")).status_code)

    await alice.command("/ask", channel=general).settled()

    assert await statuses.get() == 404


async def test_answers_by_response_url_are_logged_and_can_fail(double, connected, general, alice):
    statuses = asyncio.Queue()

    @connected.app.command("/ask")
    async def ask(ack, respond):
        await ack()
        for text in ("27", "28"):
            statuses.put_nowait((await respond(text)).status_code)

    double.faults.break_down("response_url", 502)
    await alice.command("/ask", channel=general).settled()

    assert [await statuses.get() for _ in range(2)] == [502, 200]
    assert [one.arguments["text"] for one in double.calls("response_url")] == ["27", "28"]
    assert [one.text for one in double.workspace.shown_to(alice.id)] == ["28"]


async def test_a_command_that_nobody_hears_is_lost_at_once(double, general, alice):
    delivery = await alice.command("/ask", channel=general).settled()

    assert (delivery.state, len(delivery.attempts)) == ("lost", 1)


async def test_a_click_carries_the_message_and_its_value(connected, asking, answer):
    clicks = []

    @connected.app.action("quotes")
    async def show(ack, body):
        await ack()
        clicks.append(body)

    await asking.click(answer, "Show").settled()

    (body,) = clicks
    (action,) = body["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("quotes", "below", "a1")
    assert body["message"]["ts"] == body["container"]["message_ts"] == answer.ts
    assert body["user"]["id"] == asking.id


async def test_a_click_can_replace_the_message(double, connected, asking, answer):
    @connected.app.action("share")
    async def share(ack, respond):
        await ack()
        await respond("Shared", replace_original=True)

    await asking.click(answer, "share").settled()
    await double.until(lambda: answer.edits)

    assert answer.text == "Shared"


async def test_a_click_on_an_ephemeral_carries_no_message(double, connected, general, alice):
    clicks = []

    @connected.app.action("quotes")
    async def show(ack, body, respond):
        clicks.append(body)
        await ack()
        await respond(delete_original=True)

    await connected.client.chat_postEphemeral(
        channel=general.id, user=alice.id, text="28", blocks=BUTTONS
    )
    (shown,) = double.workspace.shown_to(alice.id)
    await alice.click(shown, "quotes").settled()
    await double.until(lambda: shown.is_deleted)

    assert "message" not in clicks[0]
    assert clicks[0]["container"]["is_ephemeral"]


async def test_feedback_says_which_thumb(double, connected, general, alice):
    thumbs = {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": {"text": plain("Good"), "value": "up"},
        "negative_button": {"text": plain("Bad"), "value": "down"},
    }
    values = []

    @connected.app.action("rate")
    async def rate(ack, action):
        await ack()
        values.append((action["type"], action["value"]))

    blocks = [{"type": "context_actions", "elements": [thumbs]}]
    await connected.client.chat_postMessage(channel=general.id, text="28", blocks=blocks)
    await alice.click(double.posted(general)[0], "Bad").settled()

    assert values == [("feedback_buttons", "down")]


async def test_a_button_that_is_not_there_cannot_be_pressed(asking, answer):
    with pytest.raises(CannotAct, match='0 buttons are called "Delete"'):
        asking.click(answer, "Delete")


async def test_a_shortcut_opens_a_modal(double, connected, general, alice):
    @connected.app.shortcut("ask_about_this")
    async def about(ack, shortcut, client):
        await ack()
        quoted = {"type": "section", "text": plain(shortcut["message"]["text"])}
        await client.views_open(trigger_id=shortcut["trigger_id"], view=modal(quoted))

    asked = alice.say(general, "28 days, they say")
    await alice.shortcut("ask_about_this", asked).settled()
    await double.until(lambda: double.workspace.surfaces.modals)

    assert rendered(alice.modal()).text == "28 days, they say"


async def test_a_trigger_is_good_once_and_for_three_seconds(
    double, connected, general, alice, refused
):
    triggers = []

    @connected.app.command("/ask")
    async def ask(ack, command):
        triggers.append(command["trigger_id"])
        await ack()

    for _ in range(2):
        await alice.command("/ask", channel=general).settled()
    client = connected.client
    await client.views_open(trigger_id=triggers[0], view=modal())
    twice = await refused(client.views_open(trigger_id=triggers[0], view=modal()))
    await double.clock.advance(3.1)
    late = await refused(client.views_open(trigger_id=triggers[1], view=modal()))

    assert (twice, late) == ("exchanged_trigger_id", "expired_trigger_id")
    assert (
        await refused(client.views_open(trigger_id="1.2.3", view=modal())) == "invalid_trigger_id"
    )


@pytest.fixture
async def form(double, connected, asking, answer):
    """Open a form before Alice; return a way to say how its submission is answered."""
    said = {}

    @connected.app.action("quotes")
    async def show(ack, body, client):
        await ack()
        view = modal(REASON, callback_id="feedback", submit=plain("Send"), notify_on_close=True)
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @connected.app.view("feedback")
    async def take(ack, view):
        said["state"] = view["state"]["values"]
        await ack(**said.get("answer", {}))

    await asking.click(answer, "quotes").settled()
    await double.until(lambda: double.workspace.surfaces.modals)
    return said


async def test_a_submitted_form_carries_its_values_and_closes(double, asking, form):
    view = asking.modal()

    await asking.submit({"reason": "wrong year"}).settled()

    assert form["state"]["why"]["reason"]["value"] == "wrong year"
    assert not view.is_open


async def test_errors_keep_a_form_open(double, asking, form):
    form["answer"] = {"response_action": "errors", "errors": {"why": "Say more"}}

    await asking.submit({"reason": "no"}).settled()

    assert asking.modal().is_open
    assert double.interactions.errors == [{"why": "Say more"}]


async def test_an_answer_can_update_push_or_clear(asking, form):
    first = asking.modal()
    again = modal(REASON, callback_id="feedback", submit=plain("Again"))

    form["answer"] = {"response_action": "update", "view": again}
    await asking.submit({"reason": "a"}).settled()
    updated = asking.modal().body["submit"]["text"]
    form["answer"] = {"response_action": "push", "view": again}
    await asking.submit({"reason": "b"}).settled()
    pushed = asking.modal()
    form["answer"] = {"response_action": "clear"}
    await asking.submit({"reason": "c"}).settled()

    assert updated == "Again"
    assert (pushed.previous, pushed.root) == (first.id, first.id)
    assert not first.is_open
    assert not pushed.is_open


async def test_a_form_must_be_filled_in_as_it_says(asking, form):
    with pytest.raises(CannotAct, match=r'"Why\?" must be filled in'):
        asking.submit()
    with pytest.raises(CannotAct, match="at most 20 characters"):
        asking.submit({"reason": "a" * 21})
    with pytest.raises(CannotAct, match="no such input: other"):
        asking.submit({"reason": "a", "other": "b"})


def choice(kind, *values):
    options = [{"text": plain(value), "value": value} for value in values]
    element = {"type": kind, "action_id": kind, "options": options}
    return {"type": "input", "label": plain(kind), "element": element, "optional": True}


async def test_options_are_chosen_by_their_values(double, connected, general, alice):
    trigger = alice.command("/ask", channel=general).payload["trigger_id"]
    fields = [
        choice("static_select", "a", "b"),
        choice("checkboxes", "c"),
        choice("radio_buttons", "d"),
    ]
    view = modal(*fields, submit=plain("Send"), callback_id="form")
    await connected.client.views_open(trigger_id=trigger, view=view)

    with pytest.raises(CannotAct, match="no such option: z"):
        alice.submit({"static_select": "z"})
    sent = alice.submit({"static_select": "b", "checkboxes": "c"})

    state = {}
    for block in sent.payload["view"]["state"]["values"].values():
        state |= block
    assert state["static_select"]["selected_option"]["value"] == "b"
    assert [one["value"] for one in state["checkboxes"]["selected_options"]] == ["c"]
    assert state["radio_buttons"]["selected_option"] is None


async def test_an_answer_that_slack_would_not_take_is_kept(double, asking, form):
    form["answer"] = {"response_action": "update", "view": modal({"type": "unknown"})}

    await asking.submit({"reason": "a"}).settled()

    assert [one.error for one in double.interactions.refused] == ["invalid_blocks"]
    assert asking.modal().is_open


async def test_an_acknowledgement_that_slack_would_not_take_is_kept(
    double, connected, general, alice
):
    @connected.app.command("/ask")
    async def ask(ack):
        await ack(blocks=[{"type": "unknown"}], text="28")

    await alice.command("/ask", channel=general).settled()

    assert [one.error for one in double.interactions.refused] == ["invalid_blocks"]
    assert double.workspace.ephemerals == []


async def test_a_view_is_found_by_the_id_that_the_app_gave_it(connected, general, alice, refused):
    client = connected.client
    trigger = alice.command("/ask", channel=general).payload["trigger_id"]
    await client.views_open(trigger_id=trigger, view=modal(external_id="mine"))

    await client.views_update(
        external_id="mine", view=modal(external_id="mine", title=plain("New"))
    )

    assert alice.modal().text == "New"
    assert await refused(client.views_update(external_id="other", view=modal())) == "not_found"
    unused = alice.command("/ask", channel=general).payload["trigger_id"]
    alice.close_modal()
    pushed = client.views_push(trigger_id=unused, view=modal())
    assert await refused(pushed) == "not_found"


async def test_a_button_of_home_carries_its_view(double, connected, alice):
    clicks = []

    @connected.app.action("quotes")
    async def note(ack, body):
        await ack()
        clicks.append(body)

    await connected.client.views_publish(user_id=alice.id, view={"type": "home", "blocks": BUTTONS})
    await alice.click(alice.home(), "quotes").settled()

    assert clicks[0]["container"] == {"type": "view", "view_id": alice.home().id}
    assert clicks[0]["view"]["type"] == "home"


async def test_home_is_replaced_by_its_hash(client, alice, refused):
    home = {"type": "home", "blocks": []}
    old = (await client.views_publish(user_id=alice.id, view=home))["view"]["hash"]

    await client.views_publish(user_id=alice.id, hash=old, view=home)

    late = client.views_publish(user_id=alice.id, hash=old, view=home)
    assert await refused(late) == "hash_conflict"


async def test_closing_is_told_where_it_was_asked_for(connected, asking, form):
    closed = []

    @connected.app.view_closed("feedback")
    async def note(ack, view):
        await ack()
        closed.append(view["callback_id"])

    await asking.close_modal().settled()

    assert closed == ["feedback"]
    with pytest.raises(CannotAct):
        asking.modal()


async def test_a_view_is_updated_by_its_hash(double, connected, asking, form, refused):
    view = asking.modal()
    old = view.hash
    new = modal(callback_id="feedback")

    await connected.client.views_update(view_id=view.id, hash=old, view=new)
    late = connected.client.views_update(view_id=view.id, hash=old, view=new)

    assert await refused(late) == "hash_conflict"
    assert rendered(view).text == "Quoted"


async def test_a_modal_can_be_pushed_upon_another_but_not_upon_three(
    connected, alice, asking, form, answer, refused
):
    async def push():
        trigger = asking.click(asking.modal(), ACT).payload["trigger_id"]
        return await connected.client.views_push(trigger_id=trigger, view=modal())

    first = asking.modal()
    for _ in range(2):
        await push()

    assert (asking.modal().root, first.is_open) == (first.id, True)
    assert await refused(push()) == "push_limit_reached"


async def test_home_is_published_for_one_person(double, client, alice):
    home = {"type": "home", "blocks": [{"type": "header", "text": plain("Ask me")}]}

    await client.views_publish(user_id=alice.id, view=home)

    assert rendered(alice.home()).text == "Ask me"
    alice.open_home()
    assert double.deliveries.log[-1].event["view"]["type"] == "home"


@pytest.mark.parametrize(
    ("view", "error"),
    [
        ({"type": "home", "blocks": []}, "invalid_arguments"),
        (modal(title=plain("a" * 25)), "invalid_arguments"),
        (modal(private_metadata="a" * 3_001), "invalid_arguments"),
        (modal(REASON), "invalid_arguments"),
        (modal({"type": "section"}, submit=plain("Send")), "invalid_blocks"),
        (modal(*[{"type": "divider"}] * 101), "invalid_blocks"),
        (modal({"type": "markdown", "text": "a"}), "invalid_blocks"),
    ],
)
async def test_a_malformed_modal_is_refused(connected, general, alice, refused, view, error):
    delivery = alice.command("/ask", channel=general)
    trigger = delivery.payload["trigger_id"]

    assert await refused(connected.client.views_open(trigger_id=trigger, view=view)) == error
