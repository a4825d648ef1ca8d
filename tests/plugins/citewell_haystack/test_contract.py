from citewell.testing import LoaderContract, RetrieverContract


class TestRetriever(RetrieverContract):
    name = "haystack"
    config = {"store": "in-memory"}
    lasts = False


class TestLoader(LoaderContract):
    name = "haystack"
    config = {
        "converter": "haystack.components.converters.txt.TextFileToDocument",
        "suffixes": [".json"],
    }
