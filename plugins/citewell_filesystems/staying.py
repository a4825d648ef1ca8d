"""Requests to S3 that stay at the address that the settings name."""

from __future__ import annotations

from typing import Any

from aiobotocore.httpsession import AIOHTTPSession

from citewell_filesystems.opening import RedirectedAway

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REGION = "x-amz-bucket-region"


# aiobotocore has no types.
class StayingSession(AIOHTTPSession):  # type: ignore[misc]
    """Follows no redirect: aiohttp alone would follow one to any host, this machine included.

    What S3 itself means by one, another region, botocore understands without. It asks HEAD for
    that region, and for the region of HEAD's own redirect, until Python's stack is full: a redirect
    of HEAD without a region ends the request here.
    """

    async def send(self, request: Any) -> Any:
        """Send `request`.

        Raises:
            RedirectedAway: the answer leads to where nothing is followed.
        """
        response = await super().send(request)
        led_away = response.status_code in _REDIRECTS and _REGION not in response.headers
        if led_away and request.method == "HEAD":
            raise RedirectedAway
        return response

    async def _get_session(self, proxy_url: str | None) -> _Staying:
        return _Staying(await super()._get_session(proxy_url))


class _Staying:
    def __init__(self, session: Any) -> None:
        self._session = session

    async def request(self, method: str, **options: Any) -> Any:
        return await self._session.request(method, allow_redirects=False, **options)
