"""Makes examples of questions, or of votes, and says of what none was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from citewell.engine.runtime import Runtime
from citewell.errors import ConfigError
from citewell.tuning.building.guarding import Guard
from citewell.tuning.building.lessons import Shares, lessons
from citewell.tuning.building.teaching import Declined, Terms, teach
from citewell.tuning.building.voted import Voted
from citewell.tuning.building.voted import examples as examples_of
from citewell.tuning.data.examples import Example, Kind
from citewell.types.evaluation import EvalItem


class Built(Struct, kw_only=True):
    """What came of it.

    Attributes:
        declined: how many questions or answers no example was made of, by the reason.
    """

    examples: list[Example] = field(default_factory=list)
    declined: Counter[str] = field(default_factory=Counter)

    @property
    def teaches(self) -> Counter[str]:
        """How many examples teach what."""
        return Counter(one.teaches for one in self.examples)

    def take(self, example: Example, guard: Guard) -> None:
        """Keep an example, or why it is not kept."""
        reason = guard.reason(example)
        if reason is None:
            self.examples.append(example)
        else:
            self.declined[reason] += 1


class Wish(Struct, frozen=True, kw_only=True):
    """What is wanted.

    Attributes:
        shares: of what examples teach, one of each question; None for all that each can teach.
        seed: of every choice.
    """

    terms: Terms
    shares: Shares | None
    seed: int = 0


async def of_questions(
    runtime: Runtime,
    items: Sequence[EvalItem],
    wish: Wish,
    guard: Guard,
    told: Callable[[int, int], None],
) -> Built:
    """Make an example of each question that has an answer in the documents.

    Args:
        runtime: the components.
        items: drafts among them are left out.
        wish: what is wanted.
        guard: keeps examples out.
        told: given how many are looked at, of how many.

    Raises:
        ConfigError: the profile retrieves nothing.
        CitewellError: the documents cannot be read.
    """
    _need_retriever(runtime, wish.terms)
    built = Built()
    known = await _document_ids(runtime, wish.terms)
    asked = []
    for item in items:
        ids = [id_ for one in item.documents for id_ in known.get(one, (one,))]
        named = replace(item, documents=tuple(ids))
        if item.is_draft:
            built.declined["a draft that nobody accepted"] += 1
        elif not item.quotes and not item.unanswerable:
            built.declined["no quote tells where its answer stands"] += 1
        elif any(map(guard.keeps_out, named.documents)):
            built.declined["the evaluation asks about its document"] += 1
        else:
            asked.append(named)
    every = lessons(asked, wish.shares, wish.seed)
    terms = replace(wish.terms, kept_out=guard.documents)
    for number, lesson in enumerate(every, 1):
        try:
            built.take(await teach(runtime, lesson, terms), guard)
        except Declined as error:
            built.declined[str(error)] += 1
        told(number, len(every))
    return built


async def of_votes(
    runtime: Runtime, found: Sequence[Voted], kind: Kind, terms: Terms, guard: Guard
) -> Built:
    """Make examples of answers that people voted on; see `voted.examples`.

    Raises:
        ConfigError: the profile retrieves nothing.
        CitewellError: the documents cannot be read.
    """
    _need_retriever(runtime, terms)
    built = Built()
    kept = replace(terms, kept_out=guard.documents)
    async for example in examples_of(runtime, found, kind, kept, built.declined):
        built.take(example, guard)
    return built


def _need_retriever(runtime: Runtime, terms: Terms) -> None:
    if runtime.settings.profiles[terms.profile].retriever is None:
        raise ConfigError(
            f'profile "{terms.profile}" has no retriever; expected one, as an example shows how to '
            "answer from passages: name another with --profile"
        )


async def _document_ids(runtime: Runtime, terms: Terms) -> dict[str, list[str]]:
    """Return the ids of documents by their names, with and without their library."""
    name = runtime.settings.profiles[terms.profile].retriever or ""
    ids = await (await runtime.retriever(name)).versions()
    named: dict[str, list[str]] = {}
    for id_ in ids:
        named.setdefault(id_.partition(":")[2], []).append(id_)
    return named | {id_: [id_] for id_ in ids}
