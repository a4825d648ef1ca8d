"""A run asks each arm each question once, keeps what comes back, and pays for nothing twice."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from citewell import Audience, Outcome
from citewell.cli.indexing import bring_up
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.errors import ConfigError, StoreError
from citewell.evaluation import asking
from citewell.evaluation.answers import open_answers
from citewell.evaluation.arms import opened_arms
from citewell.evaluation.asking import Run, Terms, key_of, tasks
from citewell.types.evaluation import EvalItem, Swap

LEAVE = "# Leave\n\nEvery employee has 28 days of paid leave a year.\n"
SICK = "# Sick leave\n\nA doctor's note is due on the fourth day of sick leave.\n"
CONFIG = """
[library.handbook]
use = "files"
path = "docs"

[retriever.main]
use = "lexical"

[model.quotes]
use = "extractive"

[model.memory]
use = "scripted"
cost = 0.25
answers = { "How many days of paid leave has an employee?" = "Every employee has 28 days [1]." }

[model.broken]
use = "scripted"
behaviour = "failing"

[profile.default]
retriever = "main"
model = "quotes"

[profile.free]
model = "memory"

[profile.memoriser]
retriever = "main"
model = "memory"

[profile.down]
model = "broken"

[eval.arms]
base = { profile = "free" }
rag = { profile = "default", rag = true }
"""
BREAKING = """
[model.off]
use = "scripted"
behaviour = "failing"
cost = 0.25

