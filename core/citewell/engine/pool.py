"""Opened components; generations of the settings that ask for the same one share it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel

from citewell.engine.file_states import FileState
from citewell.engine.folders import make_folder
from citewell.engine.trust import Trust
from citewell.errors import CitewellError, ConfigError, PluginError
from citewell.protocols import Embedder, Model
from citewell.specs import Context
from citewell.types.documents import Labels, content_hash

T = TypeVar("T")

log = logging.getLogger(__name__)

# Their files are what a command is run for, and must stay.
_LASTING = {"retriever", "library"}


class Wanted(Struct, frozen=True, kw_only=True):
    """A component as some settings ask for it; equal ones are opened once.

    Attributes:
        kind: of its section.
        context: what it is built with, but for the folder where that cannot be made.
        files: that its settings name, as they were when the settings were read.
        named: that its settings name, by kind and name.
    """

    kind: str
    spec: Any
    config: BaseModel
    context: Context
    files: tuple[FileState, ...] = ()
    named: Mapping[tuple[str, str], Named] = MappingProxyType({})


class Named(Struct, frozen=True, kw_only=True):
    """A component that the settings of another one name.

    Attributes:
        wanted: what to open.
        missing: why it cannot be opened, one line for each secret that is not there.
        held_back: labels of passages that it must not be given, because they would leave.
    """

    wanted: Wanted
    missing: tuple[str, ...] = ()
    held_back: Labels = frozenset()


class _Held(Struct, eq=False):
    """A component that is open, or about to be.

    Attributes:
        users: generations that hold it.
    """

    wanted: Wanted
    opened: asyncio.Future[object]
    closing: asyncio.Event
    task: asyncio.Task[None]
    users: int = 0


class Pool:
    """Opens components and closes each with its last user.

    Each is entered and left by a task of its own, so that what one does with its task, like a task
    group across `yield`, is right whoever asks for it first and lets go of it last.
    """

    def __init__(self) -> None:
        self._held: list[_Held] = []

    def holds(self, wanted: Wanted) -> bool:
        """Tell whether the component is open, or about to be."""
        return self._find(wanted) is not None

    def has_open(self, wanted: Wanted) -> bool:
        """Tell whether the component is open."""
        held = self._find(wanted)
        return held is not None and held.opened.done()

    async def acquire(self, wanted: Wanted) -> object:
        """Return the component, opened if it was not.

        Raises:
            CitewellError: it cannot be opened.
        """
        held = self._find(wanted)
        if held is None:
            opened: asyncio.Future[object] = asyncio.get_running_loop().create_future()
            closing = asyncio.Event()
            task = asyncio.create_task(self._keep(wanted, opened, closing))
            held = _Held(wanted, opened, closing, task)
            self._held.append(held)
        held.users += 1
        try:
            return await asyncio.shield(held.opened)
        except BaseException:
            await self._let_go(held)
            raise

    async def release(self, wanted: Wanted) -> None:
        """Let go of what `acquire` returned."""
        held = self._find(wanted)
        if held is not None:
            await self._let_go(held)

    def _find(self, wanted: Wanted) -> _Held | None:
        return next((held for held in self._held if held.wanted == wanted), None)

    async def _let_go(self, held: _Held) -> None:
        held.users -= 1
        if held.users or held not in self._held:
            return
        self._held.remove(held)
        held.closing.set()
        if not held.opened.done():
            held.task.cancel()
        results = await asyncio.gather(held.task, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]

    async def _keep(
        self, wanted: Wanted, opened: asyncio.Future[object], closing: asyncio.Event
    ) -> None:
        """Open the component, hold it until nobody uses it, and close it."""
        async with AsyncExitStack() as stack:
            try:
                folder = _folder(wanted, stack)
                context = replace(
                    wanted.context,
                    data_dir=folder,
                    embedders=_NamedSections[Embedder]("embedder", self, wanted, stack),
                    models=_NamedSections[Model]("model", self, wanted, stack),
                    trusted=Trust(),
                )
                entering = wanted.spec.build(wanted.config, context)
                component = await entering.__aenter__()
            except asyncio.CancelledError:
                opened.cancel()
                raise
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything
                opened.set_exception(_explained(error, wanted, "opened"))
                # Whoever waited may have gone meanwhile.
                opened.exception()
                return
            opened.set_result(component)
            await closing.wait()
            try:
                await entering.__aexit__(None, None, None)
            except Exception as error:
                raise _explained(error, wanted, "closed") from error


class _NamedSections(Generic[T]):
    """Opens what the settings of one component name, each when it is first asked for.

    Args:
        kind: of what it opens.
        pool: opens them.
        wanted: the component.
        stack: of the component; lets go of them.
    """

    def __init__(self, kind: str, pool: Pool, wanted: Wanted, stack: AsyncExitStack) -> None:
        self._pool = pool
        self._named = {name: named for (of, name), named in wanted.named.items() if of == kind}
        self._stack = stack
        self._opened: dict[str, T] = {}
        self._opening = asyncio.Lock()

    async def open(self, name: str) -> T:
        """Return the component of section `name`.

        Raises:
            CitewellError: it cannot be opened.
        """
        async with self._opening:
            if name not in self._opened:
                named = self._named[name]
                if named.missing:
                    raise ConfigError(*named.missing)
                self._opened[name] = cast("T", await self._pool.acquire(named.wanted))
                self._stack.push_async_callback(self._pool.release, named.wanted)
        return self._opened[name]

    def identity(self, name: str) -> str:
        """Name the settings and the files of section `name`; another name where one changed."""
        wanted = self._named[name].wanted
        decides = wanted.spec.name, wanted.config.model_dump_json(), repr(wanted.files)
        return content_hash("\n".join(decides))

    def withholds(self, name: str, labels: Labels) -> bool:
        """Tell whether passages with `labels` must stay here, while what it is given leaves."""
        return bool(self._named[name].held_back & labels)


def _explained(error: Exception, wanted: Wanted, done: str) -> Exception:
    if isinstance(error, CitewellError):
        return error
    explained = PluginError(
        f'{wanted.kind} "{wanted.context.name}" ({wanted.spec.name}) could not be {done}: '
        f"{type(error).__name__}: {error}"
    )
    explained.__cause__ = error
    return explained


def _folder(wanted: Wanted, stack: AsyncExitStack) -> Path:
    """Return the folder of a component; one that passes, where that is enough for an answer."""
    try:
        make_folder(wanted.context.data_dir)
    except ConfigError as error:
        if wanted.kind in _LASTING:
            raise
        log.info("%s", error)
        from tempfile import TemporaryDirectory

        return Path(stack.enter_context(TemporaryDirectory(prefix="citewell-")))
    return wanted.context.data_dir
