"""Registers the engine `ray`; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any

from pydantic import Field

from citewell import Config, Context, Engine, EngineSpec, MissingExtra, hookimpl


class RayConfig(Config):
    """Settings of the engine `ray`."""

    address: str = Field(
        default="auto",
        min_length=1,
        description="of the cluster, HOST:PORT or ray://HOST:PORT; auto: what RAY_ADDRESS names or "
        "runs on this machine; local: one of its own on this machine, as long as the sync lasts",
    )
    workers: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="documents that are read at once; default: one for each CPU of the cluster",
    )
    cpus: float = Field(
        default=1.0, gt=0, le=64, description="of the cluster that reading one document takes"
    )
    retries: int = Field(
        default=3, ge=0, le=100, description="further workers that are tried when one ends"
    )
    shared_files: bool = Field(
        default=False,
        description="whether workers find documents under the same paths as this machine, as on a "
        "shared file system; else their bytes are sent",
    )


@asynccontextmanager
async def build(config: RayConfig, context: Context) -> AsyncIterator[Engine]:
    """Connect to the cluster.

    Raises:
        MissingExtra: Ray is not installed.
        EngineError: there is no cluster, or it cannot be used.
    """
    if find_spec("ray") is None:
        raise MissingExtra(f'engine "{context.name}"', package="ray", extra="ray")
    from citewell_ray.engine import connected

    async with connected(config) as engine:
        yield engine


@hookimpl
def register_engines() -> Iterable[EngineSpec[Any]]:
    """Offer `ray`."""
    return (
        EngineSpec(
            name="ray",
            summary="the workers of a Ray cluster",
            config=RayConfig,
            build=build,
            extra="ray",
        ),
    )
