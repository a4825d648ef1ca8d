"""Opens components as the program does, for the contracts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import wraps
from pathlib import Path
from types import MappingProxyType
from typing import Any, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, cast

from citewell.chatting import Rehearsal
from citewell.engine.registry import Registry
from citewell.engine.trust import Trust
from citewell.errors import PluginError
from citewell.protocols import Embedder, Model
from citewell.specs import AdapterSpec, ComponentSpec, Context
from citewell.types.documents import Labels

P = ParamSpec("P")
T = TypeVar("T")

Sections: TypeAlias = Mapping[str, Mapping[str, object]]
"""Settings by name, as they would stand in `citewell.toml`: `use`, and its own."""


def run_async(
    test: Callable[Concatenate[Any, P], Awaitable[None]],
) -> Callable[Concatenate[Any, P], None]:
    """Run an async test by itself, so that authors need no plugin of pytest's."""

    @wraps(test)
    def run(contract: Any, /, *args: P.args, **kwargs: P.kwargs) -> None:
        async def body() -> None:
            await test(contract, *args, **kwargs)

        asyncio.run(body())

    return run


def find(kind: str, name: str) -> ComponentSpec:
    """Return the component, as an installed plugin offers it.

    Raises:
        UnknownComponent: none does; says why a plugin that may offer it is off.
    """
    return Registry.load().find(kind, name)


def context_for(
    kind: str, name: str, folder: Path, *, models: Sections = MappingProxyType({})
) -> Context:
    """Return the context of a component whose files are in `folder`.

    Args:
        kind: of the component.
        name: of it.
        folder: for its files.
        models: that its settings may name.
    """
    return Context(
        name=name,
        log=logging.getLogger(f"citewell.{kind}.{name}"),
        data_dir=folder,
        base_dir=folder,
        embedders=_Installed[Embedder]("embedder", folder),
        models=_Installed[Model]("model", folder, models),
        trusted=Trust(),
    )


class _Installed(Generic[T]):
    """Opens components by the names of their sections, or without settings by their own names."""

    def __init__(self, kind: str, folder: Path, sections: Sections = MappingProxyType({})) -> None:
        self._kind = kind
        self._folder = folder
        self._sections = sections

    async def open(self, name: str) -> T:
        """Return the component `name`, which needs no closing."""
        settings = {**self._sections.get(name, {"use": name})}
        use = str(settings.pop("use"))
        async with opened(self._kind, use, settings, self._folder) as component:
            return cast("T", component)

    def identity(self, name: str) -> str:
        """Name the settings of `name`."""
        return repr(self._sections.get(name, name))

    def withholds(self, name: str, labels: Labels) -> bool:
        """Tell that everything may be given to it."""
        del name, labels
        return False


@asynccontextmanager
async def opened(
    kind: str,
    name: str,
    config: Mapping[str, object],
    folder: Path,
    *,
    models: Sections = MappingProxyType({}),
) -> AsyncIterator[Any]:
    """Open the component `name` of `kind`; see `context_for`."""
    spec: Any = find(kind, name)
    settings = spec.config.model_validate(dict(config))
    context = context_for(kind, name, folder, models=models)
    async with spec.build(settings, context) as component:
        yield component


def open_double(adapter: str) -> AbstractAsyncContextManager[Rehearsal]:
    """Return the stand-in for the chat service of an installed adapter, to be entered.

    Raises:
        UnknownComponent: no plugin offers the adapter.
        PluginError: it has no stand-in.
    """
    spec = cast("AdapterSpec[Any]", find("adapter", adapter))
    if spec.rehearsal is None:
        raise PluginError(f'adapter "{adapter}" has no stand-in; give its spec a `rehearsal`')
    return spec.rehearsal()
