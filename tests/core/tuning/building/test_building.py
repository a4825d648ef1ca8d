"""Examples have the prompt of serving, and answers that the evidence checks let through."""

import asyncio
import re
from collections import Counter

import pytest
from msgspec.structs import replace

from citewell import Audience
from citewell.engine.prompting import REFUSAL
from citewell.errors import ConfigError
from citewell.evaluation.arranging import Arrangement
from citewell.evaluation.making.drawing import draw
from citewell.evaluation.making.elsewhere import Elsewhere
from citewell.evaluation.making.material import Wish as Asked
from citewell.evaluation.making.material import read
from citewell.tuning.building.building import Wish, of_questions
from citewell.tuning.building.classroom import Teacher
from citewell.tuning.building.guarding import Guard
from citewell.tuning.building.lessons import Shares, lessons
from citewell.tuning.building.teaching import Terms, answered, declined, messages_of
from citewell.tuning.building.tracing import Tracer
from citewell.tuning.data.checking import faults
from citewell.tuning.data.likeness import twins
from citewell.tuning.data.private import Private
from citewell.types.evaluation import EvalItem, Swap
from towns import EVERYONE, opened, write_towns

TERMS = Terms(profile="default", audience=EVERYONE)
PLAIN = Shares(refused=0, swapped=0, conflict=0)
MIXED = Shares(refused=0.2, swapped=0.2, conflict=0.2)
FOUNDED = EvalItem(
    id="founded",
    question="When was the library in Bonn founded?",
    documents=("bonn.md",),
    quotes=("The library in Bonn was founded in 1851 by Anna Weber.",),
    answers=("1851",),
)


def told(_done, _of):
    pass


@pytest.fixture(scope="module")
def private():
    with Private() as opened_private:
        yield opened_private


async def drawn(runtime, number=200):
    retriever = await runtime.retriever("main")
    wish = Asked(number=number, with_gaps=False)
    reading = await read(retriever, EVERYONE, wish, told)
    return (await draw(reading, Elsewhere(retriever, EVERYONE, frozenset()), wish)).items


@pytest.fixture(scope="module")
def whole(tmp_path_factory, private):
    """Return the questions of the whole library, and the mixed examples of these."""

    async def build():
        async with opened(write_towns(tmp_path_factory.mktemp("whole"))) as runtime:
            items = await drawn(runtime)
            found = await built(runtime, items, private, shares=MIXED)
            tracer = Tracer(await runtime.retriever("main"), EVERYONE, lambda _id: None)
            return items, found, [await tracer.trace(one) for one in found.examples[:20]]

    return asyncio.run(build())


async def built(runtime, items, private, *, shares=PLAIN, questions=(), terms=TERMS):
    wish = Wish(terms=terms, shares=shares)
    return await of_questions(runtime, items, wish, Guard(private, questions), told)


def said(example):
    return example.messages[-1].content


async def test_the_prompt_is_the_one_of_serving(project, private):
    async with opened(project) as runtime:
        (example,) = (await built(runtime, [FOUNDED], private)).examples
        seen = []

        class Listening(Teacher):
            async def generate(self, prompt):
                seen.append(prompt)
                async for item in super().generate(prompt):
                    yield item

        await answered(
            runtime,
            FOUNDED.question,
            Listening(lambda prompt: prompt.refusal),
            Arrangement(),
            TERMS,
        )

    served = messages_of(seen[0])
    assert example.messages[0] == served[0]
    assert "Answer in one sentence." in served[0].content
    # The passages are the same, in an order of their own: no number of a passage is learnt.
    assert sorted(_passages(example.messages[1].content)) == sorted(_passages(served[1].content))
    assert example.messages[1].content.endswith(FOUNDED.question)


def _passages(content):
    return re.findall(r'<passage number="\d+" (title=.*?</passage>)', content, re.DOTALL)


async def test_an_answer_cites_the_passage_that_says_it(project, private):
    async with opened(project) as runtime:
        (example,) = (await built(runtime, [FOUNDED], private)).examples

    number = re.search(
        r"The library in Bonn was founded in 1851 by Anna Weber \[(\d)\]\.$", said(example)
    )
    assert number
    cited = re.search(
        rf'<passage number="{number[1]}".*?</passage>', example.messages[1].content, re.DOTALL
    )
    assert "founded in 1851" in cited[0]
    assert example.documents == ("docs:bonn.md",)
    assert example.teaches == "answered"


def test_examples_of_documents_teach_four_things(whole):
    _, found, _ = whole
    total = len(found.examples)
    assert total >= 30
    assert found.teaches.keys() == {"answered", "refused", "swapped", "conflict"}
    assert 0.1 <= found.teaches["refused"] / total <= 0.3
    assert all(not [*faults(one)] for one in found.examples)
    assert {said(one) for one in found.examples if one.teaches == "refused"} == {REFUSAL}


