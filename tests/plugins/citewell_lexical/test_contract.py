from citewell.testing import RetrieverContract


class TestLexical(RetrieverContract):
    name = "lexical"


class TestLexicalWithoutStemming(RetrieverContract):
    name = "lexical"
    config = {"stemming": False, "path": "elsewhere/index"}
