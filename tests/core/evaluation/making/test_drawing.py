"""Sets made of documents: what they quote is stored so, and a seed gives one set."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from citewell import Audience, Document, Figure, Place, Placed
from citewell.cli.indexing import bring_up
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.evaluation.expecting import problems
from citewell.evaluation.making.combining import can_join, joined
from citewell.evaluation.making.drawing import draw, facts
from citewell.evaluation.making.elsewhere import Elsewhere
from citewell.evaluation.making.facts import Fact, Kind
from citewell.evaluation.making.material import Material, Wish, read
from citewell.library.splitting import split

SETTINGS = """
[library.docs]
use = "files"
path = "docs"

[retriever.main]
use = "lexical"
"""
TOWNS = (
    *("Aachen", "Bonn", "Coburg", "Dresden", "Essen", "Fulda", "Goslar", "Hamburg"),
    *("Ingolstadt", "Jena"),
)
PIECES = (
    "# Leave\n",
    "Every employee has 28 days of leave a year.",
    "Claims must be submitted within 30 days of the trip.\n",
    "## Who can take leave?\n\nAnyone who has worked here.\n",
    "\n- **Per diem**: the amount paid for each day of travel.\n",
    "\n| Trip | Limit |\n|---|---|\n| Domestic | €120 |\n| Abroad | €180 |\n\n",
    "The library in Bonn was founded in 1890 by Anna Weber.",
    "\n```\nx = 3\n```\n",
    " ",
    "\n\n",
    "The Committee of Elders met Karl Meyer in the old town hall on a Sunday.",
)


def material(text, language="en"):
    document = Document(
        id="a.md", title="a", text=text, places=(Placed(0, Place()),), language=language
    )
    passages = split(document, library="docs", labels=frozenset({"everyone"}))
    return Material("docs:a.md", passages)


def write(folder, number=10):
    docs = folder / "docs"
    docs.mkdir()
    for index, town in enumerate(TOWNS[:number]):
        (docs / f"{town.lower()}.md").write_text(
            f"# {town}\n\nThe museum of {town} was opened in {1900 + index}. The tower of {town} "
            f"has {30 + index} bells. The mayor of {town} is elected every {index + 2} years.\n\n"
            f"| Ticket for {town} | Price |\n|---|---|\n| Child | €{index + 3} |\n"
        )
    config = folder / "citewell.toml"
    config.write_text(SETTINGS)
    return load_settings(config)


async def drawn(settings, **wanted):
    wish = Wish(**wanted)
    async with open_runtime(settings) as runtime:
        await bring_up(runtime)
        retriever = await runtime.retriever("main")
        audience = Audience.of("everyone")
        reading = await read(retriever, audience, wish, lambda done, total: None)
        elsewhere = Elsewhere(retriever, audience, reading.held_out)
        return reading, await draw(reading, elsewhere, wish)


@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=30), max_size=12), st.sampled_from("end")
)
def test_each_quote_is_stored_as_it_is(pieces, language):
    text = "".join(pieces)

    for fact in facts(material(text, "de" if language == "d" else "en")):
        item = fact.item()
        assert item.quotes == (fact.quote,)
        assert text[fact.passage.start + fact.start : fact.passage.start + fact.end] == fact.quote
        assert item.is_right(fact.passage)
        assert not [*problems(item)]


def test_no_two_questions_are_about_one_fact():
    found = facts(material("".join(PIECES) * 2))

    assert found
    assert len({fact.at for fact in found}) == len(found)
    assert len({fact.question for fact in found}) == len(found)


def test_a_handbook_gives_a_question_of_each_kind():
    found = {fact.question: fact for fact in facts(material("".join(PIECES)))}

    assert found["Who can take leave?"].quote == "Anyone who has worked here."
    assert found["What is per diem?"].answer == "the amount paid for each day of travel"
    assert found["What is the limit of the trip “Abroad”?"].figure.value == 180
    assert found["How many days of leave a year does every employee have?"].is_easy
    assert "x = 3" not in " ".join(fact.quote for fact in found.values())


def test_a_language_without_rules_gets_gaps_alone():
    text = "Der Turm in Aachen wurde vor langer Zeit von Karl Meyer für 300 Leute gebaut."

    (fact,) = facts(material(text, "de"))

    assert fact.question == text.replace("300", "____")


async def test_a_seed_gives_one_set_and_another_seed_another(tmp_path):
    settings = write(tmp_path)

    _, first = await drawn(settings, number=12, seed=1, held_out=0.2)
    _, again = await drawn(settings, number=12, seed=1, held_out=0.2)
    _, other = await drawn(settings, number=12, seed=2, held_out=0.2)

    assert first.items == again.items
    assert first.items != other.items


async def test_questions_are_spread_over_documents(tmp_path):
    _, found = await drawn(write(tmp_path), number=20, seed=3)

    counts = Counter(item.documents[0] for item in found.items)
    assert sum(counts.values()) == 20
    assert set(counts.values()) == {2}


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_held_out_is_evidence_of_nothing_that_can_be_answered(tmp_path, seed):
    reading, found = await drawn(write(tmp_path), number=20, seed=seed, held_out=0.3)

    assert len(reading.held_out) == 3
    unanswerable = [item for item in found.items if item.unanswerable]
    assert len(unanswerable) == 6
    assert {item.slices[0] for item in unanswerable} == {"not in the documents"}
    assert {name for item in unanswerable for name in item.documents} <= reading.held_out
    for item in found.items:
        if not item.unanswerable:
            assert not reading.held_out.intersection(item.documents)
            assert item.slices[0] == "in the documents"


async def test_a_question_that_another_document_answers_is_not_unanswerable(tmp_path):
    settings = write(tmp_path, 4)
    docs = tmp_path / "docs"
    for town in TOWNS[:4]:
        (docs / f"copy-{town.lower()}.md").write_text((docs / f"{town.lower()}.md").read_text())

    dropped = 0
    for seed in range(4):
        reading, found = await drawn(settings, number=20, seed=seed, held_out=0.3)
        dropped += found.elsewhere
        held = {id_.removeprefix("docs:").removeprefix("copy-") for id_ in reading.held_out}
        alone = {
            name for name in held if not {f"docs:{name}", f"docs:copy-{name}"} <= reading.held_out
        }
        unanswerable = [item.documents[0] for item in found.items if item.unanswerable]
        named = {id_.removeprefix("docs:").removeprefix("copy-") for id_ in unanswerable}
        assert not alone & named
    assert dropped


@pytest.mark.parametrize(("number", "share", "left_out"), [(1, 0.5, 0), (2, 0.9, 1), (10, 0.01, 1)])
async def test_a_share_is_at_least_one_document_and_never_all(tmp_path, number, share, left_out):
    reading, _ = await drawn(write(tmp_path, number), number=5, held_out=share)

    assert len(reading.held_out) == left_out


async def test_of_a_public_corpus_every_quote_is_in_its_file(tmp_path, data_dir):
    corpus = data_dir("xquad_mini") / "corpus"
    (tmp_path / "citewell.toml").write_text(SETTINGS.replace('"docs"', f'"{corpus}"'))

    _, found = await drawn(load_settings(tmp_path / "citewell.toml"), number=60, seed=0)

    assert len(found.items) >= 20
    for item in found.items:
        text = (corpus / item.documents[0].partition(":")[2]).read_text(encoding="utf-8")
        assert item.quotes[0] in text
        assert not item.answers or item.answers[0] in " ".join(item.quotes[0].split())


# --- several documents, and forms --------------------------------------------------------------


async def test_some_questions_need_two_documents_and_some_a_form(tmp_path):
    reading, found = await drawn(write(tmp_path), number=30, several=0.2, in_form=0.1)

    slices = Counter(name for item in found.items for name in item.slices)
    assert len(found.items) == 30
    assert (slices["several documents"], slices["style or format"]) == (6, 3)
    texts = {one.id: "".join(p.text for p in one.passages) for one in reading.documents}
    for item in found.items:
        assert not [*problems(item)]
        assert all(
            any(quote in texts[document] for quote in item.quotes) for document in item.documents
        )
        if "several documents" in item.slices:
            assert len({*item.documents}) == 2
            assert len(item.quotes) == 2
            assert len(item.figures) + len(item.contains) == 2
            assert " And " in item.question
        if "style or format" in item.slices:
            assert re.fullmatch(item.pattern, item.answers[0])
            assert not re.fullmatch(item.pattern, "word " * 20)


async def test_no_fact_is_asked_for_twice(tmp_path):
    _, found = await drawn(write(tmp_path), number=60, several=0.5, in_form=0.3)

    quotes = Counter(quote for item in found.items for quote in item.quotes)
    asked = Counter(part for item in found.items for part in item.question.split(" And "))
    assert max(asked.values()) == 1
    assert max(quotes.values()) <= 1


async def test_one_document_gives_no_question_about_two(tmp_path):
    _, found = await drawn(write(tmp_path, 1), number=30, several=0.5)

    assert found.items
    assert all("several documents" not in item.slices for item in found.items)


def fact(answer, document="a.md", figure=None):
    passage = material(f"It has {answer}.").passages[0]
    return Fact(
        kind=Kind.SENTENCE,
        question="How many has it?",
        passage=replace(passage, document_id=f"docs:{document}"),
        start=0,
        end=len(passage.text),
        at=0,
        answer=answer,
        figure=figure,
    )


def test_two_facts_with_one_answer_are_no_question():
    assert not can_join(fact("30 days"), fact("30 days", "b.md"))
    assert not can_join(fact("28 days"), fact("30 days"))
    figure = Figure(value=30, unit="days")
    assert not can_join(fact("30 days", figure=figure), fact("thirty days", "b.md", figure))
    assert can_join(fact("28 days"), fact("30 days", "b.md"))


def test_an_article_is_no_part_of_what_has_to_be_said():
    both = joined(fact("the council"), fact("A Board", "b.md"))

    assert both.contains == ("council", "Board")
