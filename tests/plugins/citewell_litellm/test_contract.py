from contextlib import asynccontextmanager

import pytest

import meaning
import openai_server as api
from citewell.testing import EmbedderContract, ModelContract, RerankerContract

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SAID = "Every employee has 28 days of leave [1]. Ask for it in the portal [1]."


def obedient(request, asked):
    """Answer as a model does: within its bounds."""
    text = SAID
    for stop in asked.get("stop") or ():
        text = text.partition(stop)[0]
    words = text.split(" ")
    most = asked["max_tokens"]
    finish = "stop" if len(words) <= most else "length"
    return api.say(" ".join(words[:most]), finish=finish, pause_s=0.001)(request, asked)


class TestLiteLLM(ModelContract):
    name = "litellm"
    config = {"model": "openai/test"}

    @asynccontextmanager
    async def open(self, folder):
        async with api.serving() as server:
            server.respond = obedient
            self.config = {**self.config, "api_base": server.url, "api_key": "sk-test"}
            async with super().open(folder) as model:
                yield model


class TestLiteLLMEmbedder(EmbedderContract):
    name = "litellm"
    config = {"model": "openai/test", "max_chars": 500, "together": 8}

    @asynccontextmanager
    async def open(self, folder):
        async with api.serving() as server:
            server.respond = api.embed(meaning.vector)
            settings = {"api_base": server.url, "api_key": "sk-test", "identity": "test"}
            self.config = {**self.config, **settings}
            async with super().open(folder) as embedder:
                yield embedder


class TestLiteLLMReranker(RerankerContract):
    name = "litellm"
    config = {"model": "hosted_vllm/test"}

    @asynccontextmanager
    async def open(self, folder):
        async with api.serving() as server:
            server.respond = api.rank(meaning.likeness)
            self.config = {**self.config, "api_base": server.url, "api_key": "sk-test"}
            async with super().open(folder) as reranker:
                yield reranker
