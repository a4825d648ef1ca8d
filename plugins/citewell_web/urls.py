"""Addresses of pages, in one spelling each."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from posixpath import splitext
from urllib.parse import quote, unquote, urljoin, urlsplit

from msgspec import Struct

MAX_CHARS = 2000
"""A longer address is refused: pages that make up addresses without end make long ones."""

_PORTS = {"http": 80, "https": 443}
_MAX_LABEL_CHARS, _MAX_HOST_CHARS = 63, 253
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
# Source: WHATWG URL Standard, "ends in a number checker": what `inet_aton` would take for a number.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_FOREIGN = re.compile(r"(?:%[89A-F][0-9A-F])+")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_IN_PATH = "/%:@!$&'()*+,;=~"
_IN_QUERY = _IN_PATH + "?"


class UrlRefused(ValueError):
    """Not an address that is asked for; says why, without the address."""


class Url(Struct, frozen=True, kw_only=True):
    """An address without name, password and fragment.

    Attributes:
        host: lower case, without brackets and without a dot at the end.
        path: escaped; begins with a slash.
        query: escaped, without the question mark.
    """

    scheme: str
    host: str
    port: int
    path: str = "/"
    query: str = ""

    @property
    def authority(self) -> str:
        """Host, and port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """What is asked for at the host."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def key(self) -> str:
        """The address without its scheme: one page is one key."""
        return self.authority + self.target

    @property
    def suffix(self) -> str:
        """Suffix of the path, lower case, with the dot."""
        return splitext(self.path)[1].lower()

    def __str__(self) -> str:
        return f"{self.scheme}://{self.key}"

    def over(self, scheme: str) -> Url:
        """Return the address with another scheme; a usual port becomes the other usual one."""
        return Url(
            scheme=scheme,
            host=self.host,
            port=_PORTS[scheme] if self.port == _PORTS[self.scheme] else self.port,
            path=self.path,
            query=self.query,
        )

    def at(self, path: str) -> Url:
        """Return another address of the host."""
        return Url(scheme=self.scheme, host=self.host, port=self.port, path=path)

    def without_query(self) -> Url:
        """Return the address without its query."""
        return self.at(self.path)


def parse(text: str, base: Url | None = None) -> Url:
    """Return `text`, as it stands in `base` where there is one, as an address.

    Raises:
        UrlRefused: it is none, or none of http and https, or holds what no address needs.
    """
    text = text.strip(" \t\r\n\f")
    if len(text) > MAX_CHARS:
        raise UrlRefused(f"is longer than {MAX_CHARS} characters")
    if _FORBIDDEN.search(text):
        raise UrlRefused("holds a control character or a backslash")
    try:
        parts = urlsplit(urljoin(str(base), text) if base else text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UrlRefused("is no web address") from error
    if parts.scheme not in _PORTS:
        raise UrlRefused("does not begin with http:// or https://")
    if "@" in parts.netloc:
        raise UrlRefused("holds a user name or password; use the setting headers")
    if port == 0:
        raise UrlRefused("has the port 0")
    url = Url(
        scheme=parts.scheme,
        host=_ipv6(host) if "[" in parts.netloc else host_of(host),
        port=port or _PORTS[parts.scheme],
        path=_without_dots(_escaped(parts.path, _IN_PATH)) or "/",
        query=_escaped(parts.query, _IN_QUERY),
    )
    if len(str(url)) > MAX_CHARS:
        raise UrlRefused(f"is longer than {MAX_CHARS} characters")
    return url


def host_of(text: str) -> str:
    """Return a host name, or an IPv4 address in its only unambiguous form.

    Raises:
        UrlRefused: it is neither.
    """
    host = text.lower() if text.isascii() else _in_ascii(text)
    host = host.removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))
        except AddressValueError as error:
            raise UrlRefused(
                "has a number as host; write an address as four decimal numbers"
            ) from error
    is_name = len(host) <= _MAX_HOST_CHARS and all(
        len(label) <= _MAX_LABEL_CHARS and _LABEL.fullmatch(label) for label in labels
    )
    if not is_name:
        raise UrlRefused("has no valid host name")
    return host


def _in_ascii(text: str) -> str:
    import idna

    try:
        return idna.encode(text, uts46=True, transitional=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise UrlRefused("has no valid host name") from error


def _ipv6(text: str) -> str:
    if "%" in text:
        raise UrlRefused("names a network interface in its host")
    try:
        return str(IPv6Address(text))
    except AddressValueError as error:
        raise UrlRefused("has no valid host name") from error


# Source: RFC 3986, 6.2.2: case of escapes, and none for what needs none.
def _escaped(text: str, safe: str) -> str:
    def spelled(escape: re.Match[str]) -> str:
        character = chr(int(escape[1], 16))
        return character if character in _UNRESERVED else escape[0].upper()

    text = _LONE_PERCENT.sub("%25", text)
    return quote(_ESCAPE.sub(spelled, text), safe=safe, errors="replace")


def _without_dots(path: str) -> str:
    """Return `path` without `.` and `..` (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            del kept[max(len(kept) - 1, 1) :]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/".join(kept)


# --- names of documents ------------------------------------------------------------------------


def document_id(url: Url, suffix: str) -> str:
    """Return the name of a page as a document, which ends in the suffix of its type.

    Where the address itself ends otherwise, the suffix stands behind a `#`, which no address
    without a fragment holds; so two addresses never have one name.
    """
    readable = _FOREIGN.sub(_shown, url.key)
    if not suffix or (suffix == url.suffix and not url.query):
        return readable
    return f"{readable}#{suffix}"


def key_of(id_: str) -> str:
    """Return the `Url.key` of the page that has the name `id_`."""
    key = id_.partition("#")[0]
    return quote(key, safe=_IN_QUERY + "[]", errors="replace")


def _shown(escapes: re.Match[str]) -> str:
    try:
        shown = unquote(escapes[0], errors="strict")
    except UnicodeDecodeError:
        return escapes[0]
    return shown if shown.isprintable() and " " not in shown else escapes[0]
