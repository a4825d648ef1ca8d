"""The one answer path: what is shown was checked, and each question gets one outcome."""

import asyncio
import threading
import time
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citewell import Audience, ConfigError, JournalError, Outcome, Question, Turn
from citewell.cli.indexing import bring_up
from citewell.engine.assistant import UNSOURCED, Assistant, new_id
from citewell.engine.prompting import REFUSAL
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.journal.records import AnswerRecord

LEAVE = """# Leave

Every employee has 28 days of paid leave a year. Unused days expire on 31 March.

## Sick leave

A doctor's note is due on the fourth day of sick leave.
"""
SALARIES = "# Salaries\n\nThe salary of the leave officer is 71,000 euros.\n"

CONFIG = """
[library.handbook]
use = "files"
path = "docs"
labels = {{ "**" = ["everyone"], "hr/**" = ["people-team"] }}

[retriever.main]
use = "lexical"

[model.first]
use = "scripted"
{first}
[model.second]
use = "scripted"

[profile.default]
retriever = "main"
model = "first"
{profile}
[profile.alone]
model = "first"
"""


@dataclass
class Kept:
    """A recorder that keeps records in memory."""

    records: list[AnswerRecord] = field(default_factory=list)

    def add(self, record: AnswerRecord) -> None:
        self.records.append(record)


@asynccontextmanager
async def assistant(folder: Path, *, first: str = "", profile: str = ""):
    """Yield an assistant on a synced handbook, and what it records."""
    (folder / "docs" / "hr").mkdir(parents=True, exist_ok=True)
    (folder / "docs" / "leave.md").write_text(LEAVE)
    (folder / "docs" / "hr" / "salaries.md").write_text(SALARIES)
    config = folder / "citewell.toml"
    config.write_text(CONFIG.format(first=first, profile=profile))
    kept = Kept()
    async with open_runtime(load_settings(config)) as runtime:
        await bring_up(runtime)
        yield Assistant(runtime, kept), kept


def question(text: str = "How many days of leave?", **changes) -> Question:
    values = {"id": new_id(), "text": text, "audience": Audience.of("everyone")}
    return Question(**(values | changes))


async def answers(asked: Assistant, text: str = "How many days of leave?", **changes):
    return [answer async for answer in asked.ask(question(text, **changes))]


def script(*lines: str) -> str:
    return f"script = {list(lines)!r}\n"


async def test_an_obedient_model_is_quoted_from_the_store(tmp_path):
    async with assistant(tmp_path) as (asked, kept):
        grown = await answers(asked)

    answer = grown[-1]
    assert answer.outcome is Outcome.ANSWERED
    assert [kept.id for kept in kept.records] == [answer.id]
    for citation in answer.citations:
        assert citation.quote == LEAVE[citation.start : citation.end]
    assert any("28 days" in citation.quote for citation in answer.citations)


async def test_an_answer_only_grows_and_ends_complete(tmp_path):
    async with assistant(tmp_path) as (asked, _):
        grown = await answers(asked)

    assert [answer.complete for answer in grown] == [False] * (len(grown) - 1) + [True]
    for before, after in pairwise(grown):
        assert after.claims[: len(before.claims)] == before.claims


@pytest.mark.parametrize("policy", ["drop", "mark", "refuse"])
@pytest.mark.parametrize("behaviour", ["hostile", "odd-pieces"])
async def test_no_policy_shows_a_citation_that_does_not_resolve(tmp_path, behaviour, policy):
    async with assistant(
        tmp_path, first=f'behaviour = "{behaviour}"\n', profile=f'policy = "{policy}"\n'
    ) as (asked, _):
        answer = (await answers(asked))[-1]

    assert "71,000" not in "".join(claim.text for claim in answer.shown)
    assert "evil.example" not in "".join(claim.text for claim in answer.shown)
    for citation in answer.citations:
        assert citation.quote == LEAVE[citation.start : citation.end]


async def test_what_is_not_supported_is_dropped_with_its_reason(tmp_path):
    said = script("Every employee has 28 days of paid leave a year [1].", "It has 40 days [1].")
    async with assistant(tmp_path, first=said) as (asked, kept):
        answer = (await answers(asked))[-1]

    assert [claim.shown for claim in answer.claims] == [True, False]
    assert "40" in kept.records[0].claims[1].reason


