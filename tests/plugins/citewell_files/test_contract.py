from citewell.testing import SourceContract


class TestFiles(SourceContract):
    name = "files"
