"""What was said before comes back only while it may be read, and is there unchanged."""

from citewell.cli.indexing import bring_up
from citewell.delivery.remembering import still_readable
from citewell.journal.conversations import Remembered
from citewell.types.questions import Audience, Query, Turn
from desks import asked, working

EVERYONE = Audience.of("everyone")
SALARY = "What is the salary of the leave officer?"


def turns(text):
    return Turn("user", f"{text}?"), Turn("assistant", text)


async def found(retriever, text, audience):
    (passage, *_) = await retriever.retrieve(Query(text=text), limit=1, readable_by=audience)
    return {passage.id: passage.content_hash}


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
            Remembered(turns=turns("changed"), passages=dict.fromkeys(leave, "another hash")),
            Remembered(turns=turns("gone"), passages={"nothing": "h"}),
            Remembered(turns=turns("free"), passages={}),
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
