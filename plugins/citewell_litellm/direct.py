"""The way to a model that counts as local: through no proxy, and past no redirect."""

from __future__ import annotations

import os
import ssl
from types import ModuleType
from urllib.parse import urlsplit

import httpx

# These take a client of the package openai, all others one of LiteLLM's own.
_OPENAI_CLIENTS = frozenset({"openai", "custom_openai", "llamafile", "lm_studio"})
_NO_KEY = "none"


class DirectClient:
    """Talks to one address, whatever the environment says of proxies, and follows no redirect.

    Args:
        package: LiteLLM.
        model: provider and model.
        api_base: the address; None for the provider's own way to find it.
        api_key: of the API; None where it needs none.
    """

    def __init__(
        self, package: ModuleType, *, model: str, api_base: str | None, api_key: str | None
    ) -> None:
        if api_base is not None:
            _bypass_proxies(api_base)
        self._http = httpx.AsyncClient(
            trust_env=False, follow_redirects=False, verify=ssl.create_default_context()
        )
        provider = package.get_llm_provider(model=model, api_base=api_base)[1]
        if provider in _OPENAI_CLIENTS:
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
