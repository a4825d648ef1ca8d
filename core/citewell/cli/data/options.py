"""What the commands about examples share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec import Struct

if TYPE_CHECKING:
    from citewell.tuning.data.inspecting import Limits

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

tokenizer_option = click.option(
    "--tokenizer",
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="Count tokens with this tokenizer.json, or with that of a model's folder.",
)
by_option = click.option(
    "--by",
    metavar="FIELD",
    help="Field that names the document of an example; by default documents.",
)
_context_option = click.option(
    "--context",
    type=click.IntRange(16),
    metavar="TOKENS",
    help="The most tokens that an example may have.",
)
_near_option = click.option(
    "--near/--no-near", default=True, help="Look for examples that say nearly the same."
)
_private_option = click.option(
    "--private/--no-private", default=True, help="Look for secrets and personal data."
)
_region_option = click.option(
    "--region",
    metavar="CODE",
    help="Country of phone numbers that begin with none, like US or DE.",
)


class Looked(Struct, frozen=True, kw_only=True):
    """What is looked for, as the command line says it."""

    tokenizer: Path | None
    context: int | None
    near: bool
    private: bool
    region: str | None


def look_options(command: Decorated) -> Decorated:
    """Add what says what is looked for."""
    options = (tokenizer_option, _context_option, _near_option, _private_option, _region_option)
    for option in reversed(options):
        command = option(command)
    return command


@contextmanager
def limits(looked: Looked) -> Iterator[tuple[Limits, list[str]]]:
    """Yield what is looked for, and what is not for want of packages, in words.

    Raises:
        ConfigError: the tokenizer cannot be read.
    """
    from citewell.engine.extras import missing_packages
    from citewell.tuning.data.inspecting import Limits
    from citewell.tuning.data.lengths import counter
    from citewell.tuning.data.private import Private

    lacking = missing_packages("citewell", "data")
    is_all = not lacking
    with ExitStack() as stack:
        private = None
        if looked.private and is_all:
            private = stack.enter_context(Private(looked.region))
        found = Limits(
            count=counter(looked.tokenizer),
            context=looked.context,
            is_near=looked.near and is_all,
            private=private,
        )
        wanted = [
            name
            for name, is_wanted in (
                ("near-duplicates", looked.near),
                ("secrets", looked.private),
                ("personal data", looked.private),
            )
            if is_wanted
        ]
        yield found, [] if is_all else wanted


def not_looked_for(names: Sequence[str]) -> str:
    """Say what nothing looked for, and how to change that; empty where all was looked for."""
    if not names:
        return ""
    return f'not looked for: {", ".join(names)}; run: pip install "citewell[data]"'
