"""`citewell doctor`: looks for what could keep Citewell from working."""

from __future__ import annotations

import asyncio
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct, to_builtins

from citewell.cli.forms import document
from citewell.cli.options import FAILED, Where, examples, where, where_options
from citewell.cli.wording import safe_line
from citewell.errors import CitewellError, ConfigError, StoreError

if TYPE_CHECKING:
    from citewell.engine.registry import Registry
    from citewell.engine.runtime import Runtime
    from citewell.engine.settings import Settings
    from citewell.specs import HealthCheck

_FREE_MB = 500
_TIMEOUT_S = 20.0


class Finding(Struct, frozen=True):
    """What one check found.

    Attributes:
        problem: what is wrong and the fix, or None when all is well.
        detail: what was seen, when all is well.
    """

    check: str
    problem: str | None = None
    detail: str = ""


@click.command("doctor", epilog=examples("citewell doctor", "citewell doctor --docs handbook/"))
@where_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(config: Path | None, docs: Path | None, as_json: bool) -> int:
    """Look for what could keep Citewell from working, and say how to mend it.

    Needs no network. The exit code is 1 when something is wrong.
    """
    findings = list(_findings(where(config, docs)))
    if as_json:
        click.echo(document("doctor", {"findings": to_builtins(findings)}))
    else:
        for finding in findings:
            _tell(finding)
    return FAILED if any(finding.problem for finding in findings) else 0


def _tell(finding: Finding) -> None:
    is_well = finding.problem is None
    click.secho("ok    " if is_well else "wrong ", fg="green" if is_well else "red", nl=False)
    click.echo(safe_line(f"{finding.check}: {finding.problem or finding.detail}"))


def _findings(chosen: Where) -> Iterator[Finding]:
    from importlib.metadata import version

    from citewell.engine.settings import load_registry

    yield Finding("citewell", detail=f"{version('citewell')}, Python {platform.python_version()}")
    settings, found = _settings(chosen)
    yield from found
    registry = load_registry(None) if settings is None else settings.registry
    yield from _plugins(registry)
    if settings is not None:
        yield from _secrets(settings)
        data_dir = _data_dir(settings.data_dir)
        yield data_dir
        if data_dir.problem is None:
            yield _disk(settings.data_dir)
            yield from _journal(settings)
            yield from asyncio.run(_components(settings))
    yield from asyncio.run(_health(registry.health_checks))


def _settings(chosen: Where) -> tuple[Settings | None, list[Finding]]:
    """Return the settings if there are any and they are right, and what was found."""
    from citewell.engine.settings import find_config

    if chosen == Where() and find_config(Path.cwd()) is None:
        detail = "no citewell.toml here; `citewell ask --docs FOLDER` needs none"
        return None, [Finding("settings", detail=detail)]
    try:
        settings = chosen.settings()
    except ConfigError as error:
        return None, [Finding("settings", problem) for problem in error.problems]
    detail = str(settings.path or f"defaults for {chosen.docs}")
    return settings, [Finding("settings", detail=detail)]


def _plugins(registry: Registry) -> Iterator[Finding]:
    for plugin in registry.plugins:
        if plugin.state == "off":
            yield Finding("plugins", detail=plugin.reason)
        elif plugin.reason:
            yield Finding("plugins", plugin.reason)
        for use in plugin.deprecated:
            yield Finding("plugins", detail=f"{plugin} {use}")
    on = [plugin.name for plugin in registry.plugins if plugin.state == "on"]
    yield Finding("plugins", detail=f"{len(on)} on: {', '.join(on)}")


def _secrets(settings: Settings) -> Iterator[Finding]:
    for line in settings.missing:
        yield Finding("secrets", line)


def _data_dir(path: Path) -> Finding:
    from citewell.engine.folders import check_folder

    try:
        check_folder(path)
    except ConfigError as error:
        return Finding("data folder", str(error))
    return Finding("data folder", detail=str(path))


def _disk(path: Path) -> Finding:
    free_mb = shutil.disk_usage(path).free // 1_000_000
    if free_mb < _FREE_MB:
        return Finding("disk", f"{free_mb:,} MB free below {path}; make room or move data_dir")
    return Finding("disk", detail=f"{free_mb:,} MB free")


def _journal(settings: Settings) -> Iterator[Finding]:
    from citewell.cli.assisting import spool
    from citewell.journal.journal import Journal, journal_url

    try:
        url = journal_url(settings.journal_url, settings.data_dir)
        with Journal.open(url, spool(settings)) as journal:
            journal.recent(1)
    except CitewellError as error:
        yield Finding("journal", str(error))
    else:
        yield Finding("journal", detail="opens")
        yield from _audit(settings)
        yield from _inbox(settings)
    for path in spool(settings).set_aside():
        problem = (
            f"{path} holds no record of an answer; report it if citewell made it, or delete it"
        )
        yield Finding("records", problem)


