"""What was said before comes back only while it may be read, and is there unchanged."""

from msgspec.structs import replace

from citewell.cli.indexing import bring_up
from citewell.delivery.remembering import still_readable
from citewell.engine.restoring import current_passages, restored_answer
from citewell.journal.conversations import Conversations, Remembered
from citewell.journal.inbox import Task
from citewell.testing.plainchat import PlainAdapter
from citewell.types.documents import PassageRef
from citewell.types.questions import Audience, Query, Turn
from desks import SETTINGS, asked, working

EVERYONE = Audience.of("everyone")
REPEATS = SETTINGS.replace(
    "Every employee has 28 days of paid leave a year [1]. Unused days expire [1].",
    "As I said, the salary is 71,344 euros. Every employee has 28 days of paid leave a year [1].",
).replace('model = "quotes"\n', 'model = "slow"\npolicy = "mark"\npassages = 1\n')
SALARY = "What is the salary of the leave officer?"


def turns(text):
    return Turn("user", f"{text}?"), Turn("assistant", text)


async def found(retriever, text, audience):
    (passage, *_) = await retriever.retrieve(Query(text=text), limit=1, readable_by=audience)
    return frozenset({PassageRef(passage.id, passage.content_hash)})


async def test_only_what_is_there_unchanged_and_readable_is_remembered(tmp_path):
    people = Audience.of("everyone", "people-team")
    async with working(tmp_path) as at_work:
        retriever = await at_work.runtime.retriever("main")
        leave = await found(retriever, "paid leave", people)
        salary = await found(retriever, SALARY, people)
        kept = [
            Remembered(turns=turns("leave"), passages=leave),
            Remembered(turns=turns("salary"), passages=salary),
            Remembered(turns=turns("both"), passages=leave | salary),
            Remembered(
                turns=turns("changed"),
                passages=frozenset(replace(one, content_hash="h") for one in leave),
            ),
            Remembered(turns=turns("gone"), passages=frozenset({PassageRef("nothing", "h")})),
            Remembered(turns=turns("free"), passages=frozenset()),
        ]
        by_people = await still_readable(kept, retriever, people)
        by_everyone = await still_readable(kept, retriever, EVERYONE)
        by_nobody = await still_readable(kept, None, people)

    assert [turn.text for turn in by_people[1::2]] == ["leave", "salary", "both", "free"]
    assert [turn.text for turn in by_everyone[1::2]] == ["leave", "free"]
    assert [turn.text for turn in by_nobody[1::2]] == ["free"]


async def test_what_was_deleted_is_not_remembered_by_a_follow_up(tmp_path):
    async with working(tmp_path) as at_work:
        await at_work.desk.accept(asked(text="How many days of paid leave has an employee?"))
        await at_work.idle()
        (tmp_path / "docs" / "leave.md").unlink()
        (tmp_path / "docs" / "food.md").write_text("# Food\n\nThe canteen opens at noon.\n")
        await bring_up(at_work.runtime)
        await at_work.desk.accept(asked("2", "And how much of it in the canteen?"))
        await at_work.idle()

    first, second = at_work.chat.messages()
    assert "28 days" in first.text
    assert "28 days" not in second.text
    assert at_work.journal.recent(1)[0].labels == ("everyone",)


class InPeople(PlainAdapter):
    """Speaks to a chat whose one channel is read by people of the group."""

    async def readers(self, address, groups):
        return frozenset({frozenset({"people"})})


async def spoken(at_work):
    """Ask for what few may read, and then for what all may; return the answer to that."""
    await at_work.desk.accept(asked(text=SALARY))
    await at_work.idle()
    await at_work.desk.accept(asked("2", "How many days of paid leave has every employee?"))
    await at_work.idle()
    record, _ = at_work.journal.recent(2)
    assert "71,344" in at_work.chat.messages()[-1].text
    return record


async def test_what_an_answer_repeats_of_another_is_shown_to_who_may_read_that(tmp_path):
    async with working(tmp_path, settings=REPEATS, speaks=InPeople) as at_work:
        record = await spoken(at_work)
        retriever = await at_work.runtime.retriever("main")
        seen = {}
        for reader in (EVERYONE, Audience.of("everyone", "people-team")):
            current = await current_passages(record, retriever, reader)
            answer = restored_answer(record, current, reader)
            seen[reader] = [claim.text for claim in answer.shown]

    assert len(seen[EVERYONE]) == 1
    assert "28 days" in seen[EVERYONE][0]
    assert any("71,344" in text for text in seen[Audience.of("everyone", "people-team")])


async def test_what_was_repeated_of_a_deleted_document_is_not_remembered(tmp_path):
    async with working(tmp_path, settings=REPEATS, speaks=InPeople) as at_work:
        await spoken(at_work)
        (tmp_path / "docs" / "hr" / "salaries.md").unlink()
        await bring_up(at_work.runtime)
        task = Task(seq=99, asked=asked("3"), text="", revision=0, is_withdrawn=False, attempts=1)
        people = Audience.of("everyone", "people-team")
        conversations = Conversations(at_work.inbox._engine)
        kept = conversations.remembered(task, people, limit=5)
        turns = await still_readable(kept, await at_work.runtime.retriever("main"), people)

    assert len(kept) == 2
    assert turns == ()
