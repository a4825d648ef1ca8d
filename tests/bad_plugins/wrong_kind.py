"""Offers a model where loaders are asked for."""

from contextlib import asynccontextmanager

from citewell import Config, ModelSpec, hookimpl


@asynccontextmanager
async def build(config, context):
    yield None


@hookimpl
def register_loaders():
    return [ModelSpec(name="wrong-kind", summary="a model", config=Config, build=build)]
