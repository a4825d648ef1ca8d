"""Sitemaps: lists of pages, and lists of such lists (sitemaps.org, version 0.9)."""

from __future__ import annotations

from io import BytesIO

from lxml import etree
from msgspec import Struct

from citewell_web.inflating import Content, Damaged, TooLarge

MAX_BYTES = 50 * 2**20
"""The protocol allows no larger one, unpacked."""

_MOST_ENTRIES = 50_000
_DECLARATION = b"<!DOCTYPE"
_GZIP = b"\x1f\x8b"
_PIECE_BYTES = 64 * 1024
_DECLARED = "is no sitemap: it has a document type declaration"


class NoSitemap(Exception):
    """It cannot be read as a sitemap; says why."""


class Sitemap(Struct, frozen=True):
    """What a sitemap lists, as it is written.

    Attributes:
        pages: addresses of pages.
        sitemaps: addresses of further sitemaps.
    """

    pages: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()


def read(data: bytes) -> Sitemap:
    """Read a sitemap, packed by gzip or not.

    Raises:
        NoSitemap: it is none, is damaged, or holds what no sitemap needs.
    """
    found: dict[str, list[str]] = {"url": [], "sitemap": []}
    data = _unpacked(data)
    # Entities stand in a declaration: those of a bomb, and those that name a file of this machine.
    if _DECLARATION in (data.replace(b"\0", b"") if b"\0" in data else data):
        raise NoSitemap(_DECLARED)
    try:
        reader = etree.iterparse(
            BytesIO(data),
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        )
        for event, element in reader:
            if event == "end":
                _take(element, found)
            elif element.getparent() is None:
                _check(element)
    except etree.XMLSyntaxError as error:
        raise NoSitemap(f"is no sitemap: {' '.join(str(error).split())[:200]}") from error
    return Sitemap(tuple(found["url"]), tuple(found["sitemap"]))


def _check(root: etree._Element) -> None:
    # One in an encoding of which the bytes look otherwise is found here.
    if root.getroottree().docinfo.internalDTD is not None:
        raise NoSitemap(_DECLARED)
    if _name(root) not in {"urlset", "sitemapindex"}:
        raise NoSitemap(f"is no sitemap: it begins with <{_name(root)[:40]}>")


def _take(element: etree._Element, found: dict[str, list[str]]) -> None:
    """Note the address that an entry holds, and give its memory back."""
    kind = _name(element)
    if kind not in found:
        return
    loc = next((child for child in element if _name(child) == "loc"), None)
    address = (loc.text or "").strip() if loc is not None else ""
    if address:
        if len(found[kind]) == _MOST_ENTRIES:
            raise NoSitemap(f"lists more than {_MOST_ENTRIES} addresses, which none may")
        found[kind].append(address)
    element.clear()
    while (before := element.getprevious()) is not None:
        parent = before.getparent()
        if parent is None:
            break
        parent.remove(before)


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    content = Content("gzip", most=MAX_BYTES)
    try:
        for start in range(0, len(data), _PIECE_BYTES):
            content.feed(data[start : start + _PIECE_BYTES])
    except Damaged as error:
        raise NoSitemap(str(error)) from error
    except TooLarge as error:
        raise NoSitemap(f"is larger than {MAX_BYTES / 2**20:g} MB") from error
    return bytes(content.data)
