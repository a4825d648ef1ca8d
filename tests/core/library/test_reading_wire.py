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


@pytest.mark.parametrize(
    ("uri", "kept"),
    [
        ("https://chat.example/general/2", True),
        ("https://evil.example/general/2", False),
        ("https://chat.example@evil.example/2", False),
        ("http://chat.example/general/2", False),
        ("javascript:alert(1)", False),
        ("//chat.example/2", False),
        ("https://[", False),
    ],
)
def test_a_place_leads_to_the_host_of_its_document_or_nowhere(uri, kept):
    raw = RawDocument(id="a.md", path=Path("a.md"), uri="https://chat.example/general/1")
    place = Place(uri=uri, headings=("A",))
    document = Document(id="a.md", title="A", text=TEXT, places=(Placed(0, place),))
    head, text = encode_document(document, None, status=1)

    arrived, _ = decode_document(head[REPLY.size :], text, raw, language="en")
    nowhere, _ = decode_document(head[REPLY.size :], text, RAW, language="en")

    assert arrived.places[0].place.uri == (uri if kept else None)
    assert arrived.places[0].place.headings == ("A",)
    assert nowhere.places[0].place.uri is None


@pytest.mark.parametrize(
    ("place", "uri", "opens"),
    [
        (Place(), None, None),
        (Place(), "https://a.example/b", "https://a.example/b"),
        (Place(anchor="c"), "https://a.example/b", "https://a.example/b#c"),
        (Place(page=3), "https://a.example/b", "https://a.example/b#page=3"),
        (Place(page=3), "https://a.example/b#c", "https://a.example/b#c"),
        (
            Place(anchor="c", uri="https://a.example/d"),
            "https://a.example/b",
            "https://a.example/d",
        ),
    ],
)
def test_what_opens_a_place(place, uri, opens):
    assert place.address(uri) == opens
