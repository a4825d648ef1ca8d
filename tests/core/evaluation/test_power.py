"""What a number of questions can show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.evaluation.power import smallest_gain


@pytest.mark.parametrize(("questions", "gain"), [(30, 0.28), (100, 0.153), (400, 0.077)])
def test_it_is_about_what_simulated_runs_show(questions, gain):
    assert smallest_gain(questions, documents=questions) == pytest.approx(gain, abs=0.005)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_more_questions_and_more_documents_show_smaller_gains(questions, documents):
    documents = min(questions, documents)
    gain = smallest_gain(questions, documents=documents)

    assert 0 < gain <= 1
    assert smallest_gain(questions + 1, documents=documents) <= gain
    assert smallest_gain(questions, documents=documents + 1) <= gain


def test_nothing_shows_without_questions():
    assert smallest_gain(0, documents=0) == 1