async def test_the_policy_refuse_shows_all_or_nothing(tmp_path):
    said = script("Every employee has 28 days of paid leave a year [1].", "It has 40 days [1].")
    async with assistant(tmp_path, first=said, profile='policy = "refuse"\n') as (asked, _):
        grown = await answers(asked)

    assert len(grown) == 1
    assert grown[0].outcome is Outcome.REFUSED
    assert grown[0].shown == ()


async def test_the_policy_mark_alone_is_no_answer(tmp_path):
    async with assistant(
        tmp_path, first=script("Leave is 40 days [1]."), profile='policy = "mark"\n'
    ) as (asked, _):
        answer = (await answers(asked))[-1]

    assert answer.outcome is Outcome.REFUSED
    assert answer.citations == ()


async def test_a_refusal_names_the_nearest_sources_and_claims_nothing(tmp_path):
    async with assistant(tmp_path, first=script(REFUSAL)) as (asked, kept):
        answer = (await answers(asked))[-1]

    assert (answer.outcome, answer.notice) == (Outcome.REFUSED, REFUSAL)
    assert answer.claims == ()
    assert answer.nearest[0].document_id == "handbook:leave.md"
    assert kept.records[0].outcome == "refused"


async def test_without_passages_the_model_is_not_asked(tmp_path):
    async with assistant(tmp_path, first='behaviour = "failing"\n') as (asked, kept):
        answer = (await answers(asked, "zygote?"))[-1]

    assert (answer.outcome, answer.nearest) == (Outcome.REFUSED, ())
    assert kept.records[0].errors == ()


async def test_a_failing_model_is_replaced_by_its_fallback(tmp_path):
    async with assistant(
        tmp_path,
        first='behaviour = "failing"\npieces = 0\n',
        profile='fallback = ["second"]\n',
    ) as (asked, kept):
        answer = (await answers(asked))[-1]

    assert (answer.outcome, answer.model) == (Outcome.ANSWERED, "second")
    assert kept.records[0].errors == ("first: the scripted model was told to fail",)


STOPS_EARLY = """behaviour = "failing"
pieces = 14
script = ["Every employee has 28 days of paid leave a year [1].", "Unused days expire [1]."]
"""


async def test_a_model_that_fails_after_a_claim_says_that_it_stopped(tmp_path):
    async with assistant(tmp_path, first=STOPS_EARLY) as (asked, _):
        answer = (await answers(asked))[-1]

    assert answer.outcome is Outcome.FAILED
    assert len(answer.shown) == 1
    assert answer.id in answer.notice


async def test_a_fallback_goes_on_where_a_model_stopped_and_repeats_nothing(tmp_path):
    async with assistant(tmp_path, first=STOPS_EARLY, profile='fallback = ["second"]\n') as (
        asked,
        _,
    ):
        seen = await answers(asked)

    texts = [claim.text for claim in seen[-1].shown]
    assert seen[-1].outcome is Outcome.ANSWERED
    assert seen[-1].note == "answered by second, because first could not go on"
    assert len(texts) == len(set(texts)) > 1
    for before, after in pairwise(seen):
        assert after.shown[: len(before.shown)] == before.shown


async def test_when_no_model_can_answer_the_asker_is_told(tmp_path):
    async with assistant(tmp_path, first='behaviour = "failing"\npieces = 0\n') as (asked, kept):
        answer = (await answers(asked))[-1]

    assert answer.outcome is Outcome.FAILED
    assert answer.id in answer.notice
    assert kept.records[0].outcome == "failed"


async def test_a_slow_model_is_given_up(tmp_path):
    async with assistant(
        tmp_path, first='behaviour = "slow"\ndelay_s = 30\n', profile="timeout_s = 0.3\n"
    ) as (asked, kept):
        async with asyncio.timeout(10):
            answer = (await answers(asked))[-1]

    assert answer.outcome is Outcome.FAILED
    assert "0.3 s" in kept.records[0].errors[0]


async def test_leaving_early_stops_the_model_and_is_recorded(tmp_path):
    async with assistant(tmp_path) as (asked, kept), aclosing(asked.ask(question())) as growing:
        first = await anext(growing)

    assert not first.complete
    assert [record.outcome for record in kept.records] == ["failed"]


