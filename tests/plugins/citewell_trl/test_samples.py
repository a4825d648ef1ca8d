from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from citewell_trl.lengths import Fitting
from citewell_trl.samples import of_steps, of_trial
from citewell_trl.settings import TrlConfig

LENGTHS = st.lists(st.integers(1, 2000), min_size=1, max_size=60)


def of_lengths(lengths):
    rows = [{"text": str(at)} for at in range(len(lengths))]
    return Fitting(rows=rows, lengths=lengths, too_long=0)


def lengths_of(rows, fitting):
    return [fitting.lengths[int(row["text"])] for row in rows]


@given(LENGTHS, st.integers(1, 8), st.integers(1, 8))
def test_the_first_step_has_the_longest_and_each_has_as_many_as_in_a_training(
    lengths, batch_size, accumulate
):
    config = TrlConfig(batch_size=batch_size, accumulate=accumulate)
    fitting = of_lengths(lengths)
    size = batch_size * accumulate

    found = lengths_of(of_steps(fitting, config, typical=3), fitting)

    first = sorted(found[:batch_size], reverse=True)
    assert first == sorted(lengths, reverse=True)[:batch_size]
    assert len(found) == (4 * size if size < len(lengths) else len(lengths))


@given(LENGTHS)
def test_a_step_with_room_for_more_than_all_examples_has_each_once(lengths):
    fitting = of_lengths(lengths)

    found = of_steps(fitting, TrlConfig(batch_size=8, accumulate=1000), typical=3)

    assert Counter(row["text"] for row in found) == Counter(row["text"] for row in fitting.rows)


@given(LENGTHS, st.integers(1, 8))
def test_a_trial_is_on_some_of_all_lengths(lengths, batch_size):
    fitting = of_lengths(lengths)

    rows = of_trial(fitting, TrlConfig(batch_size=batch_size))

    assert len(rows) == min(len(lengths), 4 * batch_size)
    assert max(lengths_of(rows, fitting)) == max(lengths)
