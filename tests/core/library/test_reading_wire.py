import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell import Document, Part, PartKind, Place, Placed, RawDocument
from citewell.library.reading_wire import REPLY, BrokenReply, decode_document, encode_document
from citewell.library.splitting import Cut, cut

RAW = RawDocument(id="a.md", path=Path("a.md"))
TEXT = "name | days\nanna | 28\nbert | 30"


def sent(document, cuts):
    head, text = encode_document(document, cuts, status=1)
    return decode_document(head[REPLY.size :], text, RAW, language=document.language)


@given(st.text(max_size=400), st.integers(20, 60))
def test_what_is_sent_arrives(text, chars):
    places = (Placed(0, Place(line=1, headings=("A",))), Placed(len(text) // 2 + 1, Place(page=2)))
    document = Document(
        id="a.md",
        title="A",
        text=f"{text}.",
        places=places,
        parts=(Part(kind=PartKind.TABLE, start=0, end=len(text) // 2, header_end=0),),
        language="de",
    )
    cuts = cut(document, max_chars=chars)
    assert sent(document, None) == (document, ())
    arrived, cut_there = sent(document, cuts)
    assert (arrived.text, arrived.places, cut_there) == (document.text, places, cuts)


@pytest.mark.parametrize(
    "cuts",
    [
        [[-1, 3, ""]],
        [[3, 3, ""]],
        [[0, len(TEXT) + 1, ""]],
        [[0, 5, ""], [4, 8, ""]],
        [[5, 8, ""], [0, 4, ""]],
        [[0, 5, "salary"]],
        [[0, 5, 7]],
        [["0", 5, ""]],
        [[0, 5]],
        [None],
        7,
    ],
)
def test_cuts_that_do_not_fit_the_text_are_refused(cuts):
    head = json.dumps(["", [[]], [[0, 0, 1, None, None]], [], cuts]).encode()
    with pytest.raises(BrokenReply):
        decode_document(head, TEXT.encode(), RAW, language="en")


def test_cuts_that_fit_are_taken():
    cuts = [[0, 21, ""], [22, len(TEXT), "name | days"]]
    head = json.dumps(["", [[]], [[0, 0, 1, None, None]], [], cuts]).encode()
    _, found = decode_document(head, TEXT.encode(), RAW, language="en")
    assert found == (Cut(0, 21), Cut(22, len(TEXT), "name | days"))
