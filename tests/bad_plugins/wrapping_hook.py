"""Wraps the hooks of others."""

from citewell import hookimpl


@hookimpl(wrapper=True)
def route(question, profiles):
    chosen = yield
    return chosen