async def test_cancelling_is_recorded_and_not_swallowed(tmp_path):
    async with assistant(tmp_path, first='behaviour = "slow"\ndelay_s = 30\n') as (asked, kept):
        asking = asyncio.create_task(answers(asked))
        await asyncio.sleep(0.5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    assert [record.outcome for record in kept.records] == ["failed"]


async def test_a_cancelled_answer_is_recorded_without_holding_up_others(tmp_path):
    async with assistant(tmp_path, first='behaviour = "slow"\ndelay_s = 30\n') as (asked, kept):
        add, at_work = kept.add, threading.current_thread()

        def slowly(record):
            assert threading.current_thread() is not at_work
            time.sleep(0.3)
            add(record)

        kept.add = slowly
        asking = asyncio.create_task(answers(asked))
        await asyncio.sleep(0.5)
        for _ in range(3):
            asking.cancel()
            await asyncio.sleep(0.02)
        with pytest.raises(asyncio.CancelledError):
            await asking

    assert [record.outcome for record in kept.records] == ["failed"]


async def test_a_cancellation_is_not_lost_where_it_cannot_be_recorded(tmp_path, caplog):
    def refuse(_record):
        raise JournalError("the disk is full")

    async with assistant(tmp_path, first='behaviour = "slow"\ndelay_s = 30\n') as (asked, kept):
        kept.add = refuse
        asking = asyncio.create_task(answers(asked))
        await asyncio.sleep(0.5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    assert "could not be recorded" in caplog.text


async def test_an_answer_without_sources_says_so_and_cites_nothing(tmp_path):
    async with assistant(tmp_path, first=script("Leave is 40 days [1].")) as (asked, _):
        answer = (await answers(asked, profile="alone"))[-1]

    assert (answer.outcome, answer.notice) == (Outcome.UNSOURCED, UNSOURCED)
    assert answer.citations == ()
    assert "[1]" not in answer.claims[0].text


async def test_an_unknown_profile_is_refused(tmp_path):
    async with assistant(tmp_path) as (asked, _):
        with pytest.raises(ConfigError, match=r'profile "nobody".*default'):
            await answers(asked, profile="nobody")


async def test_a_follow_up_finds_what_the_question_before_it_named(tmp_path):
    history = (Turn("user", "When is a doctor's note due?"), Turn("assistant", "Day four. [1]"))
    async with assistant(tmp_path) as (asked, kept):
        await answers(asked, "And why?", history=history)

    assert kept.records[0].passages[0].document_id == "handbook:leave.md"


async def test_many_questions_at_once_do_not_mix(tmp_path):
    async with assistant(tmp_path) as (asked, kept):
        grown = await asyncio.gather(*(answers(asked) for _ in range(20)))

    assert len({given[-1].id for given in grown}) == 20
    assert {given[-1].outcome for given in grown} == {Outcome.ANSWERED}
    assert len(kept.records) == 20


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    readers=st.frozensets(
        st.frozensets(st.sampled_from(["everyone", "people-team", "guests"]), max_size=2),
        max_size=3,
    )
)
def test_nobody_reads_what_any_reader_may_not(tmp_path, readers):
    audience = Audience(readers)

    async def ask():
        async with assistant(tmp_path) as (asked, kept):
            grown = await answers(asked, "What is the salary of leave?", audience=audience)
            return grown[-1], kept.records[0]

    answer, record = asyncio.run(ask())

    allowed = {
        "handbook:leave.md": audience.may_read(frozenset({"everyone"})),
        "handbook:hr/salaries.md": audience.may_read(frozenset({"people-team"})),
    }
    shown = {passage.document_id for passage in record.passages}
    shown |= {citation.document_id for citation in answer.citations}
    shown |= {near.document_id for near in answer.nearest}
    assert all(allowed[document_id] for document_id in shown)


async def test_what_is_deleted_after_retrieval_is_not_cited(tmp_path):
    async with assistant(tmp_path) as (asked, _):
        retriever = await asked._backends.retriever("main")
        async with aclosing(asked.ask(question())) as growing:
            first = await anext(growing)
            await retriever.delete(["handbook:leave.md"])
            last = [answer async for answer in growing][-1]

    assert first.citations
    assert len(last.shown) >= len(first.shown)
    assert len(last.citations) == len(first.citations)
