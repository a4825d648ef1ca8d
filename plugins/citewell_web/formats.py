"""Which suffix, and so which loader, fits what a server says of its content."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from mimetypes import MimeTypes

from citewell_web.urls import Url

HTML = (".html", ".htm", ".xhtml")
_SUFFIXES = {
    "text/html": HTML,
    "application/xhtml+xml": (".xhtml", ".html", ".htm"),
    "text/markdown": (".md", ".markdown", ".mdown"),
    "text/x-markdown": (".md", ".markdown", ".mdown"),
    "text/x-rst": (".rst", ".rest"),
    "text/prs.fallenstein.rst": (".rst", ".rest"),
    "text/csv": (".csv",),
    "text/tab-separated-values": (".tsv",),
    "application/pdf": (".pdf",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (".docx",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (".pptx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (".xlsx",),
}
_VAGUE = frozenset({
    "",
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-download",
})
_UNREAD = frozenset({"image", "audio", "video", "font"})
_PACKED = frozenset({
    *("application/zip", "application/x-tar", "application/gzip", "application/java-archive"),
    *("application/javascript", "text/javascript", "text/css", "application/json"),
})
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:+-]+)", re.IGNORECASE)
_TYPES = MimeTypes()  # without what this machine adds


def suffix_of(url: Url, content_type: str, readable: AbstractSet[str] | None) -> str:
    """Return the suffix of what `url` brings; empty when nothing tells.

    Args:
        url: what was asked for.
        content_type: header of the answer.
        readable: suffixes that some loader reads; None when unknown.
    """
    kind = content_type.partition(";")[0].strip().lower()
    own = url.suffix
    if kind in _SUFFIXES:
        return own if own in _SUFFIXES[kind] else _SUFFIXES[kind][0]
    is_readable = bool(own) and (readable is None or own in readable)
    if kind in _VAGUE:
        return own if is_readable else (own or ("" if kind else HTML[0]))
    if kind == "text/plain":
        # Markdown and many others are served so; what is no text is not.
        is_other = own in HTML or own in {".pdf", ".docx", ".pptx", ".xlsx"}
        return own if is_readable and not is_other else ".txt"
    return own or _TYPES.guess_extension(kind) or ""


def is_certainly_unread(url: Url, readable: AbstractSet[str] | None) -> bool:
    """Tell whether an address need not be asked for: its suffix says picture, archive and so on."""
    if not url.suffix or (readable is not None and url.suffix in readable):
        return False
    kind, packed = _TYPES.guess_type(f"file{url.suffix}")
    if kind is None:
        return packed is not None
    return kind.partition("/")[0] in _UNREAD or kind in _PACKED


def charset_of(content_type: str) -> str | None:
    """Return the encoding that a header names."""
    found = _CHARSET.search(content_type)
    return found[1] if found else None
