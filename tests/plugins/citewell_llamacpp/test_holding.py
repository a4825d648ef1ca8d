from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from citewell_llamacpp.holding import Spans, Stops

TEXTS = st.text("ab`\n[1", max_size=30)
CUTS = st.lists(st.integers(0, 30), max_size=6)


def fed(holder, text, cuts):
    """Return what the holder lets through of `text` that comes in pieces."""
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return "".join(holder.take(text[a:b]) for a, b in pairwise(edges))


@given(TEXTS, st.lists(st.text("ab`", max_size=3), max_size=3), CUTS)
def test_nothing_of_a_stop_text_is_written_however_it_comes(text, stops, cuts):
    holder = Stops(stops)
    written = fed(holder, text, cuts)
    whole = written + holder.rest()
    ends = [text.find(stop) for stop in stops if stop and stop in text]

    assert holder.reached == bool(ends)
    assert whole == (text[: min(ends)] if ends else text)


@given(TEXTS, CUTS)
def test_a_code_span_is_written_when_it_is_closed_and_not_before(text, cuts):
    held = Spans()
    written = fed(held, text, cuts)
    lines = written.split("\n")

    assert text.startswith(written)
    assert fed(Spans(), text, ()) == written
    assert any(line.startswith("```") for line in lines) or lines[-1].count("`") % 2 == 0


def test_in_a_fence_backticks_are_written_at_once():
    assert Spans().take("```\na `b\n") == "```\na `b\n"
    assert Spans().take("a `b") == "a "
