"""What the core does for one chat service; who may read what is decided here, never there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import cast

from msgspec import Struct

from citewell import blocking
from citewell.chatting import Adapter, HandOff
from citewell.configs import ChatConfig
from citewell.delivery.access import audience
from citewell.delivery.desk import Desk
from citewell.engine.memberships import known_labels
from citewell.engine.restoring import current_passages, restored, restored_answer
from citewell.engine.runtime import Runtime
from citewell.engine.sections import LibrarySettings
from citewell.engine.serving import Serving
from citewell.engine.standing import Standing, standings
from citewell.journal.audit import Audit
from citewell.journal.conversations import Conversations
from citewell.journal.forgetting import Forgetting
from citewell.journal.hearing import Hearing
from citewell.journal.inbox import Inbox
from citewell.journal.journal import Journal
from citewell.journal.ledger import Ledger
from citewell.journal.names import asker_name
from citewell.journal.outbox import Outbox
from citewell.journal.records import AnswerRecord, CitationRecord
from citewell.library.notes import last_note
from citewell.types.answers import Citation
from citewell.types.chat import Address, Event, LibraryState, Quoted, Recent, Venue, Voted
from citewell.types.documents import Passage, PassageRef, Place
from citewell.types.questions import Audience

_HANDED_OFF = "handed off"
_CHANGED = "This source changed since the answer was given."
_LOST: Mapping[Standing | None, str] = {
    Standing.MOVED: _CHANGED,
    Standing.CHANGED: _CHANGED,
    Standing.GONE: "This source is gone since the answer was given.",
}
_AROUND = 300
"""Characters of the passage that are shown before a quote, and behind it."""


class Stores(Struct, frozen=True, kw_only=True):
    """What the journal keeps of chats."""

    journal: Journal
    inbox: Inbox
    hearing: Hearing
    outbox: Outbox
    conversations: Conversations
    audit: Audit
    forgetting: Forgetting
    ledger: Ledger


class ChatHost:
    """The host of one chat service.

    Args:
        name: of its section in the settings.
        adapter: that speaks to it.
        desk: answers what is asked.
        serving: the components in force.
        stores: what is kept.
    """

    def __init__(
        self, name: str, adapter: Adapter, desk: Desk, *, serving: Serving, stores: Stores
    ) -> None:
        self._name = name
        self._adapter = adapter
        self._desk = desk
        self._serving = serving
        self._stores = stores

    @property
    def config(self) -> ChatConfig:
        """The service's settings in force now."""
        return cast("ChatConfig", self._serving.settings.adapters[self._name].config)

    async def accept(self, event: Event) -> bool:
        """Keep an event; durable on return. False for a repetition.

        Raises:
            JournalError: it could not be kept.
        """
        is_new = await self._desk.accept(event)
        if is_new and isinstance(event, Voted):
            self._serving.trials.vote(event.answer_id, is_helpful=event.helpful)
        return is_new

    async def quotes(self, answer_id: str, address: Address) -> Sequence[Quoted]:
        """Return what an answer quotes, read again now, as far as who reads at `address` may."""
        record = await blocking.call(self._stores.journal.find, answer_id)
        if record is None:
            return ()
        async with self._serving.lease() as runtime:
            readers = await audience(self._adapter, self.config, address)
            current = await self._current(record, runtime, readers)
            standing = await self._standing(record, runtime, readers)
        pointers = [one for claim in record.claims if claim.shown for one in claim.citations]
        found = {
            (one.number, one.start, one.end): one
            for one in restored(pointers, current.values(), readers)
        }
        quoted = [_quoted(found[key], current[found[key].passage_id]) for key in sorted(found)]
        lost = _lost(pointers, standing, {one.number for one in quoted})
        return sorted([*quoted, *lost], key=lambda one: one.number)

    async def hand_off(self, answer_id: str, address: Address) -> HandOff | None:
        """Return what is to be told to people who read at `address`; None if nothing is known."""
        record = await blocking.call(self._stores.journal.find, answer_id)
        asked = await blocking.call(self._stores.conversations.question_of, answer_id)
        if record is None or asked is None or asked.is_withdrawn:
            return None
        async with self._serving.lease() as runtime:
            readers = await audience(self._adapter, self.config, address)
            current = await self._current(record, runtime, readers)
            answer = restored_answer(record, current, readers)
            name = record.profile
            profiles = runtime.settings.profiles
            profile = profiles.get(name) or profiles[runtime.settings.default_profile]
            blocks = (await runtime.formatter(profile.formatter)).render(answer)
        reply = await blocking.call(self._stores.outbox.of_answer, answer_id)
        told_before = partial(self._stores.audit.has, _HANDED_OFF, {"answer": answer_id})
        return HandOff(
            asker=asked.asker,
            question=asked.text or "",
            blocks=tuple(blocks),
            venue=asked.asked.venue,
            posted=() if reply is None else reply.posted,
            is_repeated=await blocking.call(told_before),
        )

    async def handed_off(self, answer_id: str, by: str, venue: Venue) -> None:
        """Keep that people were told, because somebody at `venue` wanted it.

        Raises:
            JournalError: it could not be kept.
        """
        actor, detail = asker_name(venue, by), {"answer": answer_id}
        note = partial(self._stores.audit.add_once, _HANDED_OFF, actor=actor, detail=detail)
        await blocking.call(note)

    async def libraries(self, address: Address) -> Sequence[LibraryState]:
        """Return what is indexed, and how fresh it is, as far as who reads at `address` may."""
        readers = await audience(self._adapter, self.config, address)
        settings = self._serving.settings
        note = await blocking.call(last_note, settings.data_dir)
        at = None if note is None else datetime.fromisoformat(note["at"]).timestamp()
        states: list[LibraryState] = []
        async with self._serving.lease() as runtime:
            for name, retriever in runtime.settings.retrievers.items():
                found = [runtime.settings.libraries[one] for one in retriever.libraries]
                shown = [one for one in found if _may_read_some(one, readers)]
                if shown:
                    sizes = await (await runtime.retriever(name)).sizes()
                    states += [_state(one, sizes, at, readers) for one in shown]
        return states

    async def recent(self, venue: Venue, user: str, *, limit: int = 5) -> Sequence[Recent]:
        """Return what somebody asked last in the team of `venue`, newest first."""

        def find() -> Sequence[Recent]:
            team = venue.platform, venue.team
            return self._stores.conversations.recent(*team, user, limit=limit)

        return await blocking.call(find)

    def takes_part(self, venue: Venue) -> bool:
        """Tell whether a question of this thread was taken in before. Blocking, and quick."""
        return self._stores.conversations.takes_part(venue.conversation)

    @staticmethod
    async def _standing(
        record: AnswerRecord, runtime: Runtime, readers: Audience
    ) -> Mapping[PassageRef, Standing]:
        """Return what became of the passages of an answer, as far as `readers` may know."""
        if record.retriever not in runtime.settings.retrievers:
            return {}
        retriever = await runtime.retriever(record.retriever)
        return await standings(record.passages, retriever, readers)

    @staticmethod
    async def _current(
        record: AnswerRecord, runtime: Runtime, readers: Audience
    ) -> dict[str, Passage]:
        """Return the passages of an answer that may still be shown, by id."""
        if record.retriever not in runtime.settings.retrievers:
            return {}
        return await current_passages(record, await runtime.retriever(record.retriever), readers)


