"""What every formatter must do."""

from __future__ import annotations

from citewell.testing import FormatterContract


class TestEmail(FormatterContract):
    name = "email"


class TestFlowed(FormatterContract):
    name = "email"
    config = {"flowed": True, "width": 40}


class TestWithoutQuotes(FormatterContract):
    name = "email"
    config = {"quotes": False}
