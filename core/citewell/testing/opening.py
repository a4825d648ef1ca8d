"""Opens components as the program does, for the contracts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, cast

from citewell.engine.registry import Registry
from citewell.engine.trust import Trust
from citewell.protocols import Embedder
from citewell.specs import ComponentSpec, Context
from citewell.types.documents import Labels

P = ParamSpec("P")


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


def context_for(kind: str, name: str, folder: Path) -> Context:
    """Return the context of a component whose files are in `folder`."""
    return Context(
        name=name,
        log=logging.getLogger(f"citewell.{kind}.{name}"),
        data_dir=folder,
        base_dir=folder,
        embedders=_InstalledEmbedders(folder),
        trusted=Trust(),
    )


class _InstalledEmbedders:
    """Opens embedders by the names of their components, without settings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def open(self, name: str) -> Embedder:
        """Return the embedder `name`, which needs no closing."""
        async with opened("embedder", name, {}, self._folder) as embedder:
            return cast("Embedder", embedder)

    def withholds(self, name: str, labels: Labels) -> bool:
        """Tell that everything may be embedded."""
        del name, labels
        return False


@asynccontextmanager
async def opened(
    kind: str, name: str, config: Mapping[str, object], folder: Path
) -> AsyncIterator[Any]:
    """Open the component `name` of `kind`."""
    spec: Any = find(kind, name)
    settings = spec.config.model_validate(dict(config))
    async with spec.build(settings, context_for(kind, name, folder)) as component:
        yield component
