"""Returns something that is no list of offers."""

from citewell import hookimpl


@hookimpl
def register_models():
    return 42
