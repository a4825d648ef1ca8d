"""A model drafts questions; what it cannot show in the passage is dropped and counted."""

import json

import pytest

from citewell import Audience, Delta, ModelError, Passage, Place, Placed, Usage
from citewell.evaluation.making.drafting import SCHEMA, Author, drafts, stored
from citewell.evaluation.making.elsewhere import Elsewhere
from citewell.evaluation.making.material import Material, Reading
from citewell.types.questions import OutputSchema

TEXT = "Every employee has\n28 days of leave a year. Leave is asked for in the portal."


def document(number, text=TEXT, labels=frozenset({"everyone"})):
    id_ = f"docs:{number}.md"
    passage = Passage(
        id=str(number),
        document_id=id_,
        title="Leave",
        text=text,
        start=0,
        end=len(text),
        places=(Placed(0, Place()),),
        labels=labels,
    )
    return Material(id_, (passage,))


class Speaking:
    """A model that says one thing after another, and keeps its prompts."""

    def __init__(self, *said, cost=0.5):
        self.said = [*said]
        self.prompts = []
        self.cost = cost

    async def generate(self, prompt):
        self.prompts.append(prompt)
        text = self.said.pop(0)
        if isinstance(text, Exception):
            raise text
        yield Delta(text[:5])
        yield Delta(text[5:])
        yield Usage(cost=self.cost)


class Empty:
    """A retriever that holds nothing."""

    async def retrieve(self, query, *, limit, readable_by):
        return ()


def draft(question="How much leave is there?", answer="28 days", evidence="has 28 DAYS of leave"):
    return {"question": question, "answer": answer, "evidence": evidence}


def said(*questions):
    return json.dumps({"questions": questions})


async def drafted(model, *documents, held_out=frozenset(), held_back=frozenset(), number=5):
    author = Author(
        model=model,
        elsewhere=Elsewhere(Empty(), Audience.of("everyone"), held_out),
        held_back=held_back,
    )
    return await drafts(author, Reading(documents, held_out), number, lambda done, total: None)


async def test_a_draft_quotes_what_is_stored_and_waits_for_a_person():
    model = Speaking(said(draft()))

    found = await drafted(model, document(1))

    (item,) = found.items
    assert item.quotes == ("has\n28 days of leave",)
    assert (item.answers, item.figures[0].value) == (("28 days",), 28)
    assert item.is_draft
    assert item.origin == "model"
    assert found.cost == 0.5
    assert model.prompts[0].constraint == OutputSchema(SCHEMA)
    assert [one.text for one in model.prompts[0].passages] == [TEXT]


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("no JSON", "its output has another form"),
        ('{"questions": [{"question": "a"}]}', "its output has another form"),
        (said(draft(evidence="40 days of leave")), "its evidence is not in the passage"),
        (said(draft(evidence=" ")), "its evidence is not in the passage"),
        (said(draft(question="???")), "it says nothing"),
    ],
)
async def test_what_is_wrong_is_dropped_and_counted(output, reason):
    found = await drafted(Speaking(output), document(1))

    assert found.items == []
    assert found.dropped == {reason: 1}


async def test_what_must_not_leave_is_not_given_to_a_model_elsewhere():
    model = Speaking(said(draft()))
    secret = document(2, "A secret.", frozenset({"board"}))

    found = await drafted(model, document(1), secret, held_back=frozenset({"board"}))

    assert len(model.prompts) == 1
    assert found.dropped == {"its document must not leave this machine": 1}


async def test_drafts_about_what_is_left_out_are_unanswerable():
    found = await drafted(Speaking(said(draft())), document(1), held_out=frozenset({"docs:1.md"}))

    (item,) = found.items
    assert item.unanswerable
    assert item.quotes == ()
    assert item.documents == ("docs:1.md",)


async def test_a_model_that_fails_once_is_asked_on_and_one_that_fails_always_is_not():
    documents = [document(number) for number in range(4)]
    once = Speaking(ModelError("busy"), said(draft("a b")), said(draft("c d")), said(draft("e f")))

    found = await drafted(once, *documents)

    assert [item.question for item in found.items] == ["a b", "c d", "e f"]
    with pytest.raises(ModelError, match="OSError: busy"):
        await drafted(Speaking(*[OSError("busy")] * 4), *documents)


async def test_no_more_are_asked_for_than_wanted():
    model = Speaking(said(draft("a b"), draft("c d")), said(draft("e f")))

    found = await drafted(model, document(1), document(2), number=1)

    assert len(found.items) == 1
    assert len(model.prompts) == 1


def test_a_quote_is_found_whatever_its_blank_space():
    assert stored("EVERY  employee has 28 days", TEXT) == "Every employee has\n28 days"
    assert stored("never said", TEXT) is None
    assert stored("", TEXT) is None
