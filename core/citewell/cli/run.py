"""`citewell run`: answers in every chat service of the settings."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.allocating import share_one_arena
from citewell.cli.options import Where, config_option, examples
from citewell.cli.wording import safe_line
from citewell.errors import AdapterError, CitewellError, ConfigError, PluginError, StoreError

if TYPE_CHECKING:
    from citewell.delivery.bot import Bot
    from citewell.delivery.monitoring import Pulse
    from citewell.engine.runtime import Runtime
    from citewell.engine.serving import Serving
    from citewell.engine.settings import Settings
    from citewell.evaluation.gatekeeping import Gatekeeper
    from citewell.library.plans import SyncReport

log = logging.getLogger(__name__)

_BEAT_S = 1.0
_RETRY_S = 5.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@click.command(
    "run",
    epilog=examples("citewell run", "citewell run --config support.toml", "citewell run --no-sync"),
)
@config_option
@click.option("--no-sync", is_flag=True, help="Leave the index to another process.")
@click.option("-v", "--verbose", is_flag=True, help="Tell also what goes well.")
def command(config: Path | None, no_sync: bool, verbose: bool) -> None:
    """Answer in every chat service that the settings name, until stopped.

    The index is kept up to date meanwhile, and a changed settings file is taken over without a
    restart. Ctrl-C or SIGTERM lets running answers end first; what has not begun is answered after
    the next start. The exit code is 2 for what another start does not mend: settings that are
    wrong, an extra that is not installed, a token or a permission that a service refuses.
    """
    if verbose:
        logging.getLogger("citewell").setLevel(logging.INFO)
    share_one_arena()
    try:
        asyncio.run(_run(Where(config).settings(), syncs=not no_sync))
    except (ConfigError, PluginError) as error:
        raise AdapterError(str(error)) from error


async def _run(settings: Settings, *, syncs: bool) -> None:
    from citewell.delivery.bot import open_bot
    from citewell.delivery.monitoring import Pulse, measured

    pulse = Pulse()
    with ExitStack() as stack:
        recording, watched = measured(settings.monitoring, pulse)
        async with _serving(settings) as serving, open_bot(serving, recording=recording) as bot:
            place = stack.enter_context(watched(bot.status))
            if place:
                click.echo(f"monitoring: {place}")
            click.echo(f"answering in {', '.join(map(safe_line, settings.adapters))}; Ctrl-C stops")
            await _work(bot, serving, pulse, syncs=syncs)
    click.echo("stopped")


@asynccontextmanager
async def _serving(settings: Settings) -> AsyncIterator[Serving]:
    from citewell.engine.serving import Serving
    from citewell.engine.settings import load_settings

    def load() -> Settings:
        return settings if settings.path is None else load_settings(settings.path)

    serving = Serving(settings, load, gate=_refusals)
    try:
        yield serving
    finally:
        await serving.close()


async def _refusals(new: Runtime, present: Settings) -> Sequence[str]:
    """Ask the gate, where there is one."""
    if new.settings.gate is None:
        return ()
    return await _gatekeeper().refusals(new, present)


@cache
def _gatekeeper() -> Gatekeeper:
    from citewell.evaluation.gatekeeping import Gatekeeper

    return Gatekeeper()


async def _work(bot: Bot, serving: Serving, pulse: Pulse, *, syncs: bool) -> None:
    """Work until a signal says to stop; then let what runs come to its end."""
    stopped = asyncio.Event()
    tasks = [bot.run(), serving.watch(), _beat(pulse), stopped.wait()]
    if syncs:
        tasks.append(_keep_synced(serving))
    working = [asyncio.ensure_future(task) for task in tasks]
    try:
        with _signalling(stopped):
            done, _ = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        click.echo("stopping; running answers may end first, Ctrl-C ends them", err=True)
        await bot.drain()
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


@contextmanager
def _signalling(stopped: asyncio.Event) -> Iterator[None]:
    """Let a signal set the event; afterwards signals interrupt, as they usually do."""
    loop = asyncio.get_running_loop()
    # Not `add_signal_handler`, which Windows lacks.
    before = {
        one: signal.signal(one, lambda *_: loop.call_soon_threadsafe(stopped.set))
        for one in _SIGNALS
    }
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


async def _beat(pulse: Pulse) -> None:
    while True:
        pulse.beat()
        await asyncio.sleep(_BEAT_S)


async def _keep_synced(serving: Serving) -> None:
    """Sync whenever documents or settings change; wait while another process does it."""
    said = ""
    while True:
        syncing = asyncio.ensure_future(_sync(serving))
        generation = serving.settings.generation
        try:
            while not syncing.done() and serving.settings.generation == generation:
                await asyncio.wait({syncing}, timeout=_BEAT_S)
            if syncing.done():
                syncing.result()
        except CitewellError as error:
            if str(error) != said:
                said = str(error)
                log.warning("the index is not kept up to date: %s", said)
            await asyncio.sleep(_RETRY_S)
        finally:
            syncing.cancel()
            await asyncio.gather(syncing, return_exceptions=True)


async def _sync(serving: Serving) -> None:
    """Keep the index of the settings in force up to date, until cancelled."""
    from citewell.cli.indexing import indexes
    from citewell.engine.runtime import watched
    from citewell.library.notes import note
    from citewell.library.syncing import Synchronizer
    from citewell.library.watching import watch

    def told(news: SyncReport | StoreError) -> None:
        if isinstance(news, StoreError):
            log.warning("the index is not kept up to date: %s", news)
            return
        note(news, settings.data_dir, libraries=settings.libraries)
        counts = news.added, news.updated, news.removed
        log.info(
            "synced: %d added, %d updated, %d removed (%s)", *counts, ", ".join(news.libraries)
        )
        for library, reason in news.errors.items():
            log.warning("library %s: %s", library, reason)

    async with serving.lease() as runtime:
        settings = runtime.settings
        if not settings.retrievers:
            await asyncio.Event().wait()
        to_sync = await indexes(runtime)
        async with Synchronizer(
            to_sync, data_dir=settings.data_dir, base_dir=settings.base_dir
        ) as synchronizer:
            folders = {name: watched(settings, name) for name in settings.libraries}
            await watch(synchronizer, folders, ignored=settings.data_dir, told=told)
