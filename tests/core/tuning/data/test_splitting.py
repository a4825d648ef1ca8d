"""A model is never tested on a document that it learnt."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from citewell.errors import ConfigError
from citewell.tuning.data.examples import Example, Kind
from citewell.tuning.data.splitting import split

SHARES = {"validation": 0.1, "test": 0.2}


def text(line, *documents):
    return Example(kind=Kind.TEXT, text=f"text {line}", documents=documents, line=line)


DOCUMENTS = st.lists(
    st.lists(st.integers(0, 40).map(str), min_size=1, max_size=3), min_size=3, max_size=60
)


def parted(named, seed=0):
    examples = [text(line, *documents) for line, documents in enumerate(named, 1)]
    try:
        return examples, split(examples, SHARES, seed=seed)
    except ConfigError:
        assume(False)


@given(DOCUMENTS, st.integers(0, 5))
def test_no_document_is_in_two_parts_and_no_example_is_lost(named, seed):
    examples, parts = parted(named, seed)

    seen = [{name for one in found for name in one.documents} for found in parts.values()]
    assert sum(map(len, seen)) == len(set().union(*seen))
    assert sorted(one.line for found in parts.values() for one in found) == [
        one.line for one in examples
    ]
    assert all(parts.values())


@given(DOCUMENTS)
def test_the_same_seed_gives_the_same_parts(named):
    assert parted(named) == parted(named)


def test_the_shares_are_met_as_closely_as_documents_allow():
    examples = [text(line, f"{line % 50}.md") for line in range(1000)]

    parts = split(examples, SHARES)

    assert {name: len(found) for name, found in parts.items()} == {
        "validation": 100,
        "test": 200,
        "train": 700,
    }


def test_another_seed_gives_other_parts():
    examples = [text(line, f"{line % 50}.md") for line in range(1000)]

    assert split(examples, SHARES, seed=1) != split(examples, SHARES, seed=2)


def test_examples_that_share_a_document_by_others_stay_together():
    examples = [text(1, "a", "b"), text(2, "b", "c"), text(3, "c"), text(4, "d"), text(5, "e")]

    parts = split(examples, {"validation": 0.3})

    sides = {one.line: name for name, found in parts.items() for one in found}
    assert len({sides[1], sides[2], sides[3]}) == 1


def test_an_example_without_a_document_is_refused():
    with pytest.raises(ConfigError, match="line 2: names no document; expected the field"):
        split([text(1, "a"), text(2), text(3, "b")], {"test": 0.5})


def test_too_few_documents_are_refused():
    with pytest.raises(
        ConfigError, match="are of 1 documents that share none; expected at least 2"
    ):
        split([text(1, "a"), text(2, "a")], {"test": 0.5})
