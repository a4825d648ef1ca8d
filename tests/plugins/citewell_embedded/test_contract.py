from citewell.testing import RetrieverContract


class TestLexical(RetrieverContract):
    name = "lexical"


class TestLexicalWithoutStemming(RetrieverContract):
    name = "lexical"
    config = {"stemming": False, "path": "elsewhere/index"}


class TestHybrid(RetrieverContract):
    name = "hybrid"
    config = {"embedder": "scripted"}
    finds_by_meaning = True


class TestHybridWithGraph(RetrieverContract):
    name = "hybrid"
    config = {"embedder": "scripted", "exact_up_to": 30, "ann": True}
    finds_by_meaning = True
