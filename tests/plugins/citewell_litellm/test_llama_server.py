"""One GGUF file through both plugins: here, and behind the HTTP server of llama-cpp-python."""

import asyncio
import logging
import socket
import sys
from contextlib import asynccontextmanager

import aiohttp
import pytest

import ggufs
import llamacpp
from citewell import Context
from citewell_litellm.plugin import LiteLLMConfig, build

pytest.importorskip("fastapi", reason="what llama_cpp.server needs is not installed")

# The server's own default is 1.1, which changes what is the likeliest token.
NO_PENALTY = {"repeat_penalty": 1.0}
QUESTIONS = ("How many days?", "Who said so?", "When is the note due?")
GREEDY = {"temperature": 0.0, "max_output_tokens": 60}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


async def answers_at(url):
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(url) as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False


@asynccontextmanager
async def llama_server(model):
    """Yield the URL of a server with this model."""
    server, url = await started(model)
    try:
        yield url
    finally:
        server.kill()
        await server.wait()


async def started(model):
    """Start a server; somebody else may take the port that was free, and it ends."""
    for _ in range(3):
        port = free_port()
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "llama_cpp.server", "--model", model, "--n_ctx", "4096"),
            *("--host", "127.0.0.1", "--port", str(port), "--verbose", "false"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}/v1"
        async with asyncio.timeout(60):
            while server.returncode is None:
                if await answers_at(f"{url}/models"):
                    return server, url
                await asyncio.sleep(0.1)
    raise AssertionError("the server ended")


async def test_both_plugins_give_the_same_greedy_text(tmp_path):
    asked = [llamacpp.prompt(question, constraint=None, **GREEDY) for question in QUESTIONS]
    async with llamacpp.opened(tmp_path) as model:
        here = [await llamacpp.written(model, prompt) for prompt in asked]
    context = Context(
        name="cloud", log=logging.getLogger("cloud"), data_dir=tmp_path, base_dir=tmp_path
    )
    async with llama_server(ggufs.model()) as url:
        config = LiteLLMConfig(
            model="openai/test", api_base=url, api_key="none", options=NO_PENALTY
        )
        async with build(config, context) as model:
            there = [await llamacpp.written(model, prompt) for prompt in asked]

    # The server leaves out bytes that are no text, and goes on where the last token is such a byte.
    pairs = [
        (text, own.replace("\ufffd", "")) for (text, _), (own, _) in zip(there, here, strict=True)
    ]
    assert all(text.startswith(own) for text, own in pairs)
    assert all(len(own) > 100 for _, own in pairs)
    assert len({own for _, own in pairs}) == len(QUESTIONS)
