"""`citewell chat`: a conversation with the documents."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from citewell.cli.options import examples, profile_option, reader_option, where, where_options
from citewell.cli.wording import safe_line

if TYPE_CHECKING:
    from citewell.blocks import Block
    from citewell.cli.talking import Talk
    from citewell.engine.serving import Serving
    from citewell.engine.settings import Settings


@click.command(
    "chat",
    epilog=examples(
        "citewell chat",
        "citewell chat --docs handbook/",
        "citewell chat < questions.txt",
    ),
)
@where_options
@profile_option
@reader_option
def command(
    config: Path | None, docs: Path | None, profile: str | None, labels: tuple[str, ...]
) -> None:
    """Hold a conversation with the documents, in which a follow-up leans on what was said.

    Inside, /sources shows the quotes of the last answer, /why explains it, /new forgets what was
    said, and /quit leaves. Ctrl-C stops an answer.
    """
    from citewell.cli.assisting import Manner, reader
    from citewell.cli.talking import Talk

    settings = where(config, docs).settings()
    manner = Manner(audience=reader(labels, settings), profile=profile, adapt=_shortened)
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())
        if docs is not None:
            from citewell.cli.indexing import writable

            settings = stack.enter_context(writable(settings))
            runner.run(_bring_up(settings))
        _talk(Talk(runner, stack.enter_context(_serving(runner, settings)), manner))


def _talk(talk: Talk) -> None:
    if not sys.stdin.isatty():
        talk.run(_piped)
        return
    with suppress(ImportError):
        # Its import alone gives `input` line editing and a history.
        import readline  # noqa: F401 - see above
    click.secho("Ask about the documents; /help lists commands, Ctrl-D leaves.", dim=True)
    talk.run(_typed)


async def _bring_up(settings: Settings) -> None:
    """Sync with components of its own, so that no index stays locked during the talk."""
    from citewell.cli.indexing import open_folder

    async with open_folder(settings):
        pass


@contextmanager
def _serving(runner: asyncio.Runner, settings: Settings) -> Iterator[Serving]:
    from citewell.engine.serving import Serving
    from citewell.engine.settings import load_settings

    def load() -> Settings:
        return settings if settings.path is None else load_settings(settings.path)

    async def opened() -> Serving:
        return Serving(settings, load)

    serving = runner.run(opened())
    try:
        yield serving
    finally:
        runner.run(serving.close())


def _typed() -> str | None:
    """Return the next line that is typed, or None at the end."""
    try:
        return input("> ").strip()
    except EOFError:
        click.echo()
        return None


def _piped() -> str | None:
    """Return the next line of standard input, and show it as if it had been typed."""
    line = sys.stdin.readline()
    if not line:
        return None
    click.echo(f"> {safe_line(line.strip())}")
    return line.strip()


def _shortened(blocks: Sequence[Block]) -> list[Block]:
    """Leave out of an answer what /sources and /why show."""
    from citewell.blocks import SourceList
    from citewell.cli.assisting import without_actions

    return [
        replace(block, quoted=False) if isinstance(block, SourceList) else block
        for block in without_actions(blocks)
    ]
