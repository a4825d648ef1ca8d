"""Connections to addresses that were checked, and to no others."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Collection, Iterable, Sequence
from ipaddress import ip_address

import httpcore

from citewell_web.addresses import Reach

_CONNECT_S = 10.0


class Refused(Exception):
    """An address that is not reached; says why."""


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Looks a name up once, checks what it leads to, and connects to that very address.

    So a name cannot lead elsewhere between the check and the connection. TLS still proves the name:
    the pool hands it to `start_tls` by itself.
    """

    def __init__(self, reach: Reach, *, ports: Collection[int]) -> None:
        self._reach = reach
        self._ports = frozenset(ports)
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of `host` that answers.

        Raises:
            Refused: the port, or one of the addresses, may not be reached.
            ConnectError: none of them answers.
        """
        if port not in self._ports:
            raise Refused(f"port {port} is not asked; only {sorted(self._ports)} are")
        addresses = await _resolved(host, port)
        for address in addresses:
            if refusal := self._reach.refusal(address, host=host):
                raise Refused(refusal)
        failure: Exception = httpcore.ConnectError("the name leads to no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address,
                    port,
                    timeout=min(timeout or _CONNECT_S, _CONNECT_S),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._network.sleep(seconds)


async def _resolved(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name, or the address itself, each once."""
    with contextlib.suppress(ValueError):
        return (str(ip_address(host)),)
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"the name {host} cannot be resolved") from error
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
