"""Examples as they can be trained on: what can be mended is, and what cannot is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from msgspec import Struct, field
from msgspec.structs import replace

from citewell.errors import ConfigError
from citewell.tuning.data.checking import faults
from citewell.tuning.data.controls import CONTROLS
from citewell.tuning.data.examples import Example
from citewell.tuning.data.inspecting import Limits
from citewell.tuning.data.likeness import Likenesses
from citewell.tuning.data.loading import Loaded
from citewell.tuning.data.problems import Concern


class Dropped(Struct, frozen=True):
    """An example that is left out."""

    line: int
    concern: Concern
    said: str


class Cleaned(Struct, kw_only=True):
    """What came of it.

    Attributes:
        mended: how many examples say something else than in the file: without control characters,
            and without blanks around their texts.
        dropped: in the order of the file.
    """

    examples: list[Example] = field(default_factory=list)
    mended: int = 0
    dropped: list[Dropped] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[Concern]:
        """How many were dropped, by what they were dropped for."""
        return Counter(one.concern for one in self.dropped)


def clean(
    loaded: Loaded,
    limits: Limits,
    *,
    keeps_personal: bool = True,
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> Cleaned:
    """Return the examples of a file, mended, each once, none with a secret, none too long.

    Args:
        loaded: what was read; its problems are about rows that are left out.
        limits: what is looked for.
        keeps_personal: whether personal data may stay.
        told: given how many are done, of how many.

    Raises:
        ConfigError: the file could not be read to its end.
    """
    if loaded.broken_off is not None:
        raise ConfigError(loaded.broken_off.text)
    cleaned = Cleaned()
    mendable = {id(one) for one in loaded.mendable}
    every = sorted([*loaded.examples, *loaded.mendable], key=lambda one: one.line)
    known = Likenesses(is_near=limits.is_near)
    for number, example in enumerate(every, 1):
        mended = _mended(example)
        reason = _reason(mended, known, limits, keeps_personal=keeps_personal)
        if reason is not None:
            cleaned.dropped.append(Dropped(example.line, *reason))
        else:
            known.add(mended)
            cleaned.examples.append(mended)
            cleaned.mended += id(example) in mendable or mended != example
        told(number, len(every))
    there = {one.line for one in every}
    broken = {one.line: one for one in reversed(loaded.errors) if one.line not in there}
    cleaned.dropped += [
        Dropped(line, one.concern, f"{one.field} {one.said}".lstrip())
        for line, one in broken.items()
    ]
    cleaned.dropped.sort(key=lambda one: one.line)
    return cleaned


def _mended(example: Example) -> Example:
    return replace(
        example,
        messages=tuple(replace(one, content=_bare(one.content)) for one in example.messages),
        text=_bare(example.text),
        chosen=_bare(example.chosen),
        rejected=_bare(example.rejected),
        answer=_bare(example.answer),
    )


def _bare(text: str) -> str:
    return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _reason(
    example: Example, known: Likenesses, limits: Limits, *, keeps_personal: bool
) -> tuple[Concern, str] | None:
    """Return why an example is left out; None where it stays."""
    for place, concern, said, *_ in faults(example):
        return concern, f"{place} {said}"
    if limits.context is not None and (count := limits.count(example)) > limits.context:
        return Concern.LENGTH, f"has {count:,} tokens"
    twin = known.find(example)
    if twin is not None:
        how = "says" if twin.is_exact else "nearly says"
        concern = Concern.DUPLICATE if twin.is_exact else Concern.NEAR_DUPLICATE
        return concern, f"{how} what line {twin.of.line} says"
    if limits.private is not None:
        for text in (*example.documents, example.origin, *example.texts):
            for kind in limits.private.secrets(text):
                return Concern.SECRET, f"holds a secret ({kind})"
            if not keeps_personal:
                for kind in limits.private.personal(text):
                    return Concern.PERSONAL, f"holds personal data ({kind})"
    return None