def test_every_number_of_an_answer_stands_in_what_it_cites(whole):
    _, found, _ = whole
    for one in found.examples:
        for sentence, mark in re.findall(r"(.*?) \[(\d+)\]\.\s?", said(one)):
            cited = re.search(
                rf'<passage number="{mark}".*?</passage>', one.messages[1].content, re.DOTALL
            )
            assert set(re.findall(r"\d+", sentence)) <= set(re.findall(r"\d+", cited[0]))


def test_no_passage_of_a_refusal_answers(whole):
    items, found, _ = whole

    answers = {one.question: one.quotes[0] for one in items if one.quotes}
    refused = [one for one in found.examples if one.teaches == "refused"]
    assert len(refused) >= 5
    for one in refused:
        question = one.messages[1].content.rpartition("\n\n")[2]
        assert answers[question] not in one.messages[1].content


async def test_a_swapped_fact_is_told_as_the_passages_have_it(project, private):
    async with opened(project) as runtime:
        found = await built(
            runtime,
            [replace(FOUNDED, swap=Swap(fact="1851", instead="1777"))],
            private,
            shares=Shares(refused=0, swapped=0.9, conflict=0),
        )

    (example,) = found.examples
    assert example.teaches == "swapped"
    assert "founded in 1777" in said(example)
    assert "1851" not in example.messages[1].content


async def test_passages_that_disagree_are_both_told(project, private):
    async with opened(project) as runtime:
        found = await built(
            runtime,
            [replace(FOUNDED, swap=Swap(fact="1851", instead="1777"))],
            private,
            shares=Shares(refused=0, swapped=0, conflict=0.9),
        )

    (example,) = found.examples
    marks = dict(re.findall(r"founded in (\d+) by Anna Weber \[(\d)\]", said(example)))
    assert marks.keys() == {"1851", "1777"}
    assert len(set(marks.values())) == 2


CONFLICT = Shares(refused=0, swapped=0, conflict=0.9)
OTHER_YEAR = replace(FOUNDED, swap=Swap(fact="1851", instead="1777"))


async def test_without_room_for_both_there_is_no_conflict(project, private):
    config = project.read_text().replace("passages = 4", "passages = 1")
    project.write_text(config)
    async with opened(project) as runtime:
        found = await built(runtime, [OTHER_YEAR], private, shares=CONFLICT)

    assert not found.examples
    assert found.declined == {"a passage may answer what is to be refused": 1}


async def test_the_passages_of_a_conflict_are_never_what_is_cut(project, private):
    config = project.read_text().replace("passages = 4", "passages = 2")
    project.write_text(config)
    async with opened(project) as runtime:
        (example,) = (await built(runtime, [OTHER_YEAR], private, shares=CONFLICT)).examples

    assert {"1851", "1777"} <= set(re.findall(r"founded in (\d+)", said(example)))


async def test_a_fact_of_a_title_is_not_exchanged(project, private):
    (project.parent / "docs" / "fair.md").write_text(
        "# Fair of 1890\n\nThe fair of Kleve opened in 1890 beside the river.\n"
    )
    item = EvalItem(
        id="fair",
        question="When did the fair of Kleve open?",
        documents=("fair.md",),
        quotes=("The fair of Kleve opened in 1890 beside the river.",),
        answers=("1890",),
        swap=Swap(fact="1890", instead="1777"),
    )
    async with opened(project) as runtime:
        swaps = Shares(refused=0, swapped=0.9, conflict=0)
        (example,) = (await built(runtime, [item], private, shares=swaps)).examples

    assert example.teaches == "answered"
    assert "opened in 1890" in said(example)


async def test_no_part_of_another_number_is_exchanged(project, private):
    (project.parent / "docs" / "bonn.md").write_text(
        "# Bonn\n\nThe archive of Bonn has 12 rooms. "
        "It opened in 2013, under order 1200/120, for pages 121\u201319.\n"
    )
    item = EvalItem(
        id="rooms",
        question="How many rooms has the archive of Bonn?",
        documents=("bonn.md",),
        quotes=("The archive of Bonn has 12 rooms.",),
        answers=("12",),
        swap=Swap(fact="12", instead="47"),
    )
    async with opened(project) as runtime:
        swaps = Shares(refused=0, swapped=0.9, conflict=0)
        (example,) = (await built(runtime, [item], private, shares=swaps)).examples

    asked = example.messages[1].content
    assert "has 47 rooms" in asked
    assert "opened in 2013, under order 1200/120, for pages 121\u201319." in asked