def _inbox(settings: Settings) -> Iterator[Finding]:
    """Look for questions of chats that cannot be read."""
    from citewell.journal.database import open_engine
    from citewell.journal.inbox import Inbox, State
    from citewell.journal.journal import journal_url

    engine = open_engine(journal_url(settings.journal_url, settings.data_dir))
    try:
        depths = Inbox(engine).depths()
    finally:
        engine.dispose()
    broken = depths.rows[State.BROKEN]
    if broken:
        problem = f"{broken} of the questions cannot be read, and get no answer; report it"
        yield Finding("inbox", problem)
    else:
        waiting = depths.rows[State.WAITING] + depths.rows[State.LEASED]
        yield Finding("inbox", detail=f"{waiting} questions wait or are being answered")


def _audit(settings: Settings) -> Iterator[Finding]:
    """Check that nothing was changed or taken out of what tells who did what."""
    from citewell.journal.audit import Audit
    from citewell.journal.database import open_engine
    from citewell.journal.journal import journal_url

    engine = open_engine(journal_url(settings.journal_url, settings.data_dir))
    try:
        problem = Audit(engine).problem()
    finally:
        engine.dispose()
    detail = "" if problem else "whole"
    yield Finding("audit", problem and f"{problem}; compare with a backup", detail)


async def _components(settings: Settings) -> list[Finding]:
    """Open every component that the settings name."""
    from citewell.cli.config import missing_extras, opening_problems
    from citewell.engine.extras import missing_extra
    from citewell.engine.runtime import open_runtime

    extras = dict(missing_extras(settings))
    findings = [
        Finding("extras", f"{section} needs an extra; run: {command}")
        for section, command in extras.items()
    ]
    # What lacks an extra or a secret is told already.
    findings += _models(settings)
    findings += [
        Finding("components", problem)
        for section, problems in (await opening_problems(settings)).items()
        for problem in problems
        if section not in extras and problem not in settings.missing
    ]
    for name in settings.loaders:
        command = missing_extra(settings.registry, "loader", settings.loaders[name].use)
        if command is not None:
            detail = f"{name} files are left out; to read them, run: {command}"
            findings.append(Finding("loaders", detail=detail))
    if any(finding.problem for finding in findings):
        return findings
    async with open_runtime(settings) as runtime:
        for name in settings.embedders:
            # A question would not wait for one that takes long to load.
            await runtime.embedder(name)
        indexes = [await _index(name, runtime) for name in settings.retrievers]
    return [*indexes, *findings]


def _models(settings: Settings) -> Iterator[Finding]:
    """Tell which models were proven equal to what was trained."""
    from citewell.engine.provenance import provenance

    for name, section in settings.models.items():
        if said := provenance(section):
            yield Finding("models", detail=f"{name}: {said}")


async def _index(name: str, runtime: Runtime) -> Finding:
    from citewell.noticing import listening
    from citewell.redaction import redact
    from citewell.types.questions import EVERYONE, Audience, Query

    try:
        retriever = await runtime.retriever(name)
        is_filled = runtime.settings.retrievers[name].is_filled
        count = 0 if is_filled else len(await retriever.versions())
        # A damaged index shows only when it is searched, and so does one of another embedder.
        with listening() as notices:
            await retriever.retrieve(Query(text=name), limit=1, readable_by=Audience.of(EVERYONE))
    except StoreError as error:
        return Finding("index", f"{name}: {error}")
    if notices:
        return Finding("index", f"{name}: {redact('; '.join(one.whole for one in notices))}")
    if is_filled:
        return Finding("index", detail=f"{name}: can be read; somebody else fills it")
    hint = "" if count else "; run: citewell sync"
    return Finding("index", detail=f"{name}: {count:,} documents{hint}")


async def _health(checks: tuple[HealthCheck, ...]) -> list[Finding]:
    """Run the checks of plugins; one that fails or takes too long is itself a finding."""
    findings = []
    for check in checks:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                problem = await check.run()
        except TimeoutError:
            problem = f"took longer than {_TIMEOUT_S:g} s"
        except Exception as error:  # noqa: BLE001 - a plugin's check may raise anything
            problem = f"the check failed: {type(error).__name__}: {error}"
        findings.append(Finding(check.name, problem, check.summary))
    return findings
