"""Templates that are bombs: the look at them ends soon, with one line, and takes little memory."""

from time import perf_counter, sleep

import pytest

from citewell_llamacpp.templates import _MAX_SECONDS, BadTemplate, Template
from citewell_llamacpp.wire import Message

# jinja2 computes the constant parts of a template while it compiles, and swallows what they raise.
BOMBS = {
    "wide text": ("{{ 'x'|center(3000000000) }}", "memory"),
    "wide format": ("{{ '%3000000000d'|format(1) }}", "memory"),
    "precise number": ("{{ 1|round(30000000, 'ceil') }}", "more than 2 s"),
    "in a condition": ("{% if 1|round(30000000, 'ceil') %}{% endif %}", "more than 2 s"),
    "long list": (f"{{{{ [{'1,' * 1_000_000}] }}}}", "more than 2 s"),
    "many outputs": ("{{ 1 }}" * 200_000, "more than 2 s"),
    "deep": (f"{{{{ {'(' * 3_000}1{')' * 3_000} }}}}", "RecursionError"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_template_that_is_a_bomb_to_compile_is_refused_soon(name):
    source, expected = BOMBS[name]
    since = perf_counter()

    with pytest.raises(BadTemplate, match=expected) as caught:
        Template(source, bos="", eos="")

    assert perf_counter() - since < 8
    assert "\n" not in str(caught.value)


def test_a_template_that_computes_with_constants_still_does():
    template = Template("{{ 'x'|center(5) }}{{ 1.25|round(1) }}{{ 2 * 3 }}", bos="", eos="")

    assert template.render([Message("user", "hi")]) == "  x  1.26"


class Left:
    """What is collected while a template is rendered, and takes longer than that may."""

    def __init__(self):
        self.is_gone = []

    def __del__(self):
        self.leave()

    def leave(self):
        sleep(_MAX_SECONDS + 0.3)
        self.is_gone.append(True)


class Day:
    def __init__(self):
        self.left = Left()
        self.is_gone = self.left.is_gone

    def strftime(self, _form):
        del self.left
        return "today"


def test_a_finalizer_that_takes_long_is_not_torn_out_of_its_work():
    template, day = Template("{{ strftime_now('%d') }}", bos="", eos=""), Day()

    assert template.render([Message("user", "hi")], day=day) == "today"
    assert day.is_gone == [True]
