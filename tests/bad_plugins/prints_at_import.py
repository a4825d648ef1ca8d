"""Prints where the answer shall stand."""

from citewell import hookimpl

print("loading, please wait")


@hookimpl
def register_models():
    print("still loading")
    return ()