@pytest.mark.parametrize(
    "again", ["The 30-day period starts at once.", "After thirty days it is late.", "30/31 rooms."]
)
async def test_a_fact_that_stands_there_in_other_words_is_not_exchanged(project, private, again):
    (project.parent / "docs" / "bonn.md").write_text(
        f"# Bonn\n\nBooks of the archive in Bonn are due within 30 days. {again}\n"
    )
    item = EvalItem(
        id="due",
        question="Within how many days are books of the archive in Bonn due?",
        documents=("bonn.md",),
        quotes=("Books of the archive in Bonn are due within 30 days.",),
        answers=("30 days",),
        swap=Swap(fact="30 days", instead="45 days"),
    )
    async with opened(project) as runtime:
        swaps = Shares(refused=0, swapped=0.9, conflict=0)
        (example,) = (await built(runtime, [item], private, shares=swaps)).examples

    assert example.teaches == "answered"
    assert "within 30 days" in said(example)


async def test_a_name_of_two_libraries_means_both(project, private):
    other = project.parent / "other"
    other.mkdir()
    (other / "bonn.md").write_text("# Bonn\n\nNothing is said here about it.\n")
    library = '[library.zoo]\nuse = "files"\npath = "other"\nlabels = { "**" = ["everyone"] }\n'
    project.write_text(library + project.read_text())
    async with opened(project) as runtime:
        (example,) = (await built(runtime, [FOUNDED], private)).examples

    assert example.documents == ("docs:bonn.md",)


async def test_numbers_in_brackets_of_a_document_are_no_marks(project, private):
    text = "The library in Bonn was founded in 1851 [2] by Anna Weber.[3]"
    (project.parent / "docs" / "bonn.md").write_text(f"# Bonn\n\n{text}\n")
    async with opened(project) as runtime:
        (example,) = (await built(runtime, [replace(FOUNDED, quotes=(text,))], private)).examples

    assert re.fullmatch(
        r"The library in Bonn was founded in 1851 by Anna Weber \[\d\]\.", said(example)
    )
    assert example.documents == ("docs:bonn.md",)


async def test_the_sentence_that_answers_is_never_what_is_cut(project, private):
    long = (
        "The library in Bonn is old. It stands at the river. It has four floors. "
        "Anna Weber founded it in 1851. It is open every day."
    )
    (project.parent / "docs" / "bonn.md").write_text(f"# Bonn\n\n{long}\n")
    async with opened(project) as runtime:
        (example,) = (await built(runtime, [replace(FOUNDED, quotes=(long,))], private)).examples

    assert re.fullmatch(r"Anna Weber founded it in 1851 \[\d\]\.", said(example))


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (replace(FOUNDED, is_draft=True), "a draft that nobody accepted"),
        (replace(FOUNDED, quotes=()), "no quote tells where its answer stands"),
        (
            replace(FOUNDED, quotes=("Anna Weber founded a library in Bonn in 1851.",)),
            "its quote stands in no passage that may be read",
        ),
        (
            replace(FOUNDED, quotes=("The library in Bonn lends 201 films to its readers.",)),
            "its quote does not tell the answer",
        ),
    ],
)
async def test_what_cannot_be_an_example_is_counted(project, private, item, reason):
    async with opened(project) as runtime:
        found = await built(runtime, [item], private)

    assert not found.examples
    assert found.declined == {reason: 1}


@pytest.mark.parametrize(
    ("target", "check"),
    [
        ("The library in Bonn was founded in 1951 by Anna Weber [1].", "figures"),
        ("The library in Bonn was founded in 1851 by Anna Weber [9].", "marks"),
        ("The library in Bonn was founded in 1851 by Anna Weber.", "citation"),
        ("The library in Bonn was not founded in 1851 by Anna Weber [1].", "negation"),
        ("Bonn has a famous cathedral with golden towers [1].", "containment"),
    ],
)
async def test_a_wrong_target_is_refused_by_the_checks(project, target, check):
    async with opened(project) as runtime:
        teacher = Teacher(lambda _prompt: target)
        course = await answered(runtime, FOUNDED.question, teacher, Arrangement(), TERMS)

    assert declined(course) == f"the checks refused it: {check}"


async def test_no_example_holds_a_secret_also_in_its_passages(project, private):
    secret = "The key of the library in Bonn is ghp_16C7e42F292c6912E7710c838347Ae178B4a now."
    (project.parent / "docs" / "keys.md").write_text(f"# Keys\n\n{secret}\n")
    key = EvalItem(
        id="key",
        question="What is the key of the library in Bonn?",
        documents=("keys.md",),
        quotes=(secret,),
    )
    async with opened(project) as runtime:
        found = await built(runtime, [FOUNDED, key], private)

    assert not found.examples
    assert found.declined == {"it holds a secret": 2}


async def test_no_example_asks_what_an_evaluation_asks(project, private):
    questions = [EvalItem(question=FOUNDED.question, answers=("1851",))]
    async with opened(project) as runtime:
        found = await built(runtime, [FOUNDED], private, questions=questions)

    assert found.declined == {"it holds a question of the evaluation": 1}