def _lost(
    pointers: Sequence[CitationRecord], standing: Mapping[PassageRef, Standing], shown: set[int]
) -> list[Quoted]:
    """Return what is said of marks that nothing can be quoted for any more.

    Of what is there and not for these readers nothing is said.
    """
    said: dict[int, str] = {}
    for one in pointers:
        state = standing.get(PassageRef(one.passage_id, one.content_hash))
        if one.number not in shown and state in _LOST:
            said[one.number] = _LOST[state]
    return [
        Quoted(
            number=number,
            title="",
            uri=None,
            place=Place(),
            before="",
            quote="",
            after="",
            lost=text,
        )
        for number, text in said.items()
    ]


def _quoted(citation: Citation, passage: Passage) -> Quoted:
    start, end = citation.start - passage.start, citation.end - passage.start
    begin, stop = max(start - _AROUND, 0), end + _AROUND
    return Quoted(
        number=citation.number,
        title=citation.title,
        uri=citation.uri,
        place=citation.place,
        before=_from_a_word_on(passage.text, begin, start),
        quote=citation.quote,
        after=_up_to_a_word(passage.text, end, stop),
    )


def _from_a_word_on(text: str, begin: int, end: int) -> str:
    """Return a stretch without the word that it would begin in the middle of."""
    is_whole = begin == 0 or text[begin - 1].isspace() or text[begin : begin + 1].isspace()
    stretch = text[begin:end]
    parts = [stretch] if is_whole else stretch.split(maxsplit=1)[1:]
    # Where there is no other word, a torn one is better than none.
    return parts[0] if parts else stretch


def _up_to_a_word(text: str, begin: int, end: int) -> str:
    """Return a stretch without the word that it would end in the middle of."""
    is_whole = end >= len(text) or text[end].isspace() or text[end - 1].isspace()
    stretch = text[begin:end]
    parts = [stretch] if is_whole else stretch.rsplit(maxsplit=1)[:-1]
    return parts[0] if parts else stretch


def _may_read_some(library: LibrarySettings, readers: Audience) -> bool:
    return any(map(readers.may_read, known_labels(library).values()))


def _state(
    library: LibrarySettings, sizes: Mapping[str, int], at: float | None, readers: Audience
) -> LibraryState:
    name = library.section.name
    own = [size for id_, size in sizes.items() if id_.partition(":")[0] == name]
    is_open = all(map(readers.may_read, known_labels(library).values()))
    return LibraryState(
        name=name,
        documents=len(own) if is_open else None,
        passages=sum(own) if is_open else None,
        synced_at=at,
    )
