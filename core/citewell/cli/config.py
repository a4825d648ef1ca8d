"""`citewell config`: checks the settings, and prints their schema."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct, field

from citewell.cli.forms import document
from citewell.cli.options import FAILED, Where, config_option, examples
from citewell.cli.wording import safe_line
from citewell.errors import CitewellError, ConfigError
from citewell.redaction import redact

if TYPE_CHECKING:
    from citewell.engine.runtime import Runtime
    from citewell.engine.settings import Settings


class _Findings(Struct):
    """What a check found.

    Attributes:
        problems: what must be mended.
        notes: what may surprise later.
    """

    file: str = ""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@click.group("config")
def command() -> None:
    """Check the settings, or print their schema."""


@command.command("check", epilog=examples("citewell config check", "citewell config check --deep"))
@config_option
@click.option("--deep", is_flag=True, help="Open every component and library as well.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(config: Path | None, deep: bool, as_json: bool) -> int:
    """Check the whole settings file.

    Without --deep no secret, network or model file is needed. The exit code is 1 when there is a
    problem.
    """
    findings = _Findings()
    try:
        settings = Where(config).settings()
    except ConfigError as error:
        findings.problems += error.problems
    else:
        findings.file = str(settings.path)
        findings.notes += notes(settings)
        if deep:
            found = asyncio.run(opening_problems(settings))
            findings.problems += [problem for problems in found.values() for problem in problems]
    _tell(findings, as_json=as_json)
    return FAILED if findings.problems else 0


@command.command("schema", epilog=examples("citewell config schema > citewell.schema.json"))
@config_option
def schema(config: Path | None) -> None:
    """Print the JSON Schema of the settings file, with every plugin that is installed.

    Editors use it to complete and to check settings.
    """
    from citewell.engine.config_schema import config_schema
    from citewell.engine.settings import load_registry

    click.echo(json.dumps(config_schema(load_registry(config)), indent=2, ensure_ascii=False))


def notes(settings: Settings) -> Iterator[str]:
    """Yield what is no mistake in the file, and yet keeps some of it from working."""
    for section, command in missing_extras(settings):
        yield f"{section}: needs an extra; run: {command}"
    yield from _missing_folders(settings)
    yield from settings.missing
    yield from (state.reason for state in settings.registry.plugins if state.reason)


def missing_extras(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each section that lacks an optional package, and the command that installs it."""
    from citewell.engine.extras import missing_extra

    sections = {
        "retriever": {name: one.section for name, one in settings.retrievers.items()},
        "model": settings.models,
        "embedder": settings.embedders,
        "reranker": settings.rerankers,
        "verifier": settings.verifiers,
        "metric": settings.metrics,
        "adapter": settings.adapters,
    }
    for kind, named in sections.items():
        for name, section in named.items():
            command = missing_extra(settings.registry, kind, section.use)
            if command is not None:
                yield f"{kind}.{name}", command
    for name, library in settings.libraries.items():
        command = missing_extra(settings.registry, "source", library.section.use)
        if command is not None:
            yield f"library.{name}", command


def _missing_folders(settings: Settings) -> Iterator[str]:
    from citewell.engine.runtime import watched

    for name in settings.libraries:
        for path in watched(settings, name):
            if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises in a shut folder
                yield f'library.{name}: "{path}" is not a folder, or not yet; sync needs it'


async def opening_problems(settings: Settings) -> dict[str, list[str]]:
    """Open every component that the settings name, and return what went wrong by section."""
    from citewell.engine.runtime import open_runtime

    problems: dict[str, list[str]] = {}
    async with open_runtime(settings) as runtime:
        openings = {
            **{f"library.{name}": _list(name, runtime) for name in settings.libraries},
            **{f"retriever.{name}": _read(name, runtime) for name in settings.retrievers},
            **{f"model.{name}": runtime.model(name) for name in settings.models},
            **{f"embedder.{name}": _embed(name, runtime) for name in settings.embedders},
            **{f"reranker.{name}": _rank(name, runtime) for name in settings.rerankers},
            **{f"verifier.{name}": runtime.verifier(name) for name in settings.verifiers},
            **{f"metric.{name}": runtime.metric(name) for name in settings.metrics},
            **{f"formatter.{name}": runtime.formatter(name) for name in settings.formatters},
            **{f"adapter.{name}": _open(name, settings) for name in settings.adapters},
        }
        for section, opening in openings.items():
            try:
                await opening
            except CitewellError as error:
                problems[section] = str(error).splitlines()
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything
                problems[section] = [f"{section}: {type(error).__name__}: {error}"]
    return problems


async def _list(library: str, runtime: Runtime) -> None:
    """Open a source and ask for its first change: many look at their place only then."""
    changes = (await runtime.source(library)).changes({})
    try:
        await anext(changes, None)
    finally:
        close = getattr(changes, "aclose", None)
        if close is not None:
            await close()


async def _read(name: str, runtime: Runtime) -> None:
    """Open a retriever and read from it: many open their files only then."""
    await (await runtime.retriever(name)).identity()


async def _embed(name: str, runtime: Runtime) -> None:
    """Open an embedder and embed a word: what is behind an API is reached only then."""
    await (await runtime.embedder(name)).embed(["word"], kind="query")


async def _rank(name: str, runtime: Runtime) -> None:
    """Open a reranker and let it score a word."""
    from citewell.types.documents import Passage, Place, Placed
    from citewell.types.questions import Query

    word = Passage(
        id="word",
        document_id="word",
        title="",
        text="word",
        start=0,
        end=len("word"),
        places=(Placed(0, Place()),),
    )
    await (await runtime.reranker(name)).rerank(Query(text="word"), (word,), limit=1)


async def _open(name: str, settings: Settings) -> None:
    """Open an adapter; whether its service takes it shows only when it connects."""
    from citewell.delivery.bot import open_adapter

    if settings.adapters[name].missing:
        raise ConfigError(*settings.adapters[name].missing)
    async with AsyncExitStack() as stack:
        await open_adapter(stack, settings, name)


def _tell(findings: _Findings, *, as_json: bool) -> None:
    if as_json:
        fields = {
            "file": findings.file or None,
            "valid": not findings.problems,
            "problems": [redact(problem) for problem in findings.problems],
            "notes": findings.notes,
        }
        click.echo(document("config", fields))
        return
    for problem in findings.problems:
        click.secho("error: ", fg="red", bold=True, nl=False, err=True)
        click.echo(safe_line(redact(problem)), err=True)
    for note in findings.notes:
        click.echo(f"note: {safe_line(note)}")
    if not findings.problems:
        click.echo(f"{safe_line(findings.file)} is valid")
