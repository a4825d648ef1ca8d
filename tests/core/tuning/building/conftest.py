"""A library of towns, for examples to be built from."""

import pytest

from towns import write_towns


@pytest.fixture
def project(tmp_path):
    """Return the settings of the library."""
    return write_towns(tmp_path)
