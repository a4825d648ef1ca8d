"""Implements a hook that does not exist, with a near miss."""

from citewell import hookimpl


@hookimpl
def register_model():
    return ()
