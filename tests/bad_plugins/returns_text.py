"""Returns a text, which Python would happily iterate."""

from citewell import hookimpl


@hookimpl
def register_models():
    return "gpt"
