"""A hook raises after it has offered something."""

from citewell import CommandSpec, Config, hookimpl


def load():
    return Config


@hookimpl
def register_commands():
    yield CommandSpec(name="half", summary="half an offer", load=load)
    raise LookupError("the second half is lost")
