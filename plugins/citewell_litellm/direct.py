"""The way to a model that counts as local: through no proxy, and past no redirect."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import httpx

from citewell import ModelError

Kind = Literal["openai", "litellm"]

# To write, these take a client of the package openai, all others one of LiteLLM's own.
_WRITE_WITH_OPENAI = frozenset({"openai", "custom_openai", "llamafile", "lm_studio"})
# Others take none, or not always: they would be reached as the environment says.
_EMBED: Mapping[str, Kind] = {
    "hosted_vllm": "litellm",
    "infinity": "litellm",
    "llamafile": "litellm",
    "lm_studio": "litellm",
    "openai": "openai",
    "openai_like": "litellm",
}
_RERANK: Mapping[str, Kind] = {
    "cohere": "litellm",
    "hosted_vllm": "litellm",
    "infinity": "litellm",
    "jina_ai": "litellm",
}
_NO_KEY = "none"


def clients_of(call: str, provider: str, *, model: str) -> Kind:
    """Return whose client `call` of LiteLLM takes for a provider.

    Raises:
        ModelError: it takes none, so nothing keeps it to one address.
    """
    if call == "acompletion":
        return "openai" if provider in _WRITE_WITH_OPENAI else "litellm"
    known, instead = (
        (_EMBED, "openai") if call == "aembedding" else (_RERANK, "hosted_vllm or infinity")
    )
    if provider not in known:
        raise ModelError(
            f"{model}: nothing keeps LiteLLM to its address, as what counts as local must be; "
            f"name its provider {instead}, with the address as api_base, or set local = false"
        )
    return known[provider]


class DirectClient:
    """Talks to one address, whatever the environment says of proxies, and follows no redirect.

    Args:
        kind: whose client it is.
        api_base: the address; None for the provider's own way to find it.
        api_key: of the API; None where it needs none.
    """

    def __init__(self, kind: Kind, *, api_base: str | None, api_key: str | None) -> None:
        if api_base is not None:
            _bypass_proxies(api_base)
        self._http = httpx.AsyncClient(
            trust_env=False, follow_redirects=False, verify=ssl.create_default_context()
        )
        if kind == "openai":
            self.client: object = _openai_client(self._http, api_base=api_base, api_key=api_key)
        else:
            self.client = _litellm_client(self._http)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()


def _openai_client(http: httpx.AsyncClient, *, api_base: str | None, api_key: str | None) -> object:
    from openai import AsyncOpenAI

    key = api_key or os.environ.get("OPENAI_API_KEY") or _NO_KEY
    return AsyncOpenAI(api_key=key, base_url=api_base, http_client=http, max_retries=0)


def _litellm_client(http: httpx.AsyncClient) -> object:
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    handler = AsyncHTTPHandler(follow_redirects=False)
    handler.client = http
    return handler


def _bypass_proxies(address: str) -> None:
    """Let no part of this process reach the host of `address` through a proxy.

    LiteLLM asks some servers about their models with clients of its own.
    """
    host = urlsplit(address).hostname or ""
    for name in ("no_proxy", "NO_PROXY"):
        known = [one.strip() for one in os.environ.get(name, "").split(",") if one.strip()]
        if host not in known:
            os.environ[name] = ",".join([*known, host])
