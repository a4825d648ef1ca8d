"""Offers a loader for nothing."""

from contextlib import asynccontextmanager

from pydantic import BaseModel

from citewell import Config, LoaderSpec, hookimpl


class Lax(BaseModel):
    """Accepts unknown settings."""


@asynccontextmanager
async def build(config, context):
    yield None


def local():
    @asynccontextmanager
    async def inner(config, context):
        yield None

    return inner


@hookimpl
def register_loaders():
    return [LoaderSpec(name="a", summary="x", config=Config, build=build, suffixes=())]
