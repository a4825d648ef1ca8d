from citewell.testing import ModelContract


class TestExtractive(ModelContract):
    name = "extractive"


class TestExtractiveWithItsSettings(ModelContract):
    name = "extractive"
    config = {"max_sentences": 1, "bar": 0.2}