async def test_no_example_fails_the_check_of_examples(project, private):
    text = "The library in Bonn was founded in 1851 by Anna \ufffd Weber."
    (project.parent / "docs" / "bonn.md").write_text(f"# Bonn\n\n{text}\n")
    async with opened(project) as runtime:
        found = await built(runtime, [replace(FOUNDED, quotes=(text,))], private)

    assert found.declined == {"the check of examples refuses it: control": 1}


async def test_what_was_said_already_is_left_out(project, private):
    async with opened(project) as runtime:
        found = await built(runtime, [FOUNDED, FOUNDED], private)

    assert len(found.examples) == 1
    assert found.declined == {"another example says the same": 1}


async def test_documents_of_an_evaluation_are_not_learnt(project, private, whole):
    questions = [EvalItem(question="Who founded it?", documents=("bonn.md",), answers=("Weber",))]
    about = [one for one in whole[0] if {"docs:bonn.md", "docs:trier.md"} & {*one.documents}]
    async with opened(project) as runtime:
        found = await built(runtime, about, private, questions=questions)

    assert not any("docs:bonn.md" in one.documents for one in found.examples)
    assert found.declined["the evaluation asks about its document"] >= 1


async def test_a_model_learns_only_what_the_reader_may_read(project, private, whole):
    async with opened(project) as runtime:
        pay = EvalItem(
            id="pay",
            question="How much does the bonus pool hold?",
            documents=("hr/pay.md",),
            quotes=("The bonus pool holds 9000 euros.",),
            answers=("9000",),
        )
        nobody = await built(runtime, [pay], private)
        people = Terms(profile="default", audience=Audience.of("people-team"))
        team = await built(runtime, [pay], private, terms=people)

    texts = [text for one in (*whole[1].examples, *nobody.examples) for text in one.texts]
    assert not any("9000" in text for text in texts)
    assert "holds 9000 euros [1]" in said(team.examples[0])


async def test_the_same_seed_builds_the_same(project, private, whole):
    items, before, _ = whole
    async with opened(project) as runtime:
        again = await built(runtime, items, private, shares=MIXED)

    assert [one.texts for one in again.examples] == [one.texts for one in before.examples]


def test_where_an_example_came_from_can_be_looked_up(whole):
    _, _, traces = whole

    assert len(traces) == 20
    for trace in traces:
        assert trace.is_whole
        assert {one.document_id for one in trace.passages} == {*trace.example.documents}


async def test_what_changed_since_is_gone(project, private):
    async with opened(project) as runtime:
        (example,) = (await built(runtime, [FOUNDED], private)).examples
    (project.parent / "docs" / "bonn.md").write_text("# Bonn\n\nThere is no library any more.\n")
    async with opened(project) as runtime:
        trace = await Tracer(await runtime.retriever("main"), EVERYONE, lambda _id: None).trace(
            example
        )

    assert not trace.passages
    assert len(trace.gone) == 1


async def test_a_profile_without_a_retriever_teaches_no_citations(project, private):
    async with opened(project) as runtime:
        with pytest.raises(ConfigError, match='profile "free" has no retriever'):
            await built(runtime, [FOUNDED], private, terms=replace(TERMS, profile="free"))


def test_lessons_come_in_their_shares():
    items = [
        replace(
            FOUNDED, id=f"{n}", quotes=(f"Founded in {1700 + n} by all.",), answers=(f"{1700 + n}",)
        )
        for n in range(200)
    ]

    found = Counter(one.teaches.value for one in lessons(items, MIXED, 0))

    assert found == {"answered": 80, "refused": 40, "swapped": 40, "conflict": 40}


def test_a_question_can_teach_all_that_it_can():
    name = replace(FOUNDED, id="who", answers=("Anna Weber",))
    gone = replace(FOUNDED, id="gone", unanswerable=True, quotes=(), answers=())

    found = Counter(
        (one.item.id, one.teaches.value) for one in lessons([FOUNDED, name, gone], None, 0)
    )

    every = ("answered", "refused", "swapped", "conflict")
    assert found == {
        **{("founded", one): 1 for one in every},
        ("who", "answered"): 1,
        ("who", "refused"): 1,
        ("gone", "refused"): 1,
    }


async def test_all_ways_make_more_examples_that_are_no_twins(project, private):
    async with opened(project) as runtime:
        found = await built(runtime, [FOUNDED], private, shares=None)

    assert found.teaches == {"answered": 1, "refused": 1, "swapped": 1, "conflict": 1}
    assert [*twins(found.examples, is_near=True)] == []


def test_what_is_no_number_is_not_exchanged():
    item = replace(FOUNDED, answers=("Anna Weber",))

    found = {one.teaches.value for one in lessons([item] * 20, Shares(swapped=0.9), 0)}

    assert found <= {"answered", "refused"}
