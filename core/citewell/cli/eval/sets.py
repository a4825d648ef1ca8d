"""What `citewell eval init` makes questions from."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct, field

from citewell.cli.eval.journals import from_journal
from citewell.cli.wording import counted
from citewell.errors import ConfigError
from citewell.types.evaluation import EvalItem

if TYPE_CHECKING:
    from citewell.cli.eval.init import Chosen
    from citewell.engine.runtime import Runtime
    from citewell.engine.settings import Settings
    from citewell.evaluation.making.elsewhere import Elsewhere
    from citewell.evaluation.making.material import Reading, Wish
    from citewell.protocols import Retriever
    from citewell.types.questions import Audience


class Made(Struct, kw_only=True):
    """A set of questions, and what came of making it.

    Attributes:
        dropped: how many were not kept, by the reason.
        held_out: how many documents are left out.
        cost: of the model, in the currency of its prices; None when it is not known, or none.
    """

    items: list[EvalItem] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    held_out: int = 0
    cost: float | None = None


async def made(chosen: Chosen) -> Made:
    """Return the questions that the command line asks for.

    Raises:
        CitewellError: they cannot be made.
    """
    from citewell.evaluation.questions import load_questions
    from citewell.evaluation.slices import sliced

    if chosen.from_file is not None:
        return Made(items=[*map(sliced, load_questions(chosen.from_file))])
    settings = chosen.where.settings()
    if chosen.from_journal:
        return Made(items=from_journal(settings, chosen.number))
    if chosen.model is not None:
        _check_model(settings, chosen.model)
    from citewell.cli.assisting import open_named

    async with open_named(chosen.where, settings) as runtime:
        return await _of_documents(chosen, runtime)


def merged(items: Sequence[EvalItem], file: Path) -> list[EvalItem]:
    """Return what `file` holds, and behind it what of `items` it lacks.

    Raises:
        ConfigError: the file is wrong, or the two leave out different documents.
    """
    from citewell.evaluation.questions import left_without, load_questions

    before = load_questions(file) if file.exists() else []
    known = {item.id for item in before}
    every = [*before, *(item for item in items if item.id not in known)]
    if spoiled := left_without(every):
        raise ConfigError(
            f"{file}: {counted(len(spoiled), 'question')} would be about documents that others "
            "leave out; expected one way to leave out: use the same --seed, --hold-out-docs and "
            "documents, or another file"
        )
    return every


def _check_model(settings: Settings, name: str) -> None:
    from citewell.engine.nearest import did_you_mean

    if name not in settings.models:
        hint = did_you_mean(name, settings.models, f"there are: {', '.join(settings.models)}")
        raise ConfigError(f"[model.{name}] is not in the settings{hint}")


async def documents_read(retriever: Retriever, audience: Audience, wish: Wish) -> Reading:
    """Return what questions are made from, with progress on standard error.

    Raises:
        ConfigError: nothing is indexed that this reader may read.
    """
    from citewell.cli.progress import counting_bar
    from citewell.evaluation.making.material import read

    with counting_bar(sys.stderr, "Reading", "documents") as told:
        reading = await read(retriever, audience, wish, told)
    if not reading.documents:
        raise ConfigError(
            "nothing is indexed that this reader may read; run: citewell sync, or name other "
            "labels with --as"
        )
    return reading


async def _of_documents(chosen: Chosen, runtime: Runtime) -> Made:
    from citewell.cli.assisting import reader
    from citewell.evaluation.making.drawing import draw
    from citewell.evaluation.making.elsewhere import Elsewhere
    from citewell.evaluation.making.material import Wish

    settings = runtime.settings
    audience = reader(chosen.labels, settings)
    retriever = await _retriever(chosen, runtime)
    wish = Wish(
        number=chosen.number,
        held_out=chosen.held_out,
        seed=chosen.seed,
        with_gaps=chosen.gaps,
        several=chosen.several,
        in_form=chosen.in_form,
    )
    reading = await documents_read(retriever, audience, wish)
    if chosen.held_out and not reading.held_out:
        click.echo("note: there is one document; none is left out", err=True)
    elsewhere = Elsewhere(retriever, audience, reading.held_out)
    if chosen.model is not None:
        return await _drafted(chosen, runtime, reading, elsewhere)
    drawn = await draw(reading, elsewhere, wish)
    made = Made(items=drawn.items, held_out=len(reading.held_out))
    made.dropped["another document may answer it"] += drawn.elsewhere
    return made


async def _retriever(chosen: Chosen, runtime: Runtime) -> Retriever:
    from citewell.cli.assisting import named_profile

    settings = runtime.settings
    profile = named_profile(chosen.profile, settings)
    name = settings.profiles[profile].retriever or next(iter(settings.retrievers), None)
    if name is None:
        raise ConfigError(
            "the settings have no [retriever.NAME]; expected one that holds documents"
        )
    return await runtime.retriever(name)


async def _drafted(
    chosen: Chosen, runtime: Runtime, reading: Reading, elsewhere: Elsewhere
) -> Made:
    from citewell.cli.progress import counting_bar
    from citewell.evaluation.making.drafting import Author, drafts

    name = chosen.model or ""
    author = Author(
        model=await runtime.model(name),
        elsewhere=elsewhere,
        held_back=frozenset() if runtime.is_local(name) else runtime.settings.local_only,
        seed=chosen.seed,
    )
    with counting_bar(sys.stderr, "Drafting", "questions") as told:
        drafted = await drafts(author, reading, chosen.number, told)
    return Made(
        items=drafted.items,
        dropped=drafted.dropped,
        held_out=len(reading.held_out),
        cost=drafted.cost,
    )
