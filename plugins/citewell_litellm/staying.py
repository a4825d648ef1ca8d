"""Requests of LiteLLM that stay at the address that the settings or the provider name."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import getattr_static
from typing import Any


def follow_no_redirect() -> None:
    """Have every client that LiteLLM makes follow no redirect.

    httpx would take the texts to whatever host an answer names, this network's own included, and
    with them a key that stands in a header of its own, as those of Azure and Gemini do.
    """
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler, HTTPHandler
    from litellm.llms.openai.common_utils import BaseOpenAILLM

    for maker, name in (
        (AsyncHTTPHandler, "create_client"),
        (HTTPHandler, "create_client"),
        (BaseOpenAILLM, "_get_async_http_client"),
        (BaseOpenAILLM, "_get_sync_http_client"),
    ):
        made = getattr_static(maker, name, None)
        if made is None:
            continue  # this release of LiteLLM makes its clients elsewhere
        is_static = isinstance(made, staticmethod)
        staying = _staying(made.__func__ if is_static else made)
        setattr(maker, name, staticmethod(staying) if is_static else staying)


def _staying(make: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(make)
    def made(*arguments: Any, **named: Any) -> Any:
        client = make(*arguments, **named)
        if client is not None:
            client.follow_redirects = False
        return client

    return made
