"""Keeps the list that it returned, and changes it later."""

from contextlib import asynccontextmanager

from citewell import Config, FormatterSpec, hookimpl

OFFERS = []


@asynccontextmanager
async def build(config, context):
    yield None


@hookimpl
def register_formatters():
    OFFERS.append(FormatterSpec(name="mutable", summary="x", config=Config, build=build))
    return OFFERS


@hookimpl
def observe(event):
    OFFERS.clear()
