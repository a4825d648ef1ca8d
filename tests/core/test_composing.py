"""What a builder composes agrees with itself."""

from hypothesis import given
from hypothesis import strategies as st

from citewell import DocumentBuilder, PartKind, Place, RawDocument

RAW = RawDocument(id="a", path=None)
PIECES = st.lists(
    st.one_of(
        st.sampled_from(list(PartKind)),
        st.tuples(
            st.text(alphabet="ab \n", max_size=6),
            st.none() | st.builds(Place, page=st.integers(1, 3)),
        ),
        st.just("header"),
    ),
    max_size=30,
)


def composed(pieces, **options):
    builder = DocumentBuilder(**options)
    for piece in pieces:
        if isinstance(piece, tuple):
            builder.write(piece[0], place=piece[1])
        elif isinstance(piece, PartKind):
            builder.start(piece)
        else:
            builder.end_header()
    return builder.document(RAW, title="t")


@given(pieces=PIECES)
def test_places_and_parts_fit_the_text(pieces):
    document = composed(pieces)

    starts = [placed.start for placed in document.places]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert starts[-1] < max(len(document.text), 1)
    position = 0
    for part in document.parts:
        assert position <= part.start < part.end <= len(document.text)
        text = document.text[part.start : part.end]
        assert text == text.strip()
        assert part.header_end is None or part.start <= part.header_end <= part.end
        position = part.end


@given(pieces=PIECES)
def test_nothing_but_blank_space_is_lost(pieces):
    written = "".join(piece[0] for piece in pieces if isinstance(piece, tuple))

    assert "".join(composed(pieces).text.split()) == "".join(written.split())


def test_parts_are_set_apart_and_placed():
    one, two = Place(page=1), Place(page=2)
    document = composed([
        *(PartKind.HEADING, ("  Title \n", one)),
        *(PartKind.PARAGRAPH, (" \n ", two)),
        *(PartKind.TABLE, ("a | b", two), "header", ("\n1 | 2\n", None)),
    ])

    assert document.text == "Title\n\na | b\n1 | 2"
    assert [(part.kind, part.start, part.end, part.header_end) for part in document.parts] == [
        (PartKind.HEADING, 0, 5, None),
        (PartKind.TABLE, 7, 18, 12),
    ]
    assert [(placed.start, placed.place) for placed in document.places] == [(0, one), (7, two)]


def test_gap_is_the_authors_choice():
    pieces = [PartKind.PARAGRAPH, ("a", None), PartKind.PARAGRAPH, ("b", None)]

    assert composed(pieces, gap="\n").text == "a\nb"
