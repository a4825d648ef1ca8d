"""An empty index on a server."""

import uuid

import pytest


@pytest.fixture
def place(postgres):
    """Return settings of an index that nobody else has, as `opened_at` takes them."""
    return {"url": _url(postgres), "schema": f"citewell_{uuid.uuid4().hex}"}


@pytest.fixture
def new_url(postgres):
    """Return the address of a database of one's own."""
    return postgres.new_url()


def _url(postgres):
    if not hasattr(postgres, "shared_url"):
        postgres.shared_url = postgres.new_url()
    return postgres.shared_url
