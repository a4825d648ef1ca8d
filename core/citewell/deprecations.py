"""What plugins should not use any more: marked at the hook, and said in one way until it is gone.

    @deprecated(replacement='the hook "register_gadgets"', removed_in="0.9")
    @hookspec
    def register_widgets() -> Iterable[WidgetSpec]: ...

The registry warns of every plugin that implements such a hook or takes such an argument.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar

from msgspec import Struct

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "citewell_deprecated"


class PluginDeprecation(DeprecationWarning):
    """A plugin uses what a later release does not have."""


class Deprecation(Struct, frozen=True, kw_only=True):
    """What is going to be removed.

    Attributes:
        argument: of the hook; empty for the hook itself.
        replacement: what to use instead, in words.
        removed_in: the release that does not have it any more.
    """

    argument: str = ""
    replacement: str
    removed_in: str


def deprecated(*, replacement: str, removed_in: str, argument: str = "") -> Callable[[F], F]:
    """Mark a hook, or one argument of it; stands above `@hookspec`."""
    one = Deprecation(argument=argument, replacement=replacement, removed_in=removed_in)

    def mark(hook: F) -> F:
        setattr(hook, _MARK, (*deprecations(hook), one))
        return hook

    return mark


def deprecations(hook: Callable[..., Any]) -> tuple[Deprecation, ...]:
    """Return what of a hook is going to be removed."""
    found: tuple[Deprecation, ...] = getattr(hook, _MARK, ())
    return found


def used(hook: Callable[..., Any], arguments: Collection[str]) -> Iterator[str]:
    """Yield what a plugin uses that implements `hook` and takes `arguments` of it.

    Each is a clause that the name of the plugin stands before.
    """
    for one in deprecations(hook):
        if one.argument and one.argument not in arguments:
            continue
        what = f'the hook "{hook.__name__}"'
        if one.argument:
            what = f'the argument "{one.argument}" of {what}'
        yield f"uses {what}, which citewell {one.removed_in} removes; use {one.replacement}"


def warn(plugin: object, uses: str) -> None:
    """Warn whoever tests or runs the plugin; `plugin` reads as its name and its distribution."""
    # No line of ours or of the plugin's is to be named: the plugin is.
    warnings.warn(PluginDeprecation(f"{plugin} {uses}"), stacklevel=2)
