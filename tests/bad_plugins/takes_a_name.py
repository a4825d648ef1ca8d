"""Offers a name that is taken, and one that is not."""

from contextlib import asynccontextmanager

from citewell import Config, FormatterSpec, hookimpl


@asynccontextmanager
async def build(config, context):
    yield None


@hookimpl
def register_formatters():
    return [
        FormatterSpec(name="plain", summary="another plain", config=Config, build=build),
        FormatterSpec(name="plainer", summary="plainer than plain", config=Config, build=build),
    ]
