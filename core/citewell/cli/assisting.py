"""Asks questions for a person at the command line, and shows each answer while it grows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import aclosing

from msgspec import Struct
from msgspec.structs import replace

from citewell.blocks import Block
from citewell.cli.printing import Printer
from citewell.engine.assistant import Assistant, new_id
from citewell.engine.citing import Pointer, restore
from citewell.engine.runtime import Runtime
from citewell.engine.settings import Settings
from citewell.errors import StoreError
from citewell.journal.spool import Spool
from citewell.types import Answer, Audience, Citation, Outcome, Passage, Question, Turn


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


class Conversation:
    """Questions of which each may lean on the ones before.

    Attributes:
        last: the last answer, until it is forgotten.
    """

    def __init__(self, runtime: Runtime, manner: Manner, printer: Printer) -> None:
        self._runtime = runtime
        self._manner = manner
        self._printer = printer
        self._assistant = Assistant(runtime, spool(runtime.settings))
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
            ConfigError: the profile or the formatter is not in the settings.
            JournalError: the answer could not be recorded.
            StoreError: nothing is indexed.
        """
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
        self._printer.status("Looking …")
        answer = Answer(id="", question_id=question.id, complete=False)
        async with aclosing(self._assistant.ask(question)) as growing:
            async for answer in growing:
                blocks = self._manner.adapt(formatter.render(answer))
                if answer.complete:
                    await self._check(answer)
                    self._printer.end(blocks)
                elif blocks:
                    self._printer.show(blocks)
        self.last, self._retriever = answer, profile.retriever
        said = "".join(claim.lead + claim.text for claim in answer.shown).strip()
        self._turns += [Turn("user", text), Turn("assistant", said or answer.notice)]
        return answer

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
            folder = settings.base_dir
            raise StoreError(
                f"{folder} holds no document that can be read; run: citewell sync --docs {folder}"
            )
        raise StoreError("nothing is indexed yet; run: citewell sync")
