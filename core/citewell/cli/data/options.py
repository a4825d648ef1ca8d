"""What the commands about examples share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

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


def look_options(command: Decorated) -> Decorated:
    """Add what says what is looked for."""
    options = (tokenizer_option, _context_option, _near_option, _private_option, _region_option)
    for option in reversed(options):
        command = option(command)
    return command


def not_looked_for(names: Sequence[str]) -> str:
    """Say what nothing looked for, and how to change that; empty where all was looked for."""
    if not names:
        return ""
    return f'not looked for: {", ".join(names)}; run: pip install "citewell[data]"'
