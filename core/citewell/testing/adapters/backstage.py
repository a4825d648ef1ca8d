"""The bot behind a stage: the library, the settings, and the process that can be killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from msgspec.structs import replace

from citewell.configs import ChannelConfig
from citewell.delivery.bot import Bot, open_bot
from citewell.delivery.host import ChatHost
from citewell.engine.folders import make_folder
from citewell.engine.memberships import with_memberships
from citewell.engine.sections import Section, Settings
from citewell.engine.serving import Serving
from citewell.engine.settings import load_settings
from citewell.journal.audit import Audit
from citewell.journal.database import open_engine
from citewell.journal.feedback import Feedback
from citewell.journal.forgetting import Forgetting
from citewell.journal.inbox import Inbox
from citewell.journal.journal import Journal, journal_url
from citewell.specs import AdapterSpec
from citewell.testing.adapters.hearing import Overheard
from citewell.testing.adapters.library import GROUP, write_library
from citewell.testing.syncing import sync_libraries
from citewell.types.chat import Event


class Backstage:
    """A bot in one chat service, on a small library; not at work before `start`.

    Args:
        spec: of the adapter.
        connection: settings that lead it to the stand-in.
        folder: for everything that it keeps.
        library: writes documents and settings into a folder, and returns the settings file.
    """

    def __init__(
        self,
        spec: AdapterSpec[Any],
        connection: Mapping[str, object],
        folder: Path,
        *,
        library: Callable[[Path], Path] = write_library,
    ) -> None:
        self.name = spec.name
        self._spec = spec
        self._connection = connection
        self._channels: dict[str, ChannelConfig] = {}
        self._shared: dict[str, object] = {}
        self.path = library(folder.resolve())
        self._base = load_settings(self.path)
        make_folder(self._base.data_dir)
        self._changes = 0
        self._serving: Serving | None = None
        self._life: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._bot: Bot | None = None
        self._host: Overheard | None = None
        self.heard: list[Event] = []
        self.engine: sa.Engine = open_engine(
            journal_url(self._base.journal_url, self._base.data_dir)
        )
        self.journal = Journal(self.engine)
        self.inbox = Inbox(self.engine)
        self.feedback = Feedback(self.engine)
        self.audit = Audit(self.engine)
        self.forgetting = Forgetting(self.engine)

    async def prepare(self) -> None:
        """Sync the library."""
        settings = self._settings()
        serving = Serving(settings, lambda: settings)
        try:
            async with serving.lease() as runtime:
                await sync_libraries(runtime)
        finally:
            await serving.close()

    async def close(self) -> None:
        """End everything."""
        await self.stop()
        self.engine.dispose()

    # --- settings -------------------------------------------------------------------------

    async def configure(
        self, *, channels: Mapping[str, ChannelConfig] | None = None, **shared: object
    ) -> None:
        """Let this hold in channels, or in the whole service, from now on."""
        self._channels.update(channels or {})
        self._shared.update(shared)
        self._changes += 1
        if self._serving is not None:
            change = await self._serving.reload()
            assert change.applied, f"the settings were refused: {change.reason}"

    async def reread(self) -> None:
        """Sync the library, and let the settings file hold as it is now."""
        self._base = load_settings(self.path)
        await self.prepare()
        await self.configure()

    def _settings(self) -> Settings:
        values = {
            "groups": {GROUP: ["people-team"]},
            **self._connection,
            **self._shared,
            "channels": {name: one.model_dump() for name, one in self._channels.items()},
        }
        section = Section(
            name=self._spec.name,
            use=self._spec.name,
            spec=self._spec,
            config=self._spec.config.model_validate(values),
        )
        adapters = with_memberships({self._spec.name: section}, self._base.libraries.values())
        return replace(
            self._base,
            adapters=adapters,
            generation=f"{self._base.generation}-{self._changes}",
        )

    # --- the process ----------------------------------------------------------------------

    async def start(self) -> None:
        """Start the bot; return when it is about to connect."""
        self._ready.clear()
        self._life = asyncio.create_task(self._live())
        waiting = asyncio.ensure_future(self._ready.wait())
        await asyncio.wait({self._life, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        self.check()

    async def stop(self) -> None:
        """End the bot at once, whatever it is doing."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
            self._life = None

    async def drain(self) -> None:
        """Let the bot begin with nothing more, and end when what runs has come to its end."""
        assert self._bot is not None, "the bot is not running"
        await self._bot.drain()
        await self.stop()

    def check(self) -> None:
        """Raise what ended the bot, if it ended by itself."""
        if self._life is not None and self._life.done():
            self._life.result()
            raise AssertionError("the bot ended by itself; serve() runs until it is cancelled")

    @property
    def is_connected(self) -> bool:
        """Whether the adapter says that events come in."""
        assert self._bot is not None, "the bot is not running"
        return not self._bot.status().problems

    @property
    def host(self) -> Overheard:
        """What the adapter speaks to."""
        assert self._host is not None, "the bot is not running"
        return self._host

    async def _live(self) -> None:
        serving = self._serving = Serving(self._settings(), self._settings)
        try:
            async with open_bot(serving) as bot:
                host = self._host = Overheard(bot.hosts[self._spec.name], self.heard)
                bot.hosts[self._spec.name] = cast("ChatHost", host)
                self._bot = bot
                self._ready.set()
                await bot.run()
        finally:
            self._serving, self._bot, self._host = None, None, None
            await asyncio.shield(serving.close())
