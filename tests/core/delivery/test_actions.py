"""Below each answer stands what its readers may do next, and nothing else."""

import pytest

from citewell.blocks import Action
from citewell.delivery.actions import chat_actions, reads_more
from citewell.testing import make_answer, make_claim, make_passages
from citewell.types.answers import Outcome
from citewell.types.chat import Address
from citewell.types.questions import Audience
from desks import SETTINGS, VENUE, asked, working

PUBLIC = Address(venue=VENUE)
ALONE = Address(venue=VENUE, only_for="U1")
DIRECT = Address(venue=VENUE, only_for="U1", data={"direct": "1"})
(LEAVE,) = make_passages("Every employee has 28 days of leave a year.")
CITED = make_answer(make_claim("28 days.", {1: LEAVE}))
BARE = make_answer(make_claim("28 days."), outcome=Outcome.UNSOURCED, notice="unsourced")
REFUSED = make_answer(outcome=Outcome.REFUSED, notice="The documents do not say.")
FAILED = make_answer(outcome=Outcome.FAILED, notice="no model could answer")


def names(answer, *, address=PUBLIC, hands_off=False, reads_more=False, stopped=False):
    row = chat_actions(
        answer, address=address, hands_off=hands_off, reads_more=reads_more, stopped=stopped
    )
    return [one.name for one in row.actions] if row else []


@pytest.mark.parametrize(
    ("answer", "options", "expected"),
    [
        (CITED, {}, ["quotes", "helpful", "unhelpful"]),
        (BARE, {}, ["helpful", "unhelpful"]),
        (CITED, {"hands_off": True}, ["quotes", "helpful", "unhelpful", "person"]),
        (CITED, {"reads_more": True}, ["quotes", "helpful", "unhelpful", "private"]),
        (CITED, {"address": ALONE}, ["quotes", "helpful", "unhelpful", "share"]),
        (
            CITED,
            {"address": ALONE, "reads_more": True},
            ["quotes", "helpful", "unhelpful", "share"],
        ),
        (CITED, {"address": DIRECT}, ["quotes", "helpful", "unhelpful"]),
        (REFUSED, {"hands_off": True}, ["helpful", "unhelpful", "person"]),
        (REFUSED, {"reads_more": True}, ["helpful", "unhelpful", "private"]),
        (REFUSED, {"address": ALONE}, ["helpful", "unhelpful"]),
        (FAILED, {"hands_off": True, "reads_more": True}, ["person"]),
        (FAILED, {}, []),
        (CITED, {"hands_off": True, "stopped": True}, ["person"]),
        (CITED, {"stopped": True}, []),
    ],
)
def test_what_is_offered_depends_on_the_answer_and_its_readers(answer, options, expected):
    assert names(answer, **options) == expected


@pytest.mark.parametrize("address", [PUBLIC, ALONE])
def test_what_needs_a_question_that_is_not_kept_is_not_offered(address):
    row = chat_actions(CITED, address=address, hands_off=True, reads_more=True, kept=False)

    assert [one.name for one in row.actions] == ["quotes", "helpful", "unhelpful"]


async def test_where_questions_are_not_kept_nobody_is_asked_instead(tmp_path):
    settings = SETTINGS.replace("[adapter.plain]\n", '[adapter.plain]\nhand_off = "help"\n')
    shown = {}
    for name, keeps in (("kept", "true"), ("gone", "false")):
        folder = tmp_path / name
        folder.mkdir()
        chat = f"\n[chat]\nkeep_questions = {keeps}\n"
        async with working(folder, settings=settings + chat) as at_work:
            await at_work.desk.accept(asked())
            await at_work.idle()
            shown[name] = at_work.chat.messages()[-1].text

    assert "(Ask a person)" in shown["kept"]
    assert "(Ask a person)" not in shown["gone"]
    assert "(Helpful)" in shown["gone"]


def test_an_action_names_its_answer_in_words_for_people():
    row = chat_actions(CITED, address=PUBLIC, hands_off=False, reads_more=False)

    assert row.actions[0] == Action("quotes", "Show the quotes", CITED.id)
    assert [one.label for one in row.actions[1:]] == ["Helpful", "Not helpful"]


@pytest.mark.parametrize(
    ("own", "shared", "expected"),
    [
        ({"a"}, [{"a"}], False),
        ({"a", "b"}, [{"a"}], True),
        ({"a"}, [{"a"}, {"a", "b"}], False),
        ({"a", "b"}, [{"a", "b"}, {"a"}], True),
        ({"a"}, [{"a", "b"}], False),
    ],
)
def test_who_reads_more_than_the_others_is_told_from_the_labels(own, shared, expected):
    readers = Audience(frozenset(map(frozenset, shared)))

    assert reads_more(Audience.of(*own), readers) is expected


async def test_a_private_answer_is_offered_to_whom_the_channel_is_told_less(tmp_path):
    people = frozenset({"people"})
    members = {"general": frozenset({frozenset(), people}), "U1": frozenset({people})}
    question = "What is the salary of the leave officer?"
    async with working(tmp_path, members=members) as at_work:
        await at_work.desk.accept(asked(text=question))
        await at_work.desk.accept(asked("2", question, address=ALONE))
        await at_work.desk.accept(asked("3", question, user="U2"))
        await at_work.idle()

    public, private, of_other = [message.text for message in at_work.chat.messages()]
    assert "71,344" not in public
    assert "(Answer me privately)" in public
    assert "71,344" in private
    assert private.endswith("(Show the quotes) (Helpful) (Not helpful) (Share with the channel)")
    assert "(Answer me privately)" not in of_other


async def test_what_a_formatter_offers_is_left_out_in_a_chat(tmp_path):
    settings = f'{SETTINGS}formatter = "footnotes"\n'
    async with working(tmp_path, settings=settings) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()

    (message,) = at_work.chat.messages()
    assert "28 days" in message.text
    assert "Why this answer" not in message.text
    assert message.text.endswith("(Show the quotes) (Helpful) (Not helpful)")


async def test_quotes_are_left_to_their_button_in_a_chat(tmp_path):
    async with working(tmp_path) as at_work:
        await at_work.desk.accept(asked(text="When do unused days expire?"))
        await at_work.idle()

    (message,) = at_work.chat.messages()
    sentence = "Unused days expire on 31 March"
    assert "[1] Leave" in message.text
    assert message.text.count(sentence) == 1, "once: in the answer, and not below its source"
    assert "(Show the quotes)" in message.text
