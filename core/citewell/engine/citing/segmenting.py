"""A model's Markdown, while it arrives, cut into the pieces that are checked one by one.

The pieces depend on the characters alone, never on how the stream was cut: every decision is made
on whole words and whole lines. Memory is bounded: what is longer than the caps below is cut or
passed over, and says so. A table is recognised by rows that begin with a bar and a rule below the
first; other lines with bars are prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

from msgspec import Struct

from citewell.engine.citing.marks import after_marks
from citewell.engine.citing.numbering import Numbering
from citewell.engine.citing.sentences import SURROGATES, Sentences
from citewell.engine.citing.tables import is_rule

MAX_LINE_CHARS = 4000
MAX_CODE_CHARS = 20_000

# A run of blanks or of other characters is whole when something else follows, or at its cap.
_TOKEN = re.compile(r"\n|[^\S\n]{400}|[^\S\n]++(?=[\S\n])|\S{1000}|\S++(?=\s)")
_LAST_TOKEN = re.compile(r"\n|[^\S\n]{1,400}|\S{1,1000}")
_FENCE = re.compile(r"(`{3,}|~{3,})([^\n]*)")
_HEADING = re.compile(r"\s*(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*")
_LIST_MARKER = re.compile(r"[-*+•]|(\d{1,9})[.)]")
_BREAK = re.compile(r"\s*(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,}|=+)\s*")
_LINE_OF_SIGNS = re.compile(r"#{1,6}|-{3,}|\*{3,}|_{3,}|={3,}")
_TAB_CHARS = 4
_QUOTE_SIGNS = "> "
_WORDLESS = re.compile(r"\W*")


class PieceKind(Enum):
    """What a piece of output is, before it is checked."""

    SENTENCE = auto()
    QUOTATION = auto()
    HEADING = auto()
    CODE = auto()
    ROW = auto()


class Piece(Struct, frozen=True, kw_only=True):
    """A stretch of model output that stands or falls as a whole.

    Attributes:
        lead: as in `Claim.lead`.
        raw: the model's own characters.
        body: the same without what only marks the kind: `#`, `>`, fences, a table's header.
        level: of a heading, from 1.
        language: of a code block, as the model named it.
        header: of a table row, the table's header row.
        rule: of a table row, the line below the header.
        oversize: it was longer than the cap; `raw` and `body` hold its beginning.
    """

    kind: PieceKind
    lead: str
    raw: str
    body: str
    level: int = 0
    language: str = ""
    header: str = ""
    rule: str = ""
    oversize: bool = False


class _Line(Enum):
    """How the line at hand is read."""

    START = auto()
    PROSE = auto()
    WHOLE = auto()
    FENCED = auto()


class Segmenter:
    """Cuts a stream of text into pieces."""

    _buffer = _line = _indent = _marker = ""
    _reading = _Line.START
    _oversize = _started = _marker_alone = _in_list = False
    _blank = True
    _block_lead: str | None = None
    _rows = 0
    _code: _CodeBlock

    def __init__(self, language: str) -> None:
        self._sentences = Sentences(language)
        self._numbering = Numbering()
        self._quoted: list[str] = []
        self._table: list[str] = []

    def feed(self, text: str) -> Iterator[Piece]:
        """Take the next characters; yield the pieces that they complete."""
        # A lone surrogate can be neither stored nor sent.
        self._buffer += SURROGATES.sub("\ufffd", text)
        position = 0
        while match := _TOKEN.match(self._buffer, position):
            position = match.end()
            yield from self._take(match[0])
        self._buffer = self._buffer[position:]

    def finish(self) -> Iterator[Piece]:
        """Yield what is left: the stream has ended."""
        for match in _LAST_TOKEN.finditer(self._buffer):
            yield from self._take(match[0])
        if self._reading is _Line.FENCED:
            yield self._code.finish()
        elif self._reading is _Line.WHOLE:
            yield from self._end_line()
        yield from self._end_blocks()

    def _take(self, token: str) -> Iterator[Piece]:
        match self._reading:
            case _Line.START:
                yield from self._begin(token)
            case _Line.PROSE:
                if token == "\n":
                    self._reading, self._indent = _Line.START, ""
                else:
                    yield from self._prose(token)
            case _Line.WHOLE:
                if token == "\n":
                    yield from self._end_line()
                else:
                    self._extend(token)
            case _Line.FENCED:
                yield from self._fenced(token)

    def _extend(self, token: str) -> None:
        if len(self._line) + len(token) <= MAX_LINE_CHARS:
            self._line += token
        else:
            self._oversize = True

    # --- the beginning of a line --------------------------------------------------------------

    def _begin(self, token: str) -> Iterator[Piece]:
        if token == "\n" and self._marker_alone:
            self._marker_alone, self._indent = False, ""
        elif token == "\n":
            yield from self._end_blocks()
            self._blank, self._indent, self._marker = True, "", ""
        elif token.isspace():
            self._indent = (self._indent + token)[:MAX_LINE_CHARS]
        elif self._is_list_marker(token):
            yield from self._end_blocks()
            marker = f"{self._indent.expandtabs(_TAB_CHARS)}{token} "
            if self._numbering.takes(marker):
                self._marker = marker
                self._in_list, self._indent, self._marker_alone = True, "", True
            else:
                yield from self._begin_prose(token)
        elif self._is_whole_line(token):
            self._reading, self._line, self._oversize = _Line.WHOLE, self._indent + token, False
        else:
            yield from self._begin_prose(token)

    def _is_list_marker(self, word: str) -> bool:
        marker = _LIST_MARKER.fullmatch(word)
        if marker is None or self._is_indented_code():
            return False
        # A paragraph goes on with "12." when a line was wrapped there.
        return not (marker[1] and self._sentences and not self._in_list and marker[1] != "1")

    def _is_indented_code(self) -> bool:
        width = len(self._indent.expandtabs(_TAB_CHARS))
        goes_on = bool(self._sentences or self._quoted or self._in_list or self._marker)
        return width >= _TAB_CHARS and not goes_on

    def _is_whole_line(self, word: str) -> bool:
        return (
            self._is_indented_code()
            or word.startswith(("|", ">", "```", "~~~"))
            or _LINE_OF_SIGNS.fullmatch(word) is not None
        )

    def _begin_prose(self, word: str) -> Iterator[Piece]:
        if self._quoted or self._table:
            yield from self._end_blocks()
        if self._sentences:
            yield from self._prose("\n" + self._indent)
        else:
            if self._blank and not self._indent:
                self._in_list = self._in_list and bool(self._marker)
            self._block_lead = self._lead()
        self._reading = _Line.PROSE
        yield from self._prose(word)

    def _lead(self) -> str:
        """Return the line breaks and the marker before the block that begins, and spend them."""
        newlines = ("\n\n" if self._blank else "\n") if self._started else ""
        lead = newlines + self._marker
        self._started, self._blank = True, False
        self._marker, self._marker_alone = "", False
        return lead

    # --- prose --------------------------------------------------------------------------------

    def _prose(self, token: str) -> Iterator[Piece]:
        for raw in self._sentences.add(token):
            yield from self._sentence(raw)

    def _sentence(self, raw: str) -> Iterator[Piece]:
        stripped = raw.strip()
        if _WORDLESS.fullmatch(stripped) or after_marks(stripped) == len(stripped):
            return
        lead = self._block_lead
        if lead is None:
            lead = " " if raw[0].isspace() else ""
        self._block_lead = None
        yield Piece(kind=PieceKind.SENTENCE, lead=lead, raw=stripped, body=stripped)

    # --- lines that are read whole ------------------------------------------------------------

    def _end_line(self) -> Iterator[Piece]:
        line, self._line = self._line, ""
        self._reading, indent, self._indent = _Line.START, self._indent, ""
        content = line.strip()
        self._in_list = self._in_list and bool(self._marker or indent)
        fence = _FENCE.fullmatch(content)
        if len(indent.expandtabs(_TAB_CHARS)) >= _TAB_CHARS and not self._in_list:
            yield from self._end_blocks()
            yield from self._indented_code(line)
        elif fence and not (fence[1].startswith("`") and "`" in fence[2]):
            yield from self._end_blocks()
            self._code = _CodeBlock(self._lead(), fence[1], fence[2])
            self._reading = _Line.FENCED
        elif content.startswith(">"):
            yield from self._quotation(content)
        elif content.startswith("|"):
            yield from self._table_line(content)
        elif _BREAK.fullmatch(content):
            yield from self._end_blocks()
            self._blank = True
        elif heading := _HEADING.fullmatch(content):
            yield from self._end_blocks()
            yield from self._heading(content, heading)
        else:
            yield from self._replay(content)

    def _replay(self, line: str) -> Iterator[Piece]:
        """Read as prose a line that only began like something else."""
        for index, match in enumerate(_LAST_TOKEN.finditer(line)):
            if index:
                yield from self._prose(match[0])
            else:
                yield from self._begin_prose(match[0])
        self._reading = _Line.START

    def _heading(self, content: str, heading: re.Match[str]) -> Iterator[Piece]:
        if heading[2]:
            yield Piece(
                kind=PieceKind.HEADING,
                lead=self._lead(),
                raw=content,
                body=heading[2],
                level=len(heading[1]),
                oversize=self._oversize,
            )

    def _indented_code(self, line: str) -> Iterator[Piece]:
        yield Piece(
            kind=PieceKind.CODE, lead=self._lead(), raw=line, body=line, oversize=self._oversize
        )

    def _quotation(self, content: str) -> Iterator[Piece]:
        if not self._quoted:
            yield from self._end_blocks()
        if not content.strip(_QUOTE_SIGNS):
            yield from self._end_blocks()
            self._blank = True
            return
        self._quoted.append(content)
        if sum(map(len, self._quoted)) > MAX_LINE_CHARS or self._oversize:
            yield from self._end_quotation(oversize=True)

    def _end_quotation(self, *, oversize: bool = False) -> Iterator[Piece]:
        if self._quoted:
            lines, self._quoted = self._quoted, []
            yield Piece(
                kind=PieceKind.QUOTATION,
                lead=self._lead() + "> ",
                raw="\n".join(lines),
                body=" ".join(line.lstrip(_QUOTE_SIGNS) for line in lines),
                oversize=oversize,
            )

    # --- tables -------------------------------------------------------------------------------

    def _table_line(self, content: str) -> Iterator[Piece]:
        if not self._table:
            yield from self._end_blocks()
            self._table = [content]
        elif len(self._table) == 1 and is_rule(content, below=self._table[0]):
            self._table.append(content)
        elif len(self._table) == 1:
            yield from self._bare_row(self._table[0])
            self._table = [content]
        else:
            yield self._row(content)

    def _row(self, content: str) -> Piece:
        header, rule = self._table
        self._rows += 1
        return Piece(
            kind=PieceKind.ROW,
            lead=self._lead(),
            raw=content if self._rows > 1 else f"{header}\n{rule}\n{content}",
            body=content,
            header=header,
            rule=rule,
            oversize=self._oversize,
        )

    def _bare_row(self, content: str) -> Iterator[Piece]:
        self._block_lead = self._lead()
        yield from self._sentence(content)

    def _end_table(self) -> Iterator[Piece]:
        if len(self._table) == 1:
            yield from self._bare_row(self._table[0])
        elif self._table and not self._rows:
            yield self._row("")
        self._table, self._rows = [], 0

    # --- the end of blocks --------------------------------------------------------------------

    def _end_blocks(self) -> Iterator[Piece]:
        for raw in self._sentences.flush():
            yield from self._sentence(raw)
        yield from self._end_quotation()
        yield from self._end_table()

    # --- fenced code --------------------------------------------------------------------------

    def _fenced(self, token: str) -> Iterator[Piece]:
        if token != "\n":
            self._code.add(token)
            self._extend(token)
            return
        line, self._line = self._line, ""
        if self._code.is_closed_by(line):
            self._reading = _Line.START
            yield self._code.finish()
        else:
            self._code.add("\n")


class _CodeBlock:
    """The fenced code block at hand."""

    def __init__(self, lead: str, fence: str, info: str) -> None:
        self._lead, self._fence, self._info = lead, fence, info
        self._body: list[str] = []
        self._length = 0

    def add(self, token: str) -> None:
        self._length += len(token)
        if self._length <= MAX_CODE_CHARS:
            self._body.append(token)

    def is_closed_by(self, line: str) -> bool:
        content = line.strip()
        return content.startswith(self._fence) and len(set(content)) == 1

    def finish(self) -> Piece:
        body = "".join(self._body)
        raw = f"{self._fence}{self._info}\n{body}"
        lines = body.split("\n")
        if self.is_closed_by(lines[-1]):
            lines.pop()
        return Piece(
            kind=PieceKind.CODE,
            lead=self._lead,
            raw=raw,
            body="\n".join(lines),
            language=self._info.strip(),
            oversize=self._length > MAX_CODE_CHARS,
        )
