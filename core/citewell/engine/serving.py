"""The settings in force, changed while questions are answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn, TypeAlias, cast

from msgspec import Struct

from citewell import blocking
from citewell.configs import ChatConfig
from citewell.engine.file_states import FileState, file_state
from citewell.engine.pool import Pool
from citewell.engine.runtime import Runtime
from citewell.engine.sections import Section, Settings
from citewell.engine.trials import Trials
from citewell.errors import CitewellError, ModelError
from citewell.memory import available_bytes
from citewell.specs import ModelSpec

log = logging.getLogger(__name__)

_GIGABYTE = 1_000_000_000
_POLL_S = 1.0


class _Generation(Struct, eq=False):
    """Settings with their components.

    Attributes:
        users: questions that are answered with it.
        idle: set while there are none.
    """

    runtime: Runtime
    idle: asyncio.Event
    users: int = 0


class Change(Struct, frozen=True, kw_only=True):
    """What became of a change of the settings.

    Attributes:
        applied: whether the new settings are in force.
        reason: one line a problem, where they are not; what needs a restart, where they are.
    """

    applied: bool
    reason: str = ""


Gate: TypeAlias = Callable[[Runtime, Settings], Awaitable[Sequence[str]]]
"""Given new components and the settings in force, why the new ones must not answer, a line each."""


class Serving:
    """Answers new questions with the newest settings that work, and running ones with theirs.

    Args:
        settings: to begin with.
        load: reads the settings again; called in a thread.
        memory: how much a new model may take, in bytes.
        gate: keeps settings from being put in force; None lets all pass.

    Attributes:
        trials: models on trial.
    """

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], Settings],
        *,
        memory: Callable[[], int] = available_bytes,
        gate: Gate | None = None,
    ) -> None:
        self._load = load
        self._gate = gate
        self._memory = memory
        self._pool = Pool()
        self.trials = Trials(settings.data_dir / "trials")
        self._changing = asyncio.Lock()
        self._current = self._made(settings)
        self._closing: set[asyncio.Task[None]] = set()
        # What the file held when these were read is not known, so it is read once more.
        self._text: bytes | None = None
        self._files = settings.files

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._current.runtime.settings

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Runtime]:
        """Yield the components in force now; they stay open until the end."""
        generation = self._current
        generation.users += 1
        generation.idle.clear()
        try:
            yield generation.runtime
        finally:
            generation.users -= 1
            if not generation.users:
                generation.idle.set()

    async def refresh(self) -> Change | None:
        """Reload if the settings, or a file that they name, were written since the last reload.

        Returns None if they still say what is in force.
        """
        text, files = self._now()
        if (text, files) == (self._text, self._files):
            return None
        self._text, self._files = text, files
        before = self.settings.generation
        change = await self.reload()
        return None if change.applied and self.settings.generation == before else change

    async def watch(self) -> NoReturn:
        """Reload whenever the file changes, until cancelled."""
        while True:
            await asyncio.sleep(_POLL_S)
            try:
                change = await self.refresh()
            except Exception:
                log.exception("the settings could not be followed")
            else:
                if change is not None and not change.applied:
                    log.warning("the settings stay as they were: %s", change.reason)

    async def reload(self) -> Change:
        """Read the settings, and put them in force unless anything about them is wrong.

        What the profiles name first is opened beside what is open. Where the memory does not
        suffice for both, the models that are no longer wanted are closed before: new questions
        go to the fallbacks meanwhile, or wait.
        """
        async with self._changing:
            # Taken before it is read: what is saved meanwhile is found by the next look.
            text, _ = self._now()
            try:
                settings = await blocking.call(self._load)
            except CitewellError as error:
                return Change(applied=False, reason=str(error))
            self._text, self._files = text, settings.files
            if settings.generation == self.settings.generation:
                return Change(applied=True)
            fixed = _needs_restart(self.settings, settings)
            if fixed:
                return Change(applied=False, reason=f"restart needed for {', '.join(fixed)}")
            new = self._made(settings)
            try:
                if refusals := await self._refusals(new):
                    return Change(applied=False, reason="\n".join(refusals))
                if not await self._fits(new.runtime):
                    return await self._swap(new)
                await self._open(new.runtime)
            except (CitewellError, ExceptionGroup) as error:
                return Change(applied=False, reason=str(error))
            else:
                self._retire(self._replace(new))
                return Change(applied=True)
            finally:
                if self._current is not new:
                    await self._drained(new)

    async def _refusals(self, new: _Generation) -> Sequence[str]:
        return [] if self._gate is None else await self._gate(new.runtime, self.settings)

    async def close(self) -> None:
        """Close everything, when the last answer is complete."""
        await self._drained(self._current)
        await asyncio.gather(*self._closing)

    def _now(self) -> tuple[bytes | None, tuple[FileState, ...]]:
        """Return what the settings file holds, and the states of the files that it names."""
        path = self.settings.path
        try:
            text = None if path is None else path.read_bytes()
        except OSError:
            text = None
        return text, tuple(file_state(one.path) for one in self._files)

    # --- generations ----------------------------------------------------------------------

    @staticmethod
    def _made_idle() -> asyncio.Event:
        idle = asyncio.Event()
        idle.set()
        return idle

    def _made(self, settings: Settings) -> _Generation:
        return _Generation(Runtime(settings, self._pool, self.trials), self._made_idle())

    def _replace(self, new: _Generation) -> _Generation:
        old, self._current = self._current, new
        log.info("settings %s are in force", new.runtime.settings.generation)
        return old

    def _retire(self, old: _Generation) -> None:
        """Close a generation when its last answer is complete."""
        task = asyncio.create_task(self._drained(old))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    @staticmethod
    async def _drained(generation: _Generation) -> None:
        await generation.idle.wait()
        try:
            await generation.runtime.close()
        except Exception as error:  # noqa: BLE001 - nothing depends on it any more
            log.warning("closing what is no longer used: %s", error)

    async def _open(self, runtime: Runtime) -> None:
        """Open what the profiles name first, so that nobody waits for it or finds it broken."""
        for profile in runtime.settings.profiles.values():
            if profile.retriever is not None:
                await runtime.retriever(profile.retriever)
            await runtime.formatter(profile.formatter)
            await runtime.model(profile.model, makes_room=True)
        await self._open_on_trial(runtime)

    async def _open_on_trial(self, runtime: Runtime) -> None:
        """Open models on trial; what one lacks is no reason to refuse anything else."""
        for name in runtime.settings.profiles:
            if canary := self.trials.goes_on(runtime.settings, name):
                try:
                    await runtime.model(canary.model, makes_room=True)
                except CitewellError as error:
                    log.warning("profile %s: %s, on trial: %s", name, canary.model, error)

    # --- memory ---------------------------------------------------------------------------

    async def _fits(self, new: Runtime) -> bool:
        """Tell whether the new models fit beside those that are open.

        Raises:
            ModelError: they do not even fit alone.
        """
        old = self._current.runtime
        held = await self._parts(old, old.settings.models.values())
        wanted = await self._parts(new, _models(new.settings))
        unopened = await _memory(new, self._unopened(new))
        needed = sum(size for part, size in unopened.items() if part not in held)
        if not needed:
            return True
        room = await blocking.call(self._memory)
        if needed <= room:
            return True
        freed = sum(size for part, size in held.items() if part not in {*wanted, *unopened})
        if needed <= room + freed:
            return False
        raise ModelError(
            f"the models take about {needed / _GIGABYTE:.1f} GB, and there are "
            f"{(room + freed) / _GIGABYTE:.1f} GB for them; choose a smaller file, or lower "
            "context or conversations"
        )

    def _unopened(self, new: Runtime) -> list[Section]:
        """Return the models that the profiles name first and that are not open."""
        models = [one for one in self._first_models(new.settings) if not one.missing]
        return [one for one in models if not self._pool.holds(new.wanted("model", one))]

    def _first_models(self, settings: Settings) -> list[Section]:
        """Return the models that some profile names first, or has on trial."""
        names: dict[str, None] = {}
        for name, profile in settings.profiles.items():
            names[profile.model] = None
            if canary := self.trials.goes_on(settings, name):
                names[canary.model] = None
        return [settings.models[name] for name in names]

    async def _parts(self, runtime: Runtime, sections: Iterable[Section]) -> dict[str, int]:
        """Return what those of the models take that are open."""
        held = [one for one in sections if self._pool.holds(runtime.wanted("model", one))]
        return await _memory(runtime, held)

    async def _swap(self, new: _Generation) -> Change:
        """Close the models that are no longer wanted, then open the new ones.

        New questions are answered by the fallbacks of the new settings, or wait.
        """
        with new.runtime.making_room():
            old = self._replace(new)
            await self._drained(old)
            try:
                await self._open(new.runtime)
            except (CitewellError, ExceptionGroup) as error:
                reason = str(error)
            else:
                return Change(applied=True)
        back = self._made(old.runtime.settings)
        with back.runtime.making_room():
            await self._drained(self._replace(back))
            try:
                await self._open(back.runtime)
            except (CitewellError, ExceptionGroup) as error:
                reason = f"{reason}; and what answered before cannot be opened again: {error}"
        return Change(applied=False, reason=reason)


def _models(settings: Settings) -> list[Section]:
    """Return the models that some profile names."""
    names: dict[str, None] = {}
    for profile in settings.profiles.values():
        names |= dict.fromkeys(profile.chain)
        if profile.canary is not None:
            names[profile.canary.model] = None
    return [settings.models[name] for name in names]


async def _memory(runtime: Runtime, sections: Iterable[Section]) -> dict[str, int]:
    """Return the memory that models take together, in bytes by part."""
    parts: dict[str, int] = {}
    for section in sections:
        spec = cast("ModelSpec[Any]", section.spec)
        if spec.memory is not None:
            context = runtime.wanted("model", section).context
            parts |= await blocking.call(spec.memory, section.config, context)
    return parts


def _needs_restart(old: Settings, new: Settings) -> list[str]:
    """Return what of the new settings a running process cannot take over."""
    changes = {
        "plugins": [one.name for one in old.registry.plugins if one.state == "on"]
        != [one.name for one in new.registry.plugins if one.state == "on"],
        "journal": str(old.journal) != str(new.journal),
        "data_dir": old.data_dir != new.data_dir,
        "chat": old.chat != new.chat,
        "monitoring": old.monitoring != new.monitoring,
        "adapter": _connections(old) != _connections(new),
    }
    return [name for name, changed in changes.items() if changed]


def _connections(settings: Settings) -> dict[str, object]:
    """Return what connects to chat services; who may read what there is asked anew each time."""
    shared = set(ChatConfig.model_fields)
    return {
        name: (
            section.use,
            section.config.model_dump(exclude=shared),
            section.secret_files,
            # Whether there are groups decides what a service is asked to tell.
            bool(cast("ChatConfig", section.config).groups),
        )
        for name, section in settings.adapters.items()
    }
