import random

import pytest

from citewell import Audience, IndexedDocument, Passage, Place, Placed
from citewell_lexical import index
from lexical import found, opened

# From a word in nearly every passage to one in hardly any.
WORDS = [f"{letter}word" for letter in "abcdefghijklmnop"]
WEIGHTS = [2.0**-rank for rank in range(len(WORDS))]


def passage(name, text, *, title="", labels=("everyone",)):
    return Passage(
        id=name,
        document_id=f"library:{name}",
        title=title,
        text=text,
        start=0,
        end=len(text),
        places=(Placed(0, Place(line=1)),),
        labels=frozenset(labels),
    )


def documents(chance, number):
    for at in range(number):
        text = " ".join(chance.choices(WORDS, WEIGHTS, k=chance.randint(1, 30)))
        title = chance.choices(WORDS, WEIGHTS)[0] if at % 3 == 0 else ""
        labels = ("team",) if at % 4 == 0 else ("everyone",)
        made = passage(f"p{at}", text, title=title, labels=labels)
        yield IndexedDocument(id=made.document_id, version="1", title=title, passages=(made,))


def ranked(passages):
    """Return ids by score; the last digits depend on the order of addition."""
    return sorted((-round(one.score, 3), one.id) for one in passages)


@pytest.fixture(params=[1, 2])
async def retriever(tmp_path, request):
    made = list(documents(random.Random(request.param), 600))
    async with opened(tmp_path) as opened_retriever:
        await opened_retriever.index(made[:450])
        await opened_retriever.index(made[450:])
        # What is deleted still counts in the statistics until the index lets go of it.
        await opened_retriever.delete([one.id for one in made[100:250]])
        yield opened_retriever


@pytest.mark.parametrize("limit", [1, 3, 40])
async def test_leaving_frequent_words_for_last_changes_no_result(retriever, monkeypatch, limit):
    """A law: the shortcut may only be faster."""
    shortcut = index.IndexView._hits_of_rare
    taken = []

    def noted(*arguments):
        hits = shortcut(*arguments)
        taken.append(hits is not None)
        return hits

    monkeypatch.setattr(index.IndexView, "_hits_of_rare", noted)
    chance = random.Random(limit)
    for turn in range(80):
        audience = Audience.of("everyone", "team") if turn % 2 else Audience.of("everyone")
        question = " ".join(chance.sample(WORDS, chance.randint(1, 6)))
        monkeypatch.setattr(index, "FREQUENT", 1)
        quick = await found(retriever, question, limit=limit, readable_by=audience)
        monkeypatch.setattr(index, "FREQUENT", 10**9)
        full = await found(retriever, question, limit=limit, readable_by=audience)
        assert ranked(quick) == ranked(full), question
    assert any(taken)
