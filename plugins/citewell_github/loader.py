"""A thread as text in which each character belongs to what one person wrote.

Headings of ours say who wrote what follows; headings that somebody wrote open no section, so a
comment cannot pass for another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate

from markdown_it import MarkdownIt
from markdown_it.token import Token

from citewell import Document, DocumentError, Part, PartKind, Place, Placed, RawDocument
from citewell_github.threads import Post, Thread, decode

_KINDS = {
    "heading_open": PartKind.HEADING,
    "paragraph_open": PartKind.PARAGRAPH,
    "blockquote_open": PartKind.PARAGRAPH,
    "html_block": PartKind.PARAGRAPH,
    "bullet_list_open": PartKind.LIST,
    "ordered_list_open": PartKind.LIST,
    "table_open": PartKind.TABLE,
    "fence": PartKind.CODE,
    "code_block": PartKind.CODE,
}
_MOST_TITLE_CHARS = 300
_PARSED_CHARS = 300_000
"""GitHub allows 65,536; a longer text is cut into paragraphs alone."""

# A heading of ours, in what somebody wrote: after #, also in a quote or a list, above a rule, or in
# HTML. A backslash goes where it makes it a text like any other.
_SAYS = r"\bcommented on \d{4}-"
_FORGED = re.compile(
    rf"^[ \t]*(?:(?:>|[-*+]|\d{{1,9}}[.)])[ \t]*)*(?=#{{1,6}}[ \t].*{_SAYS})"
    rf"|^.*{_SAYS}.*\n[ \t>]*(?=(?:=+|-+)[ \t]*$)"
    rf"|(?=<h[1-6]\b[\s\S]{{0,300}}?{_SAYS})",
    re.MULTILINE | re.IGNORECASE,
)
_SIGN = re.compile(r"`+|<!--")
_NOT_NEWLINE = re.compile(r"[^\n]")
_LINE_END = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class ThreadLoader:
    """Reads what the source `github` writes."""

    def __init__(self) -> None:
        self._blocks = MarkdownIt("commonmark").enable("table")
        # Only blocks have lines; what is inside them stays as it is written.
        self._blocks.core.ruler.enableOnly(["normalize", "block"])

    def load(self, raw: RawDocument) -> Document:
        """Return the thread's text.

        Raises:
            DocumentError: the file is not one that the source wrote.
        """
        try:
            thread = decode(raw.path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise DocumentError(
                "is no issue as the source github writes them; only that source makes such files"
            ) from error
        title = _line(thread.title)[:_MOST_TITLE_CHARS] or "Untitled"
        page = _Page()
        first, *comments = thread.posts
        page.begin(f"# {title}", Place(headings=(title,), anchor=first.anchor))
        page.paragraph(_about(thread))
        self._write(page, first.text)
        for post in comments:
            said = _heading(post)
            page.begin(f"## {said}", Place(headings=(title, said), anchor=post.anchor))
            self._write(page, post.text)
        return Document(
            id=raw.id,
            title=f"{title} (#{thread.number})",
            text=page.text,
            places=tuple(page.places),
            parts=tuple(page.parts),
            uri=raw.uri,
        )

    def _write(self, page: _Page, written: str) -> None:
        """Add what somebody wrote, but what GitHub shows to nobody."""
        text = _UNSTORABLE.sub("\ufffd", _LINE_END.sub("\n", written))
        text = _FORGED.sub(r"\g<0>\\", text).rstrip()
        if len(text) > _PARSED_CHARS:
            page.write(text, ())
            return
        tokens = [token for token in self._blocks.parse(text) if token.map]
        starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        starts[-1] = len(text)
        text = _shown(tokens, starts, text)
        page.write(text, tuple(_parts([one for one in tokens if not one.level], starts, text)))


class _Page:
    """Text that grows, with its places and parts."""

    def __init__(self) -> None:
        self.places: list[Placed] = []
        self.parts: list[Part] = []
        self._chunks: list[str] = []
        self._length = 0

    @property
    def text(self) -> str:
        """What it holds so far."""
        return "".join(self._chunks)

    def begin(self, heading: str, place: Place) -> None:
        """Begin what one person wrote."""
        start = self._add(heading)
        self.places.append(Placed(start, place))
        self.parts.append(Part(kind=PartKind.HEADING, start=start, end=self._length))

    def paragraph(self, text: str) -> None:
        """Add a paragraph of ours."""
        start = self._add(text)
        self.parts.append(Part(kind=PartKind.PARAGRAPH, start=start, end=self._length))

    def write(self, text: str, parts: tuple[Part, ...]) -> None:
        """Add a text; the spans of `parts` are those in it."""
        if not text.strip():
            return
        start = self._add(text)
        for part in parts:
            header_end = None if part.header_end is None else start + part.header_end
            self.parts.append(
                Part(
                    kind=part.kind,
                    start=start + part.start,
                    end=start + part.end,
                    header_end=header_end,
                )
            )

    def _add(self, text: str) -> int:
        gap = "\n\n" if self._chunks else ""
        start = self._length + len(gap)
        self._chunks += (gap, text)
        self._length = start + len(text)
        return start


def _heading(post: Post) -> str:
    return f"{_line(post.author)} commented on {_line(post.day)}"


def _about(thread: Thread) -> str:
    first = thread.posts[0]
    labels = ", ".join(map(_line, thread.labels))
    labelled = f", labelled {labels}" if labels else ""
    return (
        f"{_line(thread.kind)} #{thread.number} in {_line(thread.repository)}, opened by "
        f"{_line(first.author)} on {_line(first.day)}, {_line(thread.state)}{labelled}."
    )


def _line(text: str) -> str:
    """Return `text` on one line."""
    return " ".join(_UNSTORABLE.sub("\ufffd", text).split())


def _shown(tokens: list[Token], starts: list[int], text: str) -> str:
    """Return `text` with blanks for its comments, which GitHub shows to nobody."""
    pieces: list[str] = []
    at = 0
    for token in tokens:
        if token.type not in {"html_block", "inline", "table_open"}:
            continue
        start, end = _span(token, starts)
        for hidden in _comments(text[start:end], is_html=token.type == "html_block"):
            first, last = start + hidden.start, start + hidden.stop
            if first >= at:
                pieces += (text[at:first], _NOT_NEWLINE.sub(" ", text[first:last]))
                at = last
    return "".join((*pieces, text[at:]))


def _comments(text: str, *, is_html: bool) -> Iterator[slice]:
    """Yield where comments stand in a block; in HTML, code has no ticks, and the end closes."""
    signs = [*_SIGN.finditer(text)]
    last_run = {found[0]: found.start() for found in signs}
    at, closed_by = 0, ""
    for found in signs:
        if closed_by:
            closed_by = "" if found[0] == closed_by else closed_by
        elif found.start() < at or (not is_html and _is_escaped(text, found.start())):
            continue
        elif found[0] != "<!--":
            is_code = not is_html and last_run[found[0]] > found.start()
            closed_by = found[0] if is_code else ""
        else:
            end = text.find("-->", found.start() + 2)
            if end < 0 and not is_html:
                return
            at = len(text) if end < 0 else end + 3
            yield slice(found.start(), at)


def _is_escaped(text: str, at: int) -> bool:
    begin = at
    while begin and text[begin - 1] == "\\":
        begin -= 1
    return (at - begin) % 2 == 1


def _span(token: Token, starts: list[int]) -> tuple[int, int]:
    first, last = token.map or (0, 0)
    return starts[first], starts[last]


def _parts(tokens: list[Token], starts: list[int], text: str) -> Iterator[Part]:
    for token in tokens:
        kind = _KINDS.get(token.type)
        start, end = _span(token, starts)
        end = start + len(text[start:end].rstrip())
        if kind is None or start >= end:
            continue
        first = (token.map or (0, 0))[0]
        # A header row and the rule below it.
        header_end = min(starts[first + 2], end) if kind is PartKind.TABLE else None
        yield Part(kind=kind, start=start, end=end, header_end=header_end)
