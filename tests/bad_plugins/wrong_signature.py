"""A hook asks for something that it does not get."""

from citewell import hookimpl


@hookimpl
def observe(happening):
    return None


@hookimpl
def register_models():
    raise AssertionError("a plugin that is off must not be called")
