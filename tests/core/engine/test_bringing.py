"""What found passages bring with them: the rest of their table, and their neighbours."""

from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

import assistants
from assistants import answers, assistant
from citewell import Audience, Document, IndexedDocument, Part, PartKind, Place, Placed
from citewell.engine.bringing import Wish, bring
from citewell.engine.trust import Trust
from citewell.library.splitting import split
from citewell.testing.documents import make_document
from citewell.testing.opening import opened

EVERYONE = Audience.of("everyone")
HEADER = "| city | days |\n|---|---|"
ROWS = [f"| Town{number} | {number} |" for number in range(40)]
TABLE = "\n".join([HEADER, *ROWS])
BEFORE, AFTER = "What stands before the table.", "What stands behind the table."


def tabular(labels=("everyone",), table=TABLE):
    text = f"{BEFORE}\n\n{table}\n\n{AFTER}"
    start = len(BEFORE) + 2
    parts = (
        Part(
            kind=PartKind.TABLE,
            start=start,
            end=start + len(table),
            header_end=start + len(HEADER),
        ),
    )
    document = Document(
        id="leave.md", title="Leave", text=text, places=(Placed(0, Place(line=1)),), parts=parts
    )
    passages = split(document, library="docs", labels=frozenset(labels), max_chars=200)
    return IndexedDocument(
        id=passages[0].document_id, version="1", title="Leave", passages=passages
    )


def wish(**changes):
    return Wish(**{"neighbours": 0, "tables": True, "chars": 6_000, **changes})


@asynccontextmanager
async def indexed(folder, *documents):
    async with opened("retriever", "lexical", {}, folder) as retriever:
        await retriever.index(documents)
        yield retriever


async def brought(folder, found, document, **changes):
    async with indexed(folder, document) as retriever:
        return await bring(retriever, found, wish(**changes), readable_by=EVERYONE)


def rows_of(document):
    return [one for one in document.passages if "Town" in one.text]


@pytest.mark.parametrize("place", [0, 1, -1])
async def test_a_row_brings_the_whole_table_and_nothing_else(tmp_path, place):
    table = rows_of(tabular())
    assert len(table) > 3

    found = await brought(tmp_path, [table[place]], tabular())

    given = sorted([table[place], *found.passages], key=lambda one: one.start)
    assert [one.id for one in given] == [one.id for one in table]
    assert "\n".join(one.text for one in given).count("Town") == len(ROWS)
    assert found.cut == []


async def test_what_a_row_brings_comes_in_the_order_of_the_text(tmp_path):
    found = await brought(tmp_path, [rows_of(tabular())[2]], tabular())

    starts = [one.start for one in found.passages]
    assert starts == sorted(starts)
    assert len(starts) > 2


async def test_no_row_is_brought_that_was_not_asked_for(tmp_path):
    found = await brought(tmp_path, [rows_of(tabular())[1]], tabular(), tables=False)

    assert found.passages == []


async def test_a_table_that_is_too_long_is_brought_around_its_row_and_that_is_told(tmp_path):
    table = rows_of(tabular())

    found = await brought(tmp_path, [table[2]], tabular(), chars=450)

    assert {one.id for one in found.passages} == {table[1].id, table[3].id}
    assert sum(len(one.text) for one in found.passages) <= 450
    assert found.cut == ["Leave"]


async def test_text_beside_a_table_brings_no_row(tmp_path):
    document = tabular()

    found = await brought(tmp_path, [document.passages[-1]], document)

    assert document.passages[-1].text == AFTER
    assert found.passages == []


async def test_two_tables_of_one_form_are_two(tmp_path):
    other = TABLE.replace("Town", "Village")
    text = f"{TABLE}\n\n{other}"
    start = len(TABLE) + 2
    spans = ((0, len(TABLE)), (start, len(text)))
    parts = tuple(
        Part(kind=PartKind.TABLE, start=begin, end=end, header_end=begin + len(HEADER))
        for begin, end in spans
    )
    document = Document(
        id="two.md", title="Two", text=text, places=(Placed(0, Place(line=1)),), parts=parts
    )
    passages = split(document, library="docs", labels=frozenset({"everyone"}), max_chars=200)
    whole = IndexedDocument(id="docs:two.md", version="1", title="Two", passages=passages)
    ours = [one for one in passages if "Town" in one.text]
    theirs = [one for one in passages if "Village" in one.text]

    last = await brought(tmp_path / "a", [ours[-1]], whole)
    first = await brought(tmp_path / "b", [theirs[0]], whole)

    assert {one.id for one in (*last.passages, ours[-1])} == {one.id for one in ours}
    assert {one.id for one in (*first.passages, theirs[0])} == {one.id for one in theirs}


TEXTS = [f"Paragraph {number} of the handbook." for number in range(9)]


