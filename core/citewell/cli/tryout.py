"""`citewell try`: a stand-in for a chat service, in the terminal, with a bot that answers there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import click

from citewell.cli.options import examples, where, where_options
from citewell.cli.wording import safe
from citewell.errors import ConfigError, PluginError

if TYPE_CHECKING:
    from citewell.chatting import Rehearsal
    from citewell.cli.options import Where
    from citewell.engine.settings import Settings
    from citewell.specs import AdapterSpec

_PROMPT = "you> "


def _services(_context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """Return what a shell may complete a service to."""
    from citewell.engine.settings import load_registry

    adapters = load_registry(None).adapters
    return [name for name in adapters if adapters[name].rehearsal and name.startswith(begun)]


@click.command(
    "try",
    epilog=examples(
        "citewell try slack --docs handbook/",
        "citewell try discord",
        "citewell try slack < lines.txt",
    ),
)
@click.argument("service", shell_complete=_services)
@where_options
def command(service: str, config: Path | None, docs: Path | None) -> None:
    """Show how a bot answers in SERVICE, without an account and without a token.

    The bot is the one that `citewell run` starts; instead of the service, like slack or discord,
    it talks to a stand-in on this machine, and what people would see there is shown here. Nothing
    is kept; an index that the settings put elsewhere than in data_dir is brought up to date.

    Inside, a line is a question in a channel, and what follows goes into its thread. /press presses
    a button, /ask asks for you alone, /change and /delete change the last question, /help names the
    rest, and /quit, Ctrl-D or Ctrl-C leaves.
    """
    chosen = where(config, docs)
    try:
        asyncio.run(_try(service, chosen))
    except KeyboardInterrupt:
        click.echo()


async def _try(service: str, chosen: Where) -> None:
    from citewell.cli.indexing import bring_up
    from citewell.cli.printing import open_printer
    from citewell.cli.rehearsing import Session
    from citewell.delivery.bot import open_bot
    from citewell.engine.serving import Serving

    settings = chosen.settings()
    spec = _spec(service, settings)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="citewell-")))
        rehearsal = await stack.enter_async_context(_opened(spec))
        kept = _rehearsed(settings, spec, rehearsal, folder)
        serving = Serving(kept, lambda: kept)
        stack.push_async_callback(serving.close)
        async with serving.lease() as runtime:
            await bring_up(runtime)
        bot = await stack.enter_async_context(open_bot(serving))
        working = asyncio.ensure_future(bot.run())
        try:
            await _first(working, rehearsal.until_connected())
            session = Session(rehearsal, bot, open_printer(sys.stdout))
            await _first(working, session.run(_lines(spec.name)))
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


def _lines(service: str) -> AsyncIterator[str]:
    from citewell.cli.lines import piped, typed

    if not sys.stdin.isatty():
        return piped(_PROMPT)
    click.secho(
        f"This stands in for {service}: ask about the documents; /help lists the rest, Ctrl-D "
        "leaves.",
        dim=True,
    )
    return typed(_PROMPT)


async def _first(working: asyncio.Future[None], doing: Any) -> None:
    """Do something while the bot works; what ends the bot ends that too."""
    task = asyncio.ensure_future(doing)
    try:
        await asyncio.wait({working, task}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _spec(service: str, settings: Settings) -> AdapterSpec[Any]:
    from citewell.engine.nearest import did_you_mean

    known = {
        name: spec
        for name, spec in settings.registry.adapters.items()
        if spec.rehearsal is not None
    }
    if service not in known:
        hint = did_you_mean(service, list(known), f"there are: {', '.join(known)}")
        raise ConfigError(f'no chat service "{safe(service)}" can be tried here{hint}')
    return known[service]


def _opened(spec: AdapterSpec[Any]) -> Any:
    if spec.rehearsal is None:
        raise PluginError(f"{spec.name} has no stand-in on this machine")
    return spec.rehearsal()


def _rehearsed(
    settings: Settings, spec: AdapterSpec[Any], rehearsal: Rehearsal, folder: Path
) -> Settings:
    """Return the settings with the stand-in as the one chat service; nothing of it is kept."""
    from msgspec.structs import replace

    from citewell.configs import ChatConfig
    from citewell.engine.sections import Section

    named = [one for one in settings.adapters.values() if one.use == spec.name]
    own = {} if not named else _shared(cast("ChatConfig", named[0].config))
    section = Section(
        name=spec.name,
        use=spec.name,
        spec=spec,
        config=spec.config.model_validate({**own, **rehearsal.settings}),
    )
    return replace(
        settings,
        adapters={spec.name: section},
        data_dir=folder,
        journal=None,
        monitoring=type(settings.monitoring)(),
    )


def _shared(config: Any) -> dict[str, object]:
    """Return which profile answers and who may read what."""
    return {name: getattr(config, name) for name in ("profile", "reads", "follow_up")}
