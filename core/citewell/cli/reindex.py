"""`citewell reindex`: vectors of an embedder, made beside those in use, then used."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import to_builtins

from citewell.cli.fit import placed_questions, tell_unknown
from citewell.cli.forms import document
from citewell.cli.options import FAILED, config_option, examples
from citewell.cli.use import settings_document, settings_file
from citewell.cli.wording import safe_line
from citewell.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from citewell.cli.page import Row
    from citewell.engine.settings import Settings
    from citewell.evaluation.searching import Compared
    from citewell.protocols import HybridRetriever
    from citewell.types.evaluation import EvalItem


_SEED = 0
"""Of the interval: the same answers give the same figures."""


@click.command(
    "reindex",
    epilog=examples(
        "citewell reindex main",
        "citewell reindex main --embedder better --questions questions.jsonl",
    ),
)
@click.argument("retriever")
@click.option(
    "-e", "--embedder", metavar="NAME", help="Use this embedder; the settings are changed at last."
)
@click.option(
    "-q",
    "--questions",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Compare old and new on these; see: citewell fit --help",
)
@click.option("--force", is_flag=True, help="Change the settings also when it finds worse.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@config_option
def command(
    retriever: str,
    embedder: str | None,
    questions: Path | None,
    force: bool,
    as_json: bool,
    config: Path | None,
) -> int:
    """Embed what RETRIEVER holds, as far as it has no vectors of the embedder yet.

    Questions are answered meanwhile, with the vectors of the embedder that the settings name, or
    by words alone. What was embedded stays when the command is interrupted; run it again to go on.

    With --embedder the settings name the new embedder once its vectors are complete, and running
    processes follow. With --questions both are compared before; when the new one finds worse, and
    not by chance, the settings stay as they are and the exit code is 1.
    """
    path = settings_file(config)
    renamed = _renamed(path, retriever, embedder) if embedder else None
    compared = asyncio.run(_reindex(path, retriever, renamed, questions, force=force))
    _tell(retriever, compared, as_json=as_json)
    if compared is not None and compared.is_worse and not force:
        click.echo(
            "the new embedder finds worse; the settings stay (to change them: --force)", err=True
        )
        return FAILED
    if embedder:
        from citewell.engine.settings import save_settings

        # Embedding takes its time: what was written to the file meanwhile stays.
        save_settings(path, _renamed(path, retriever, embedder))
        if not as_json:
            click.echo(f"{safe_line(str(path))}: retriever.{retriever}.embedder is {embedder}")
    return 0


def _renamed(path: Path, retriever: str, embedder: str) -> str:
    """Return the text of the settings with another embedder for the retriever."""
    settings: Any = settings_document(path)
    if retriever not in settings.get("retriever", {}):
        raise ConfigError(f"there is no [retriever.{retriever}] in the settings")
    settings["retriever"][retriever]["embedder"] = embedder
    text: str = settings.as_string()
    return text


async def _reindex(
    path: Path, name: str, renamed: str | None, file: Path | None, *, force: bool
) -> Compared | None:
    """Embed, and compare on the questions in `file` if there is one.

    Raises:
        StoreError: the new vectors cannot be searched, so there is nothing to compare.
    """
    from citewell.cli.progress import counting_bar
    from citewell.engine.settings import load_settings, settings_of
    from citewell.evaluation.searching import answered, compared
    from citewell.types.questions import Audience

    old = load_settings(path)
    new = old if renamed is None else settings_of(path, renamed)
    questions = _questions(file)
    async with AsyncExitStack() as stack:
        after = await _opened(stack, new, name)
        before = after if renamed is None else await _opened(stack, old, name)
        audience = Audience.of(*sorted(old.reads))
        if file is not None:
            await tell_unknown(file, questions, after)
        # Before anything is embedded: the embedder may be the same one.
        first = await answered(before, questions, audience)
        for notice in first.notices:
            click.echo(f"note: before, questions are {safe_line(notice)}", err=True)
        with counting_bar(sys.stderr, "Embedding", "passages") as told:
            await after.reindex(told)
        if not questions:
            return None
        second = await answered(after, questions, audience)
        if second.notices:
            raise StoreError(f"nothing can be compared, questions are {second.notices[0]}")
        found = compared(questions, first.found, second.found, seed=_SEED)
        if found.is_worse and not force and not first.notices and before is not after:
            # Vectors that were tried in vain must not push out those that stay in use.
            with counting_bar(sys.stderr, "Embedding", "passages") as told:
                await before.reindex(told)
        return found


async def _opened(stack: AsyncExitStack, settings: Settings, name: str) -> HybridRetriever:
    from citewell.engine.runtime import open_runtime
    from citewell.protocols import HybridRetriever

    runtime = await stack.enter_async_context(open_runtime(settings))
    retriever = await runtime.retriever(name)
    if not isinstance(retriever, HybridRetriever):
        raise ConfigError(f'retriever "{name}" has no vectors; there is nothing to embed')
    return retriever


def _questions(file: Path | None) -> Sequence[EvalItem]:
    if file is None:
        return ()
    from citewell.evaluation.ranking import need_statistics

    need_statistics("citewell reindex --questions")
    return placed_questions(file)


def _tell(name: str, compared: Compared | None, *, as_json: bool) -> None:
    if as_json:
        fields = {"retriever": name, "compared": to_builtins(compared)}
        click.echo(document("reindex", fields))
        return
    from citewell.cli.printing import open_printer

    open_printer(sys.stdout).write(_page(name, compared))


def _page(name: str, compared: Compared | None) -> Iterator[Row]:
    from citewell.cli.page import Line, Piece

    yield Line((Piece(f"retriever {name}: every passage has its vector"),))
    if compared is not None:
        by = compared.difference
        yield Line((
            Piece(
                f"nDCG@10 on {compared.questions} questions: {compared.before:.3f} before, "
                f"{compared.after:.3f} now ({by.mean:+.3f}, 95% interval {by.low:+.3f} to "
                f"{by.high:+.3f})"
            ),
        ))
