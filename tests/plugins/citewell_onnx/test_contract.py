import onnx_models
from citewell.testing import EmbedderContract, RerankerContract


class TestOnnxEmbedder(EmbedderContract):
    name = "onnx"

    @property
    def config(self):
        return {"path": onnx_models.embedder(), "max_tokens": 64}


class TestOnnxReranker(RerankerContract):
    name = "onnx"

    @property
    def config(self):
        return {"path": onnx_models.cross_encoder(), "max_tokens": 64}
