"""A hook is a coroutine function."""

from citewell import hookimpl


@hookimpl
async def register_models():
    return ()
