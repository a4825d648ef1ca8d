"""What an HTML page says about itself and about others."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from lxml import etree
from msgspec import Struct

from citewell_web.urls import Url, UrlRefused, parse

_SEARCHED_BYTES = 4 * 2**20
_MOST_LINKS = 5000
_REFERENCES = {"a": "href", "area": "href", "iframe": "src", "frame": "src"}
_HEADER_RULE = re.compile(r"(?:([\w-]+)\s*:)?\s*([\w-]+)")
_ROBOTS = frozenset({"robots", "citewell"})
# Python's own, which no browser knows. To undo punycode takes time by the square of the length.
_NO_PAGE_IS_IN = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape"})


class Page(Struct, frozen=True, kw_only=True):
    """What a page says.

    Attributes:
        links: addresses that it leads to, in the order of the page, each once.
        canonical: the address that it would be called by.
        is_index: whether it may be kept.
        is_follow: whether its links may be followed.
    """

    links: tuple[Url, ...] = ()
    canonical: Url | None = None
    is_index: bool = True
    is_follow: bool = True


def read(data: bytes, url: Url) -> Page:
    """Return what a page says, of a large one only its beginning; nothing it names is fetched."""
    # Half a character at the cut is replaced.
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True, recover=True)
    try:
        page = etree.fromstring(data[:_SEARCHED_BYTES], parser)
    except etree.XMLSyntaxError:
        page = None
    return Page() if page is None else _said(page, url)


def _said(page: etree._Element, url: Url) -> Page:
    base: Url | None = None
    canonical: Url | None = None
    rules: set[str] = set()
    links: dict[str, Url] = {}
    for element in page.iter("base", "meta", "link", *_REFERENCES):
        tag = str(element.tag)
        if tag == "base" and base is None and element.get("href"):
            base = _address(element.get("href", ""), url)
        elif tag == "meta" and element.get("name", "").strip().lower() in _ROBOTS:
            rules |= _rules(element.get("content", ""))
        elif tag == "link" and "canonical" in element.get("rel", "").lower().split():
            canonical = canonical or _address(element.get("href", ""), base or url)
        elif tag in _REFERENCES and len(links) < _MOST_LINKS:
            for link in _links(element, base or url):
                links.setdefault(link.key, link)
    return Page(
        links=tuple(links.values()),
        canonical=canonical,
        is_index=not rules & {"noindex", "none"},
        is_follow=not rules & {"nofollow", "none"},
    )


def _links(element: etree._Element, base: Url) -> Iterator[Url]:
    if "nofollow" in element.get("rel", "").lower().split():
        return
    href = element.get(_REFERENCES[str(element.tag)])
    if href and not href.startswith("#") and (link := _address(href, base)) is not None:
        yield link


def _address(text: str, base: Url) -> Url | None:
    try:
        return parse(text, base)
    except UrlRefused:
        return None


def _rules(text: str) -> set[str]:
    return {rule.strip().lower() for rule in text.split(",")}


def header_rules(header: str) -> set[str]:
    """Return what `X-Robots-Tag` says to everybody, or to Citewell by name."""
    rules: set[str] = set()
    addressed = ""
    for part in header.lower().split(","):
        found = _HEADER_RULE.match(part.strip())
        if found is None:
            continue
        # A name holds for the rules behind it as well, up to the next name.
        addressed = found[1] or addressed
        if addressed in {"", "citewell"} or found[1] == "unavailable_after":
            rules.add(found[2])
    return rules


def as_utf8(data: bytes, charset: str | None) -> bytes:
    """Return a page in UTF-8 where its server names another encoding, and the page is in it.

    A byte order mark weighs more than the server's word (WHATWG Encoding Standard).
    """
    if charset is None or data.startswith((
        codecs.BOM_UTF8,
        codecs.BOM_UTF16_BE,
        codecs.BOM_UTF16_LE,
    )):
        return data
    try:
        codec = codecs.lookup(charset)
        if not codec._is_text_encoding or codec.name.replace("_", "-") in _NO_PAGE_IS_IN:  # noqa: SLF001 - no public name tells it
            return data
        return data.decode(charset).encode()
    except (LookupError, ValueError):
        return data
