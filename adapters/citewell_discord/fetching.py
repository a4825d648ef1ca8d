"""Files that came with a question."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import aiohttp

from citewell import DeliveryError
from citewell.chat import Attachment

_HOSTS: Final = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
_TIMEOUT_S: Final = 30.0
_CHUNK_BYTES: Final = 64 * 1024


async def fetch(attachment: Attachment, *, max_bytes: int, api_url: str | None) -> bytes:
    """Return the content of a file, from where Discord keeps files and from nowhere else.

    Raises:
        DeliveryError: it is larger, or cannot be had.
    """
    if attachment.size is not None and attachment.size > max_bytes:
        raise _larger(attachment, max_bytes)
    if not _is_kept_there(attachment.ref, api_url):
        told = f"{attachment.name}: it is not where discord keeps files"
        raise DeliveryError(told, passes=False)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    content = bytearray()
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(attachment.ref, allow_redirects=False) as response,
        ):
            if response.status != 200:
                told = f"{attachment.name}: discord does not hand it out ({response.status})"
                raise DeliveryError(told, passes=response.status >= 500)
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                content += chunk
                if len(content) > max_bytes:
                    raise _larger(attachment, max_bytes)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        told = f"{attachment.name}: discord's files cannot be reached"
        raise DeliveryError(told, passes=True) from error
    return bytes(content)


def _is_kept_there(ref: str, api_url: str | None) -> bool:
    try:
        parts = urlsplit(ref)
        own = urlsplit(api_url or "")
    except ValueError:
        return False
    if api_url is not None and (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
        return True
    return parts.scheme == "https" and parts.hostname in _HOSTS


def _larger(attachment: Attachment, max_bytes: int) -> DeliveryError:
    return DeliveryError(f"{attachment.name}: it is larger than {max_bytes} bytes", passes=False)