@pytest.mark.parametrize(
    ("at", "count", "expected"), [(4, 1, [3, 5]), (4, 2, [2, 3, 5, 6]), (0, 2, [1, 2]), (8, 1, [7])]
)
async def test_neighbours_stand_before_and_after(tmp_path, at, count, expected):
    document = make_document("a", *TEXTS)

    found = await brought(tmp_path, [document.passages[at]], document, neighbours=count)

    assert [one.text for one in found.passages] == [TEXTS[number] for number in expected]


async def test_what_was_found_is_not_brought_again(tmp_path):
    document = make_document("a", *TEXTS)
    best = [document.passages[4], document.passages[5]]

    found = await brought(tmp_path, best, document, neighbours=1)

    assert [one.text for one in found.passages] == [TEXTS[3], TEXTS[6]]


async def test_the_best_passage_brings_first(tmp_path):
    document = make_document("a", *TEXTS)
    best = [document.passages[7], document.passages[1]]

    found = await brought(tmp_path, best, document, neighbours=1, chars=2 * len(TEXTS[0]) + 1)

    assert [one.text for one in found.passages] == [TEXTS[6], TEXTS[8]]


async def test_nobody_is_brought_what_they_may_not_read(tmp_path):
    hidden = make_document("a", *TEXTS, labels=("hr",))
    found = [replace(hidden.passages[4], labels=frozenset({"everyone"}))]

    result = await brought(tmp_path, found, hidden, neighbours=2)

    assert result.passages == []


async def test_what_a_document_became_meanwhile_is_what_is_brought(tmp_path):
    old, new = make_document("a", *TEXTS), make_document("a", "Now a single one.", version="2")

    result = await brought(tmp_path, [old.passages[4]], new, neighbours=2)

    assert {one.id for one in result.passages} <= {one.id for one in new.passages}


# --- on the way of a question ----------------------------------------------------------------

SETTINGS = """
[model.quotes]
use = "scripted"

[profile.default]
retriever = "main"
model = "quotes"
passages = 1
{own}
"""


async def given(folder, own, *, text="days in Town17", settings=SETTINGS):
    docs = folder / "docs"
    docs.mkdir(parents=True)
    (docs / "towns.md").write_text(f"# Towns\n\n{BEFORE}\n\n{TABLE}\n\n{AFTER}\n")
    async with assistant(folder, settings.format(own=own)) as (asked, kept):
        answer = (await answers(asked, text))[-1]
        return answer, kept.records[0]


async def test_a_row_that_was_found_brings_its_table_to_the_model(tmp_path, monkeypatch):
    short = assistants.LIBRARY.replace('"docs"', '"docs"\npassage_chars = 200')
    monkeypatch.setattr(assistants, "LIBRARY", short)

    answer, record = await given(tmp_path / "whole", "")
    _, alone = await given(tmp_path / "alone", "whole_tables = false")
    _, cut = await given(tmp_path / "cut", "brought_chars = 300")

    assert len(alone.passages) == 1
    assert record.passages[0].id == alone.passages[0].id
    assert len(record.passages) > 3
    assert {one.id for one in record.passages} <= {ref.id for ref in answer.passages}
    assert record.notes == ()
    assert len(alone.passages) < len(cut.passages) < len(record.passages)
    assert cut.notes == ("Towns: of a table some rows were left out; raise brought_chars",)


async def test_neighbours_come_where_a_profile_asks_for_them(tmp_path):
    _, alone = await given(tmp_path / "alone", "", text="fourth day of sick leave")
    _, both = await given(tmp_path / "both", "neighbours = 1", text="fourth day of sick leave")

    assert len(alone.passages) == 1
    assert both.passages[0].id == alone.passages[0].id
    assert [one.place.headings for one in both.passages] == [("Leave", "Sick leave"), ("Leave",)]


PLUGIN = '''
from contextlib import asynccontextmanager
import citewell
from citewell_embedded.plugin import LexicalConfig, build as build_lexical

class Forgetful:
    """A retriever that cannot read a part of a document."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    async def within(self, *arguments, **settings):
        raise RuntimeError("boom")

@asynccontextmanager
async def build(config, context):
    async with build_lexical(LexicalConfig(), context) as inner:
        yield Forgetful(inner)

@citewell.hookimpl
def register_retrievers():
    return [citewell.RetrieverSpec(name="forgetful", summary="x", config=citewell.Config,
                                   build=build)]
'''


async def test_what_cannot_be_brought_costs_no_answer(tmp_path):
    (tmp_path / "forgetful.py").write_text(PLUGIN)
    Trust().add(tmp_path / "forgetful.py", PLUGIN.encode())
    own = 'neighbours = 1\n[plugins]\npaths = ["forgetful.py"]\n[retriever.poor]\nuse="forgetful"'
    settings = SETTINGS.replace('"main"', '"poor"')

    answer, record = await given(tmp_path, own, text="fourth day of sick leave", settings=settings)

    assert answer.outcome.value == "answered"
    assert len(record.passages) == 1
    assert record.errors == ("what passages bring: RuntimeError: boom",)
