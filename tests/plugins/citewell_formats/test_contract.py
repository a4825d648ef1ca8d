from citewell.testing.formatters import FormatterContract


class TestFootnotes(FormatterContract):
    name = "footnotes"


class TestFootnotesWithoutQuotes(FormatterContract):
    name = "footnotes"
    config = {"quotes": False}


class TestPlain(FormatterContract):
    name = "plain"


class TestJson(FormatterContract):
    name = "json"
