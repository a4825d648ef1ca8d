from hypothesis import given
from hypothesis import strategies as st

from citewell import Passage, Place, Placed
from citewell_embedded.rows import loaded_row, stored_passage

any_text = st.text(alphabet=st.characters(exclude_categories=()), max_size=20)
numbers = st.none() | st.integers(1, 10**6)
places = st.builds(
    Place,
    page=numbers,
    slide=numbers,
    headings=st.lists(any_text, max_size=3).map(tuple),
    line=numbers,
    anchor=st.none() | any_text,
    sheet=st.none() | any_text,
    cell=st.none() | any_text,
)
passages = st.builds(
    Passage,
    id=any_text,
    document_id=any_text,
    title=any_text,
    text=any_text,
    start=st.integers(0, 10**9),
    end=st.integers(0, 10**9),
    places=st.lists(st.builds(Placed, st.integers(0, 10**9), places), max_size=4).map(tuple),
    labels=st.frozensets(any_text, max_size=3),
    uri=st.none() | any_text,
    header=any_text,
    language=st.sampled_from(["en", "de", ""]) | any_text,
)


@given(passages)
def test_a_passage_survives_its_row(passage):
    row = loaded_row((7, 8, passage.document_id, *stored_passage(passage)))

    assert row == (7, 8, passage)
