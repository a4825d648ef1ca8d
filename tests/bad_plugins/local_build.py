"""Offers a build that no other process can import."""

from contextlib import asynccontextmanager

from pydantic import BaseModel

from citewell import Config, FormatterSpec, hookimpl


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
    return [FormatterSpec(name="a", summary="x", config=Config, build=local())]
