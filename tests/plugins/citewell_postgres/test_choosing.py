"""Laws of the shortcut: it may only be faster."""

import random

from hypothesis import given
from hypothesis import strategies as st

from citewell_postgres.choosing import ListRow, Plan
from citewell_postgres.terms import first_list, level_of, shelf_of, term_of


def made(seed):
    """Return postings `passage -> {list: weight}`, their lists, and the rarity of each term."""
    chance = random.Random(seed)
    rarities = {term: chance.uniform(0.1, 8) for term in range(1, chance.randint(1, 6))}
    postings = {}
    for passage in range(chance.randint(1, 60)):
        shelf = chance.randint(1, 3)
        for term in rarities:
            if chance.random() < 0.4:
                weight = chance.uniform(0.2, 4)
                key = first_list(term) | shelf << 3 | min(int(weight * 2), 7)
                postings.setdefault(passage, {})[key] = weight
    lists = {}
    for found in postings.values():
        for key, weight in found.items():
            known = lists.get(key, ListRow(key, 0, 0.0))
            # The passage that had the ceiling may be gone.
            ceiling = max(known.ceiling, weight * chance.choice([1, 1, 1.3]))
            lists[key] = ListRow(key, known.passages + 1, ceiling)
    return postings, list(lists.values()), rarities


def score(found, rarities):
    return sum(weight * rarities[term_of(key)] for key, weight in found.items())


@given(st.integers(0, 2**32), st.floats(0.01, 30))
def test_no_passage_outside_the_chosen_lists_reaches_the_score(seed, wanted):
    postings, lists, rarities = made(seed)

    chosen = set(Plan(lists, rarities).above(wanted))

    for found in postings.values():
        if not chosen & set(found):
            assert score(found, rarities) < wanted


@given(st.integers(0, 2**32), st.integers(1, 200))
def test_what_the_rest_can_give_is_never_exceeded(seed, wanted):
    postings, lists, rarities = made(seed)

    keys, rest = Plan(lists, rarities).for_candidates(wanted)

    assert sum(row.passages for row in lists if row.key in keys) >= min(
        wanted, sum(row.passages for row in lists)
    )
    for found in postings.values():
        if not set(keys) & set(found):
            assert score(found, rarities) <= rest


def test_a_key_names_its_term_its_shelf_and_its_level():
    key = first_list(12345) | 678 << 3 | 5

    assert (term_of(key), shelf_of(key), level_of(key)) == (12345, 678, 5)
    assert key < first_list(12346)
    assert first_list(2**37 - 1) < 2**63
