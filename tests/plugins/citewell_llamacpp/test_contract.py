import ggufs
from citewell.testing import ModelContract


class TestLlamaCpp(ModelContract):
    name = "llamacpp"
    config = {"path": str(ggufs.model()), "context": 16_384}


class TestLlamaCppWithAnAdapter(ModelContract):
    name = "llamacpp"
    config = {
        "path": str(ggufs.model()),
        "context": 16_384,
        "lora": {"house": str(ggufs.adapter())},
        "batches": True,
    }
