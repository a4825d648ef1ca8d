"""`citewell ask`: one question, one answer."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click
from msgspec import Struct

from citewell.cli.options import (
    FAILED,
    Where,
    examples,
    profile_option,
    reader_option,
    where,
    where_options,
)

REFUSED = 3


@click.command(
    "ask",
    epilog=examples(
        'citewell ask "How many days of leave do I have?"',
        'citewell ask "How many days of leave do I have?" --docs handbook/',
        "citewell ask --json - < question.txt",
    ),
)
@click.argument("question", nargs=-1, required=True)
@where_options
@profile_option
@reader_option
@click.option("--format", "formatter", metavar="NAME", help="footnotes, plain, json, or your own.")
@click.option("--json", "formatter", flag_value="json", help="The same as --format json.")
def command(
    question: tuple[str, ...],
    config: Path | None,
    docs: Path | None,
    profile: str | None,
    labels: tuple[str, ...],
    formatter: str | None,
) -> int:
    """Answer QUESTION, with checked citations; `-` reads it from standard input.

    The exit code is 0 for an answer, 3 when the documents do not say, and 1 when something failed.
    """
    asked = Asked(where(config, docs), _text(question), profile, labels, formatter)
    outcome = asyncio.run(_answer(asked))
    return {"refused": REFUSED, "failed": FAILED}.get(outcome, 0)


class Asked(Struct, frozen=True):
    """What the command line says."""

    where: Where
    text: str
    profile: str | None
    labels: tuple[str, ...]
    formatter: str | None


def _text(words: tuple[str, ...]) -> str:
    text = sys.stdin.read() if words == ("-",) else " ".join(words)
    if not text.strip():
        raise click.UsageError("the question is empty")
    return text.strip()


async def _answer(asked: Asked) -> str:
    """Show the answer and return its outcome."""
    from citewell.cli.assisting import (
        Conversation,
        Manner,
        open_named,
        reader,
        without_actions,
    )
    from citewell.cli.printing import open_printer

    settings = asked.where.settings()
    async with open_named(asked.where, settings) as runtime:
        manner = Manner(
            audience=reader(asked.labels, settings),
            profile=asked.profile,
            formatter=asked.formatter,
            adapt=tuple if runtime.settings is settings else without_actions,
        )
        printer = open_printer(sys.stdout, where=asked.where.words)
        answer = await Conversation(runtime, runtime.settings, manner, printer).ask(asked.text)
    return answer.outcome.value
