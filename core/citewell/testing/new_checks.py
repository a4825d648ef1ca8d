"""Checks that are new in a contract: they warn for one minor release before they fail."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable
from functools import wraps
from importlib import metadata
from typing import ParamSpec

import pytest

P = ParamSpec("P")

_MINOR = re.compile(r"(\d+)\.(\d+)")


class NewCheckWarning(UserWarning):
    """A check of a contract that will fail from the next minor release on."""


def new_check(*, since: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Let a test of a contract warn where it would fail, in the release that brings it.

    Whoever takes a new Citewell learns so from its contracts what has to change, and their tests
    fail one minor release later. It stands above `run_async`.

    Args:
        since: the minor release that brings the check, like "0.9".

    Raises:
        ValueError: `since` is no minor release.
        TypeError: the test is a coroutine, whose failure would come too late to be seen.
    """
    brings = _minor(since)
    if _MINOR.fullmatch(since) is None:
        raise ValueError(f'since="{since}" is no minor release; expected one like "0.9"')

    def mark(test: Callable[P, None]) -> Callable[P, None]:
        if inspect.iscoroutinefunction(test):
            raise TypeError(f"put @new_check of {test.__qualname__} above @run_async")

        @wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            if _minor(metadata.version("citewell")) > brings:
                test(*args, **kwargs)
                return
            try:
                test(*args, **kwargs)
            # What says that a test was skipped is no `Exception`, and goes on.
            except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - a test fails by any
                reason = str(error).strip() or type(error).__name__
                text = (
                    f"{test.__qualname__} is new in citewell {since} and warns; it fails from "
                    f"citewell {brings[0]}.{brings[1] + 1} on: {reason}"
                )
                warnings.warn(NewCheckWarning(text), stacklevel=2)

        return run

    return mark


def _minor(version: str) -> tuple[int, int]:
    found = _MINOR.match(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
