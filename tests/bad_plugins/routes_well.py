"""Sends every question to the last profile, and remembers what it saw."""

from citewell import hookimpl

SEEN = []


@hookimpl
def route(question, profiles):
    return profiles[-1]


@hookimpl
def observe(event):
    SEEN.append(event)
