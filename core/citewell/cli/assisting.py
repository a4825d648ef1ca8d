"""Asks questions for a person at the command line, and shows each answer while it grows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import aclosing

import click
from msgspec import Struct
from msgspec.structs import replace

from citewell.blocks import Actions, Block
from citewell.cli.printing import Printer
from citewell.cli.wording import safe_line
from citewell.engine.assistant import Assistant, new_id
from citewell.engine.citing import Pointer, restore
from citewell.engine.runtime import Runtime
from citewell.engine.settings import Settings
from citewell.errors import JournalError, StoreError
from citewell.journal.records import AnswerRecord, storable
from citewell.journal.spool import Spool
from citewell.types.answers import Answer, Citation, Outcome
from citewell.types.documents import Passage
from citewell.types.questions import Audience, Question, Turn


class Manner(Struct, frozen=True, kw_only=True):
    """How the questions of one command are asked and answered.

    Attributes:
        audience: who asks.
        profile: None lets the routing choose.
        formatter: None takes the profile's own.
        adapt: changes blocks before they are shown.
    """

    audience: Audience
    profile: str | None = None
    formatter: str | None = None
    adapt: Callable[[Sequence[Block]], Sequence[Block]] = tuple


def reader(labels: Sequence[str], settings: Settings) -> Audience:
    """Return the audience of one reader with `labels`, or with those that the settings give."""
    return Audience.of(*(labels or settings.reads))


def spool(settings: Settings) -> Spool:
    """Return where answers wait for the journal."""
    return Spool(settings.data_dir / "spool")


def restored(
    pointers: Iterable[Pointer], fetched: Collection[Passage], audience: Audience
) -> tuple[Citation, ...]:
    """Return those citations that may be shown now."""
    found = (restore(pointer, fetched=fetched, audience=audience) for pointer in pointers)
    return tuple(citation for citation in found if citation is not None)


def without_actions(blocks: Sequence[Block]) -> list[Block]:
    """Leave out what could be done with an answer later, were it kept."""
    return [block for block in blocks if not isinstance(block, Actions)]


class _Records:
    """Keeps answers where that can be done; where not, they are shown all the same.

    Attributes:
        problem: why the last one is not kept, or empty.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self.problem = ""

    def add(self, record: AnswerRecord) -> None:
        self.problem = ""
        try:
            self._spool.add(record)
        except JournalError as error:
            self.problem = str(error)


class Conversation:
    """Questions of which each may lean on the ones before.

    Attributes:
        last: the last answer, until it is forgotten.
    """

    def __init__(self, runtime: Runtime, manner: Manner, printer: Printer) -> None:
        self._runtime = runtime
        self._manner = manner
        self._printer = printer
        self._records = _Records(spool(runtime.settings))
        self._assistant = Assistant(runtime, self._records)
        self._turns: list[Turn] = []
        self._retriever: str | None = None
        self.last: Answer | None = None

    def forget(self) -> None:
        """Let the next question be the first."""
        self._turns.clear()
        self.last = None

    async def sources(self) -> tuple[Citation, ...]:
        """Return those citations of the last answer that may be shown now."""
        if self.last is None or self._retriever is None:
            return ()
        cited = self.last.citations
        retriever = await self._runtime.retriever(self._retriever)
        ids = list(dict.fromkeys(citation.passage_id for citation in cited))
        fetched = await retriever.fetch(ids, readable_by=self._manner.audience)
        return restored(cited, fetched, self._manner.audience)

    async def ask(self, text: str) -> Answer:
        """Show the answer to `text` as it grows, and return it.

        Raises:
            ConfigError: the profile or the formatter is not in the settings, or the data folder
                cannot be made.
            StoreError: nothing is indexed.
        """
        text = storable(text)
        question = Question(
            id=new_id(),
            text=text,
            audience=self._manner.audience,
            history=tuple(self._turns),
            profile=self._manner.profile,
        )
        question = replace(question, profile=self._assistant.profile_of(question))
        profile = self._runtime.settings.profiles[question.profile or ""]
        formatter = await self._runtime.formatter(self._manner.formatter or profile.formatter)
        if profile.retriever is not None:
            # What keeps the index from being read is an error of its own, not of the answer.
            await self._runtime.retriever(profile.retriever)
        self._printer.status("Looking …")
        answer = Answer(id="", question_id=question.id, complete=False)
        async with aclosing(self._assistant.ask(question)) as growing:
            async for answer in growing:
                blocks = self._manner.adapt(formatter.render(answer))
                if answer.complete:
                    await self._check(answer)
                    self._end(blocks)
                elif blocks:
                    self._printer.show(blocks)
        self.last, self._retriever = answer, profile.retriever
        said = "".join(claim.lead + claim.text for claim in answer.shown).strip()
        self._turns += [Turn("user", text), Turn("assistant", said or answer.notice)]
        return answer

    def _end(self, blocks: Sequence[Block]) -> None:
        """Show the complete answer; where it is not kept, say so and offer nothing more of it."""
        problem = self._records.problem
        if problem:
            blocks = without_actions(blocks)
        self._printer.end(blocks)
        if problem:
            click.echo(f"warning: {safe_line(problem)}", err=True)

    async def _check(self, answer: Answer) -> None:
        """Raise `StoreError` when an answer found nothing because there is nothing."""
        if answer.outcome is not Outcome.REFUSED or answer.nearest:
            return
        settings = self._runtime.settings
        for name in settings.retrievers:
            if await (await self._runtime.retriever(name)).versions():
                return
        self._printer.end(())
        if settings.path is None:
            # Whoever asks a folder has just had it synced; to sync it again would not help.
            from citewell.cli.indexing import suffixes

            raise StoreError(
                f"{settings.base_dir} holds no document that can be read; "
                f"expected files that end with {', '.join(suffixes(settings))}"
            )
        raise StoreError("nothing is indexed yet; run: citewell sync")
