"""Asks questions for a person at the command line, and shows each answer while it grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from functools import cache
from typing import TYPE_CHECKING

import click
from msgspec import Struct
from msgspec.structs import replace

from citewell.blocks import Actions, Block
from citewell.cli.options import Where
from citewell.cli.printing import Printer
from citewell.cli.wording import safe_line
from citewell.engine.assistant import Assistant, Backends, new_id, profile_of
from citewell.engine.folders import make_folder
from citewell.engine.nearest import did_you_mean
from citewell.engine.restoring import restored
from citewell.engine.runtime import Runtime, open_runtime
from citewell.engine.settings import Settings
from citewell.errors import ConfigError, JournalError, StoreError
from citewell.journal.records import AnswerRecord, storable
from citewell.journal.spool import Spool
from citewell.noticing import Told, listening
from citewell.redaction import redact
from citewell.types.answers import Answer, Citation, Outcome
from citewell.types.questions import Audience, Question, Turn

if TYPE_CHECKING:
    from citewell.journal.ledger import Ledger


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


def named_profile(name: str | None, settings: Settings) -> str:
    """Return the name of a profile that is there; None for the one that answers by default.

    Raises:
        ConfigError: there is none of that name.
    """
    found = name or settings.default_profile
    if found not in settings.profiles:
        known = ", ".join(settings.profiles)
        hint = did_you_mean(found, settings.profiles, f"there are: {known}")
        raise ConfigError(f'profile "{found}" is not in the settings{hint}')
    return found


def open_named(where: Where, settings: Settings) -> AbstractAsyncContextManager[Runtime]:
    """Return a runtime for the documents that the command line names, to be entered."""
    if where.docs is not None:
        from citewell.cli.indexing import open_folder

        return open_folder(settings)
    return open_runtime(settings)


def spool(settings: Settings) -> Spool:
    """Return where answers wait for the journal."""
    return Spool(settings.data_dir / "spool")


def open_ledger(settings: Settings) -> Callable[[], Ledger]:
    """Return what opens the accounts of budgets when it is first called."""

    @cache
    def opened() -> Ledger:
        from citewell.journal.database import open_engine
        from citewell.journal.journal import journal_url
        from citewell.journal.ledger import Ledger

        make_folder(settings.data_dir)
        return Ledger(open_engine(journal_url(settings.journal_url, settings.data_dir)))

    return opened


def without_actions(blocks: Sequence[Block]) -> list[Block]:
    """Leave out what could be done with an answer later, were it kept."""
    return [block for block in blocks if not isinstance(block, Actions)]


class _Records:
    """Keeps answers where that can be done; where not, they are shown all the same.

    Attributes:
        problem: why the last one is not kept, or empty.
        reasons: why no model could write the last one; empty when one did.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self.problem = ""
        self.reasons: tuple[str, ...] = ()

    def add(self, record: AnswerRecord) -> None:
        self.problem = ""
        self.reasons = record.errors if record.outcome == Outcome.FAILED else ()
        try:
            self._spool.add(record)
        except JournalError as error:
            self.problem = str(error)


class Conversation:
    """Questions of which each may lean on the ones before.

    Attributes:
        last: the last answer, until it is forgotten.
    """

    def __init__(
        self, backends: Backends, settings: Settings, manner: Manner, printer: Printer
    ) -> None:
        self._backends = backends
        self._manner = manner
        self._printer = printer
        self._records = _Records(spool(settings))
        self._ledger = open_ledger(settings)
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
        async with self._backends.lease() as runtime:
            retriever = await runtime.retriever(self._retriever)
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
        async with self._backends.lease() as runtime:
            return await self._ask(storable(text), runtime)

    async def _ask(self, text: str, runtime: Runtime) -> Answer:
        question = Question(
            id=new_id(),
            text=text,
            audience=self._manner.audience,
            history=tuple(self._turns),
            profile=self._manner.profile,
        )
        question = replace(question, profile=profile_of(question, runtime.settings))
        profile = runtime.settings.profiles[question.profile or ""]
        formatter = await runtime.formatter(self._manner.formatter or profile.formatter)
        if profile.retriever is not None:
            # What keeps the index from being read is an error of its own, not of the answer.
            await runtime.retriever(profile.retriever)
        self._printer.status("Looking …")
        answer = Answer(id="", question_id=question.id, complete=False)
        # The same settings to the end, whatever is changed meanwhile.
        assistant = Assistant(runtime, self._records, ledger=self._ledger)
        with listening() as notices:
            async with aclosing(assistant.ask(question)) as growing:
                async for answer in growing:
                    blocks = self._manner.adapt(formatter.render(answer))
                    if answer.complete:
                        await self._check(answer, runtime)
                        self._end(blocks, notices)
                    elif blocks:
                        self._printer.show(blocks)
        self.last, self._retriever = answer, profile.retriever
        said = "".join(claim.lead + claim.text for claim in answer.shown).strip()
        self._turns += [
            Turn("user", text, answer.labels, answer.passages),
            Turn("assistant", said or answer.notice, answer.labels, answer.passages),
        ]
        return answer

    def _end(self, blocks: Sequence[Block], notices: Sequence[Told]) -> None:
        """Show the complete answer; where it is not kept, say so and offer nothing more of it."""
        problem = self._records.problem
        if problem:
            blocks = without_actions(blocks)
        self._printer.end(blocks)
        # Whoever asks here is who can mend it; in a chat these lines would tell a stranger.
        for reason in self._records.reasons:
            click.echo(f"error: {safe_line(reason)}", err=True)
        for detail in (one.detail for one in notices if one.detail):
            # The reasons of a failure have it already.
            if not self._records.reasons:
                click.echo(f"note: {safe_line(redact(detail))}", err=True)
        if problem:
            click.echo(f"warning: {safe_line(problem)}", err=True)

    async def _check(self, answer: Answer, runtime: Runtime) -> None:
        """Raise `StoreError` when an answer found nothing because there is nothing."""
        if answer.outcome is not Outcome.REFUSED or answer.nearest:
            return
        settings = runtime.settings
        for name, retriever in settings.retrievers.items():
            if retriever.is_filled or await (await runtime.retriever(name)).versions():
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
