"""Loads well, and fails when it is called."""

from citewell import hookimpl


@hookimpl
def route(question, profiles):
    if question.text == "exit":
        raise SystemExit(1)
    if question.text == "raise":
        raise RuntimeError("no route")
    return 42


@hookimpl
def observe(event):
    raise RuntimeError("blind")
