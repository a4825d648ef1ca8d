"""One hook raises; the other one is fine, and must not stay behind."""

from citewell import hookimpl


@hookimpl
def register_models():
    raise ValueError("no model today")


@hookimpl
def observe(event):
    raise AssertionError("a plugin that is off must not be called")
