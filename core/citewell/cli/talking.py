"""The lines of a chat: questions, and commands that begin with a slash."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from citewell.blocks import Source, SourceList
from citewell.cli.assisting import Conversation, Manner
from citewell.cli.page import Line, Look, Piece, Row, page
from citewell.cli.printing import open_printer
from citewell.cli.wording import GONE, safe_line
from citewell.engine.serving import Serving
from citewell.errors import CitewellError
from citewell.types.answers import Answer, Citation

if TYPE_CHECKING:
    from citewell.cli.explaining import Explanation
    from citewell.journal.records import AnswerRecord

_HELP = """\
/sources  quotes of the last answer, read from the documents again
/why      how the last answer came to be
/new      forget what was said
/quit     leave, as Ctrl-D does; Ctrl-C stops an answer"""


class Talk:
    """Answers one line after the other.

    The event loop runs only while a line is answered: between them the terminal has the thread, so
    that line editing and Ctrl-C work as everywhere.
    """

    def __init__(self, runner: asyncio.Runner, serving: Serving, manner: Manner) -> None:
        self._runner = runner
        self._serving = serving
        self._manner = manner
        self._printer = open_printer(sys.stdout)
        self._conversation = Conversation(serving, serving.settings, manner, self._printer)
        self._commands: Mapping[str, Callable[[], None]] = {
            "/sources": self._show_sources,
            "/why": self._explain,
            "/new": self._forget,
            "/help": lambda: click.echo(_HELP),
        }

    def run(self, read: Callable[[], str | None]) -> None:
        """Answer what `read` returns until it returns None, or a line says to leave."""
        line: str | None = ""
        while line is not None and line not in {"/quit", "/exit"}:
            try:
                if line:
                    self._answer(line)
                    click.echo()
                line = read()
            except KeyboardInterrupt:
                click.echo("stopped\n" if line else "")
                line = ""
            except CitewellError as error:
                click.echo(f"error: {safe_line(str(error))}", err=True)
                click.echo()
                line = ""

    def _answer(self, line: str) -> None:
        if not line.startswith("/"):
            self._follow_settings()
            self._runner.run(self._conversation.ask(line))
        elif line in self._commands:
            self._commands[line]()
        else:
            click.echo(f"{safe_line(line)} is no command here\n{_HELP}")

    def _follow_settings(self) -> None:
        """Take a changed settings file over before the next answer, and say so."""
        change = self._runner.run(self._serving.refresh())
        if change is not None and change.applied:
            click.secho("the settings changed", dim=True)
        elif change is not None:
            problem = safe_line(change.reason)
            click.echo(f"warning: the settings stay as they were: {problem}", err=True)

    def _forget(self) -> None:
        self._conversation.forget()
        click.echo("forgotten")

    def _show_sources(self) -> None:
        if self._conversation.last is None or not self._conversation.last.citations:
            click.echo("the last answer has no sources")
            return
        current = self._runner.run(self._conversation.sources())
        self._printer.write(_source_rows(self._conversation.last, current))

    def _explain(self) -> None:
        if self._conversation.last is None:
            click.echo("there is no answer to explain yet")
            return
        from citewell.cli.explaining import find
        from citewell.cli.explanation_page import explanation_page

        record = find(self._serving.settings, self._conversation.last.id)
        explanation = self._runner.run(self._explanation(record))
        self._printer.write(explanation_page(explanation))

    async def _explanation(self, record: AnswerRecord) -> Explanation:
        from citewell.cli.explaining import explain

        async with self._serving.lease() as runtime:
            return await explain(record, runtime, self._manner.audience)


def _source_rows(answer: Answer, current: Sequence[Citation]) -> Iterator[Row]:
    grouped = groupby(current, key=lambda citation: citation.number)
    sources = tuple(Source(number, tuple(citations)) for number, citations in grouped)
    if sources:
        yield from page([SourceList(sources)])
    kept = {(citation.number, citation.start, citation.end) for citation in current}
    lost = {one.number for one in answer.citations if (one.number, one.start, one.end) not in kept}
    for number in sorted(lost):
        yield Line((Piece(f"[{number}] ", Look.MARK), Piece(GONE, Look.FAINT)))