[profile.breaking]
model = "off"
fallback = ["memory"]
"""
LEAVE_QUESTION = EvalItem(
    question="How many days of paid leave has an employee?",
    documents=("leave.md",),
    swap=Swap(fact="28 days", instead="31 days"),
)
SICK_QUESTION = EvalItem(question="When is a doctor's note due?", documents=("sick.md",))
EVERYONE = Audience.of("everyone")


@pytest.fixture
def project(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "leave.md").write_text(LEAVE)
    (tmp_path / "docs" / "sick.md").write_text(SICK)
    config = tmp_path / "citewell.toml"
    config.write_text(CONFIG)
    return config


@asynccontextmanager
async def opened(config):
    async with open_runtime(load_settings(config)) as runtime:
        await bring_up(runtime)
        with open_answers(config.parent / "answers.sqlite") as answers:
            yield runtime, answers


async def asked(config, items, *, arms=(), **terms):
    """Ask `items`; return the progress, and the responses by arm, question and swap."""
    async with opened(config) as (runtime, answers):
        wanted = tasks(await opened_arms(runtime, arms), items)
        terms = Terms(audience=EVERYONE, **terms)
        progress = await Run(runtime, answers, terms, lambda _: None).ask(wanted)
        return progress, {
            (task.arm.name, task.item.question, task.swaps): answers.get(key_of(task, terms))
            for task in wanted
        }


async def test_each_arm_answers_each_question_by_the_path_of_the_bots(project):
    progress, found = await asked(project, [LEAVE_QUESTION, SICK_QUESTION])

    assert (progress.total, progress.asked, progress.kept) == (5, 5, 0)
    cited = found["rag", SICK_QUESTION.question, False]
    assert cited.outcome is Outcome.ANSWERED
    assert "fourth day" in cited.text
    assert [quote.document_id for one in cited.statements for quote in one.quotes] == [
        "handbook:sick.md"
    ]
    assert cited.found[0].document_id == "handbook:sick.md"
    assert cited.seconds["total"] >= cited.seconds["retrieve"] > 0
    free = found["base", LEAVE_QUESTION.question, False]
    assert free.outcome is Outcome.UNSOURCED
    assert free.output == "Every employee has 28 days [1]."
    assert "[1]" not in free.text
    assert free.cost == 0.25
    assert not free.found


async def test_what_is_kept_is_not_asked_again(project):
    first, before = await asked(project, [LEAVE_QUESTION])
    second, after = await asked(project, [LEAVE_QUESTION, SICK_QUESTION])

    assert (first.asked, second.asked, second.kept) == (3, 2, 3)
    assert before.items() <= after.items()


async def test_an_arm_that_changed_is_asked_anew_and_no_other(project):
    await asked(project, [SICK_QUESTION])
    project.write_text(
        CONFIG.replace('use = "extractive"', 'use = "extractive"\nmax_sentences = 1')
    )

    progress, _ = await asked(project, [SICK_QUESTION])

    assert (progress.asked, progress.kept) == (1, 1)


async def test_arms_that_retrieve_are_asked_anew_when_documents_change(project):
    await asked(project, [SICK_QUESTION])
    (project.parent / "docs" / "new.md").write_text("# New\n\nSomething else.\n")

    progress, _ = await asked(project, [SICK_QUESTION])

    assert (progress.asked, progress.kept) == (1, 1)


async def test_a_document_that_is_held_out_is_not_found(project):
    _, found = await asked(project, [SICK_QUESTION], held_out=frozenset({"sick.md"}))

    response = found["rag", SICK_QUESTION.question, False]
    assert {passage.document_id for passage in response.found} <= {"handbook:leave.md"}
    assert "fourth" not in response.text


async def test_a_swapped_fact_is_followed_by_quotes_and_not_by_a_memory(project):
    _, found = await asked(project, [LEAVE_QUESTION], arms=("rag", "memoriser"))

    follows = found["rag", LEAVE_QUESTION.question, True]
    remembers = found["memoriser", LEAVE_QUESTION.question, True]
    assert "31 days" in follows.text
    assert "28 days" in remembers.output
    assert "28 days" not in remembers.text, "the checks let through what no passage says"
    assert all("28 days" not in one.text for one in (*follows.found, *remembers.found))


async def test_a_run_ends_before_it_costs_more_than_it_may(project):
    items = [EvalItem(question=f"Question {at}?", answers=("a",)) for at in range(9)]

    progress, _ = await asked(project, items, arms=("free",), max_cost=1.1)

    assert progress.ended_by_cost
    assert (progress.asked, progress.cost) == (4, 1.0)


@pytest.mark.parametrize("at_once", [2, 8])
async def test_while_no_price_is_known_one_is_asked_at_a_time(project, at_once):
    project.write_text(CONFIG.replace("cost = 0.25\n", "cost = 0.25\nlocal = false\n"))
    items = [EvalItem(question=f"Question {at}?", answers=("a",)) for at in range(9)]

    progress, _ = await asked(project, items, arms=("free",), max_cost=0.6, at_once=at_once)

    assert progress.ended_by_cost
    assert (progress.asked, progress.cost) == (2, 0.5)


async def test_what_breaks_off_and_is_stood_in_for_costs_what_both_cost(project):
    project.write_text(CONFIG + BREAKING)
    items = [EvalItem(question=f"Question {at}?", answers=("a",)) for at in range(9)]

    progress, found = await asked(project, items, arms=("breaking",), max_cost=1.1)

    assert progress.ended_by_cost
    assert (progress.asked, progress.cost) == (2, 1.0)
    assert {response.cost for response in found.values() if response} == {0.5}


@pytest.mark.parametrize("at_once", [1, 8])
async def test_under_a_bound_a_model_without_a_price_is_given_up_after_one_answer(project, at_once):
    project.write_text(CONFIG.replace("cost = 0.25\n", "local = false\n"))
    items = [EvalItem(question=f"Question {at}?", answers=("a",)) for at in range(9)]

    arms = "free", "rag"
    progress, _ = await asked(project, items, arms=arms, max_cost=5.0, at_once=at_once)
    unbound, _ = await asked(project, items, arms=("free",))

    assert "give the model a price" in progress.given_up["free"]
    assert progress.given_up.keys() == {"free"}, "what runs on this machine has no price"
    assert progress.asked == 1 + 9
    assert (unbound.asked, unbound.kept) == (8, 1)


async def test_what_was_answered_too_long_ago_is_asked_again(project):
    await asked(project, [LEAVE_QUESTION])
    now = datetime.now(UTC)

    young, _ = await asked(project, [LEAVE_QUESTION], since=now - timedelta(days=1))
    old, found = await asked(project, [LEAVE_QUESTION], since=now + timedelta(seconds=2))

    assert (young.asked, young.kept, young.too_old) == (0, 3, 0)
    assert (old.asked, old.kept, old.too_old) == (3, 0, 3)
    assert all(response is not None for response in found.values())


async def test_answers_are_kept_under_the_documents_that_they_are_from(project):
    """Documents change after the first answer: the next run pays for nothing that is there."""
    items = [SICK_QUESTION, EvalItem(question="Who needs a note of a doctor?", answers=("a",))]
    async with opened(project) as (runtime, answers):
        arms = await opened_arms(runtime, ("rag",))
        changes = iter([(project.parent / "docs" / "new.md", "# New\n\nA note of a doctor.\n")])

        def told(progress):
            if progress.asked == 1 and (change := next(changes, None)):
                change[0].write_text(change[1])
                changing.append(asyncio.ensure_future(bring_up(runtime)))

        changing = []
        run = _Waiting(runtime, answers, Terms(audience=EVERYONE), told, changing)
        progress = await run.ask(tasks(arms, items))
    again, found = await asked(project, items, arms=("rag",))

    assert len(progress.moved) == 1
    assert (again.asked, again.kept) == (1, 1)
    assert all(response is not None for response in found.values())


async def test_what_was_written_while_documents_changed_is_asked_again(project):
    changes = iter([SICK.replace("fourth", "second")])

    async with opened(project) as (runtime, answers):
        retriever = await runtime.retriever("main")
        retrieve = retriever.retrieve

        async def changing(query, **terms):
            found = await retrieve(query, **terms)
            if text := next(changes, None):
                (project.parent / "docs" / "sick.md").write_text(text)
                await bring_up(runtime)
            return found

        retriever.retrieve = changing
        arms = await opened_arms(runtime, ("rag",))
        run = Run(runtime, answers, Terms(audience=EVERYONE), lambda _: None)
        await run.ask(tasks(arms, [SICK_QUESTION]))
    again, found = await asked(project, [SICK_QUESTION], arms=("rag",))

    assert (again.asked, again.kept) == (0, 1)
    assert "second day" in found["rag", SICK_QUESTION.question, False].text


async def test_a_fallback_without_a_price_has_the_arm_given_up(project):
    remote = CONFIG.replace("cost = 0.25\n", "local = false\n")
    project.write_text(remote + BREAKING.replace("cost = 0.25\n", ""))
    items = [EvalItem(question=f"Question {at}?", answers=("a",)) for at in range(9)]

    progress, _ = await asked(project, items, arms=("breaking",), max_cost=1.0)

    assert progress.asked == 1
    assert "what an answer of memory costs is not known" in progress.given_up["breaking"]


async def test_an_arm_whose_first_model_only_fails_is_given_up_though_another_answers(project):
    project.write_text(CONFIG + BREAKING)
    items = [EvalItem(question=f"Question {at}?", answers=("a",)) for at in range(9)]

    progress, _ = await asked(project, items, arms=("breaking",))

    assert (progress.asked, progress.failed) == (3, 0)
    assert "it only failed" in progress.given_up["breaking"]


async def test_an_index_that_cannot_be_read_costs_no_other_arm(project, monkeypatch):
    async with opened(project) as (runtime, answers):
        arms = await opened_arms(runtime, ("rag", "base"))
        retriever = await runtime.retriever("main")

        async def identity():
            raise StoreError("the index is away")

        monkeypatch.setattr(retriever, "identity", identity, raising=False)
        run = Run(runtime, answers, Terms(audience=EVERYONE), lambda _: None)
        progress = await run.ask(tasks(arms, [SICK_QUESTION]))

    assert (progress.asked, progress.failed) == (2, 1)


async def test_documents_that_never_stay_cost_one_answer_and_not_the_run(project, monkeypatch):
    monkeypatch.setattr(asking, "_REST_S", 0)
    async with opened(project) as (runtime, answers):
        arms = await opened_arms(runtime, ("rag", "base"))
        retriever = await runtime.retriever("main")
        numbers = count()

        async def identity():
            return str(next(numbers))

        monkeypatch.setattr(retriever, "identity", identity, raising=False)
        run = Run(runtime, answers, Terms(audience=EVERYONE), lambda _: None)
        progress = await run.ask(tasks(arms, [SICK_QUESTION]))

    assert (progress.asked, progress.failed) == (2, 1)


async def test_a_failure_takes_no_answer_away_that_was_paid_for(project):
    await asked(project, [LEAVE_QUESTION], arms=("free",))
    later = datetime.now(UTC) + timedelta(seconds=2)
    failing = CONFIG.replace("[model.memory]", "[model.memory]\nbehaviour = 'failing'", 1)
    async with opened(project) as (runtime, answers):
        arms = await opened_arms(runtime, ("free",))
        (task,) = tasks(arms, [LEAVE_QUESTION])
        project.write_text(failing)
        async with open_runtime(load_settings(project)) as broken:
            run = Run(broken, answers, Terms(audience=EVERYONE, since=later), lambda _: None)
            progress = await run.ask([task])
        kept = answers.get(key_of(task, Terms(audience=EVERYONE)))

    assert (progress.asked, progress.failed) == (1, 1)
    assert kept.outcome is Outcome.UNSOURCED


async def test_two_arms_of_one_identity_are_asked_once(project):
    progress, found = await asked(project, [LEAVE_QUESTION], arms=("base", "free"))

    assert (progress.total, progress.asked) == (1, 1)
    assert len({*map(id, found)}) == 2


class _Waiting(Run):
    """A run that waits for the documents before it asks."""

    def __init__(self, *args):
        *args, self._changing = args
        super().__init__(*args)

    async def _ask(self, task, *, is_last):
        await asyncio.gather(*self._changing)
        return await super()._ask(task, is_last=is_last)


async def test_an_arm_that_only_fails_is_given_up_and_costs_no_other_arm(project):
    items = [EvalItem(question=f"Question {at}?", answers=("a",)) for at in range(9)]

    progress, found = await asked(project, items, arms=("down", "base"))

    assert progress.given_up.keys() == {"down"}
    assert "told to fail" in progress.given_up["down"]
    assert progress.failed == 3
    assert sum(one is not None for (arm, *_), one in found.items() if arm == "base") == 9


async def test_what_failed_is_asked_again_the_next_time(project):
    item = EvalItem(question="Question?", answers=("a",))
    await asked(project, [item], arms=("down",))

    progress, _ = await asked(project, [item], arms=("down",))

    assert (progress.asked, progress.kept) == (1, 0)


@pytest.mark.parametrize("name", ["bas", "nothing"])
async def test_an_unknown_arm_is_named_with_those_that_there_are(project, name):
    with pytest.raises(ConfigError, match=rf'no arm or profile "{name}"'):
        await asked(project, [SICK_QUESTION], arms=(name,))


async def test_without_arms_there_is_nothing_to_compare(project):
    project.write_text(CONFIG.partition("[eval.arms]")[0])

    with pytest.raises(ConfigError, match="nothing to compare"):
        await asked(project, [SICK_QUESTION])
