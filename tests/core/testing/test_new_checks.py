"""A new check of a contract warns in the release that brings it, and fails in the next one."""

import asyncio
import re
from importlib import metadata

import pytest

from citewell.testing import NewCheckWarning
from citewell.testing.new_checks import new_check
from citewell.testing.opening import run_async

MAJOR, MINOR = map(int, re.match(r"(\d+)\.(\d+)", metadata.version("citewell")).groups())
NOW, NEXT = f"{MAJOR}.{MINOR}", f"{MAJOR}.{MINOR + 1}"


def contract(since, test):
    class Contract:
        test_it = new_check(since=since)(run_async(test))

    return Contract()


async def fails(self):
    assert self is None, "close what you open"


async def fails_by_pytest(self):
    pytest.fail("close what you open")


async def raises(self):
    raise ConnectionError("close what you open")


@pytest.mark.parametrize("test", [fails, fails_by_pytest, raises])
@pytest.mark.parametrize("since", [NOW, "99.0"])
def test_it_warns_in_the_release_that_brings_it(test, since):
    with pytest.warns(NewCheckWarning, match="close what you open"):
        contract(since, test).test_it()


def test_the_warning_says_from_which_release_on_it_fails():
    with pytest.warns(NewCheckWarning) as warned:
        contract(NOW, fails).test_it()

    text = str(warned[0].message)
    assert f"fails is new in citewell {NOW} and warns; it fails from citewell {NEXT} on: " in text


@pytest.mark.parametrize(
    ("test", "error"),
    [(fails, AssertionError), (fails_by_pytest, pytest.fail.Exception), (raises, ConnectionError)],
)
def test_it_fails_afterwards(test, error):
    with pytest.raises(error, match="close what you open"):
        contract("0.0", test).test_it()


@pytest.mark.parametrize("since", ["0.0", NOW])
def test_what_passes_says_nothing(since):
    ran = []

    async def passes(self):
        await asyncio.sleep(0)
        ran.append(self)

    contract(since, passes).test_it()

    assert len(ran) == 1


def test_what_is_skipped_stays_skipped():
    async def skips(self):
        pytest.skip("not claimed")

    with pytest.raises(pytest.skip.Exception, match="not claimed"):
        contract(NOW, skips).test_it()


@pytest.mark.parametrize("since", ["9", "0.9.1", "next", ""])
def test_a_release_that_is_none_is_refused(since):
    with pytest.raises(ValueError, match=r'expected one like "0\.9"'):
        new_check(since=since)


def test_it_does_not_stand_below_the_loop():
    with pytest.raises(TypeError, match=r"put @new_check of fails above @run_async"):
        new_check(since=NOW)(fails)
