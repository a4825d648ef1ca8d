"""Two lists made one: neither a scale nor a missing half may decide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell import Fusion, fused

WORDS = {"a": 12.0, "b": 9.0, "c": 1.0}
VECTORS = {"c": 0.9, "b": 0.6, "d": 0.1}
lists = st.dictionaries(st.integers(0, 30), st.floats(0.001, 100), max_size=20)
cosines = st.dictionaries(st.integers(0, 30), st.floats(-1, 1), max_size=20)
fusions = st.builds(
    Fusion, method=st.sampled_from(["ranks", "scores"]), words=st.floats(0, 1, width=16)
)


def order(by_words, by_vectors, fusion):
    scores = fused(by_words, by_vectors, fusion)
    return sorted(scores, key=lambda key: (-scores[key], key))


@pytest.mark.parametrize("method", ["ranks", "scores"])
def test_a_weight_of_all_or_nothing_keeps_the_order_of_one_list(method):
    by_words = order(WORDS, VECTORS, Fusion(method=method, words=1))
    by_vectors = order(WORDS, VECTORS, Fusion(method=method, words=0))

    assert [key for key in by_words if key in WORDS] == ["a", "b", "c"]
    assert [key for key in by_vectors if key in VECTORS] == ["c", "b", "d"]


@pytest.mark.parametrize("method", ["ranks", "scores"])
def test_what_the_half_with_all_the_weight_does_not_find_keeps_the_order_of_the_other(method):
    words, vectors = {"m": 2.0}, {"z": 0.9, "m": 0.8, "b": 0.7, "a": 0.6}

    by_words = order(words, vectors, Fusion(method=method, words=1))
    by_vectors = order({"y": 3.0, "x": 2.0, "w": 1.0}, vectors, Fusion(method=method, words=0))

    assert by_words == ["m", "z", "b", "a"]
    assert [key for key in by_vectors if key in "wxy"] == ["y", "x", "w"]


def test_what_both_find_comes_before_what_one_finds_at_the_same_place():
    scores = fused({"a": 2.0, "b": 1.0}, {"b": 0.5, "c": 0.4}, Fusion())

    assert max(scores, key=scores.__getitem__) == "b"


def test_the_ranks_are_weighed_as_published():
    scores = fused({"a": 2.0}, {"b": 0.5, "a": 0.4}, Fusion())

    assert scores == {"a": 0.5 / 61 + 0.5 / 62, "b": 0.5 / 61}


@given(lists, cosines, fusions)
def test_every_key_gets_a_score_and_no_other(by_words, by_vectors, fusion):
    assert fused(by_words, by_vectors, fusion).keys() == by_words.keys() | by_vectors.keys()


@given(lists, cosines, fusions, st.sampled_from([0.25, 2.0, 1024.0]))
def test_the_scale_of_the_words_does_not_matter(by_words, by_vectors, fusion, factor):
    scaled = {key: score * factor for key, score in by_words.items()}

    assert fused(scaled, by_vectors, fusion) == pytest.approx(fused(by_words, by_vectors, fusion))
