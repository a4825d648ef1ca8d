"""Offers a config model that lets typing errors pass."""

from contextlib import asynccontextmanager

from pydantic import BaseModel

from citewell import FormatterSpec, hookimpl


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
def register_formatters():
    return [FormatterSpec(name="a", summary="x", config=Lax, build=build)]
