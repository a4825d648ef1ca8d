"""Outputs of a form that a profile demands: one of some choices, or JSON after a schema."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, NoReturn

from citewell.engine.citing.sanitizing import clean, links_in
from citewell.engine.citing.segmenting import MAX_CODE_CHARS, PieceKind, Segmenter
from citewell.engine.schemas import value_problem
from citewell.engine.tables import Profile
from citewell.errors import PromptRefused
from citewell.types.questions import Choices, Constraint, OutputSchema

_SHOWN_CHARS = 200


def constraint(profile: Profile) -> Choices | OutputSchema | None:
    """Return the form that the profile demands, if it demands one."""
    if profile.choices:
        return Choices(tuple(profile.choices))
    if profile.output_schema is not None:
        return OutputSchema(profile.output_schema)
    return None


async def delivered(
    deltas: AsyncIterator[str], wanted: Constraint | None
) -> AsyncGenerator[str, None]:
    """Yield the text of an output; where a form is demanded, all at once and only if it has it.

    Raises:
        PromptRefused: the output has another form.
    """
    if not isinstance(wanted, Choices | OutputSchema):
        async for delta in deltas:
            yield delta
        return
    text = "".join([delta async for delta in deltas]).strip()
    yield checked(text, wanted)


def checked(text: str, wanted: Choices | OutputSchema) -> str:
    """Return how an output is shown: a choice as it is, JSON as a block of code.

    Raises:
        PromptRefused: the output has another form than the wanted one.
    """
    if isinstance(wanted, Choices):
        if text not in wanted.choices:
            raise PromptRefused(
                f"it wrote {_shown(text)}; expected one of: {', '.join(wanted.choices)}"
            )
        return text
    try:
        value: Any = json.loads(text, strict=False, parse_constant=_no_json)
    except (ValueError, RecursionError) as error:
        raise PromptRefused(f"it wrote {_shown(text)}, which is no JSON: {error}") from error
    problem = value_problem(value, wanted.schema)
    if problem is not None:
        raise PromptRefused(f"its output breaks output_schema {problem}")
    fence = "`" * max(3, _longest_run(text, "`") + 1)
    shown = f"{fence}json\n{json.dumps(value, ensure_ascii=False, indent=2)}\n{fence}\n"
    if len(shown) > MAX_CODE_CHARS:
        raise PromptRefused(
            f"its output has {len(shown):,} characters, and {MAX_CODE_CHARS:,} can be shown; bound "
            "the lengths in output_schema"
        )
    return shown


def is_shown_as_it_is(text: str) -> bool:
    """Tell whether an output that is just `text` is shown character for character."""
    segmenter = Segmenter("en")
    pieces = [*segmenter.feed(text), *segmenter.finish()]
    if any(piece.kind is not PieceKind.SENTENCE or piece.lead.strip() for piece in pieces):
        return False
    shown = "".join(piece.lead + clean(piece.raw).text for piece in pieces)
    return shown == text and not links_in(text)


def _no_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _longest_run(text: str, character: str) -> int:
    longest = current = 0
    for one in text:
        current = current + 1 if one == character else 0
        longest = max(longest, current)
    return longest


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _SHOWN_CHARS else f"{line[:_SHOWN_CHARS]}...")
