"""Which addresses of the network may be reached: public ones, and what the settings name."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

from citewell_web.urls import host_of

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 6890. `is_global` is asked as
# well, but what it knows differs between releases of Python.
_KINDS = {
    # Beside 169.254.169.254: of Azure's machines, with the look of a public address; of Alibaba; of
    # AWS and of Google over IPv6. They come first, for they lie in networks that are private.
    "metadata of a cloud": (
        *("168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::254/128", "fd20:ce::254/128"),
    ),
    "unspecified": ("0.0.0.0/8", "::/128"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "shared by customers of a provider": ("100.64.0.0/10",),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "a tunnel to another address": ("192.88.99.0/24", "2002::/16", "2001::/32", "::/96"),
    "reserved": (
        *("192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20"),
    ),
}
_REFUSED = tuple(
    (ip_network(network), kind) for kind, networks in _KINDS.items() for network in networks
)
_NAMED_MAY_BE = frozenset({"loopback", "private", "shared by customers of a provider"})
"""What a name in `allow_private` may lead to; never the metadata of a cloud."""

_UNICAST = IPv6Network("2000::/3")
# IPv4-mapped, IPv4-translated (RFC 2765) and the well-known prefix of NAT64 (RFC 6052)
_CARRIERS = tuple(map(IPv6Network, ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
# RFC 5214, 6.1: the second half of an ISATAP address, before the IPv4 address that it holds
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


class Reach:
    """Decides about each address before anything is sent to it."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        """Take what may be reached beside public addresses: networks, addresses, host names."""
        entries = [allowed_entry(entry) for entry in allowed]
        self._names = frozenset(entry for entry in entries if isinstance(entry, str))
        self._networks = tuple(entry for entry in entries if not isinstance(entry, str))

    def refusal(self, address: str, *, host: str) -> str | None:
        """Return why `address`, to which `host` leads, is not reached; None when it may be."""
        try:
            found = ip_address(address)
        except ValueError:
            return f"{address} is no address"
        inner = _carried(found)
        kind = kind_of(found)
        if kind is None or any(inner in network for network in self._networks):
            return None
        if host in self._names and kind in _NAMED_MAY_BE:
            return None
        led = f"leads to {inner}, which is" if host != str(inner) else "is"
        return (
            f"{host} {led} {kind} and not public; if you mean it, "
            f'name it in allow_private = ["{inner}"]'
        )


def allowed_entry(entry: str) -> Network | str:
    """Return an entry of `allow_private` as a network, or as the name of a host.

    Raises:
        ValueError: it is neither.
    """
    if "/" in entry or ":" in entry or entry.replace(".", "").isdigit():
        return ip_network(entry)
    return host_of(entry)


def kind_of(address: Address) -> str | None:
    """Return what kind of address it is, where it is not a public one."""
    inner = _carried(address)
    for network, kind in _REFUSED:
        if inner in network:
            return kind
    if isinstance(inner, IPv6Address):
        if inner not in _UNICAST:
            return "reserved"
        low = int(inner) & 0xFFFF_FFFF_FFFF_FFFF
        if low >> 32 in _ISATAP:
            return kind_of(IPv4Address(low & 0xFFFF_FFFF))
    return None if inner.is_global and not inner.is_multicast else "reserved"


def _carried(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, IPv6Address) and any(address in carrier for carrier in _CARRIERS):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
