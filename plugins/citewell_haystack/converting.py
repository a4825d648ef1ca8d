"""The loader `haystack`: what a converter makes of a file, with the places that it keeps."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from citewell import (
    Context,
    Document,
    DocumentError,
    Part,
    PartKind,
    Place,
    Placed,
    PluginError,
    RawDocument,
    place_at,
)
from citewell_haystack.importing import import_haystack, named_class
from citewell_haystack.plugin import ConverterConfig
from citewell_haystack.telling import told

if TYPE_CHECKING:
    from haystack import Document as HaystackDocument

_BETWEEN = "\n\n"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_BREAK = "\f"


class _Draft(Struct):
    """A document as it grows."""

    text: str = ""
    places: list[Placed] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


class ConverterLoader:
    """Turns files into text by a converter of Haystack.

    Args:
        converter: a component that takes `sources`.
        splitter: a component that takes `documents`; None to split at blank lines.
        config: says what form feeds and lines mean.
    """

    def __init__(self, converter: Any, splitter: Any, config: ConverterConfig) -> None:
        self._converter = converter
        self._splitter = splitter
        self._config = config

    def load(self, raw: RawDocument) -> Document:
        """Read a file.

        Raises:
            DocumentError: it cannot be read, or holds no text.
        """
        converted = [one for one in self._converted(raw) if one.content and one.content.strip()]
        if not converted:
            raise DocumentError("holds no text that the converter could read")
        draft = _Draft()
        for one in converted:
            draft.text += _BETWEEN if draft.text else ""
            self._add(draft, one, is_only=len(converted) == 1)
        title = converted[0].meta.get("title")
        named = " ".join(title.split()) if isinstance(title, str) else ""
        return Document(
            id=raw.id,
            title=named or raw.path.name,
            # Whoever reads it sees a line end; it is as long as what it stands for.
            text=draft.text.replace(_BREAK, "\n"),
            places=tuple(draft.places),
            parts=tuple(draft.parts),
            uri=raw.uri,
        )

    def _converted(self, raw: RawDocument) -> list[HaystackDocument]:
        try:
            documents = self._converter.run(sources=[raw.path])["documents"]
        except Exception as error:
            said = told(error).replace(str(raw.path), "the file")
            raise DocumentError(f"cannot be converted: {said}") from error
        return [dataclasses.replace(one, content=_clean(one.content or "")) for one in documents]

    def _add(self, draft: _Draft, converted: HaystackDocument, *, is_only: bool) -> None:
        """Add what a file became, or one of the sheets that it became."""
        start, text = len(draft.text), converted.content or ""
        draft.text += text
        first = Place(
            sheet=_sheet(converted.meta), line=1 if self._config.lines and is_only else None
        )
        places = {start: first}
        if _BREAK in text:
            places |= self._paged(text, start, first)
        for piece, begin, end in self._pieces(converted):
            draft.parts.append(Part(kind=PartKind.PARAGRAPH, start=start + begin, end=start + end))
            headings = _headings(piece.meta)
            if headings:
                places[start + begin] = _under(headings, places, draft.text, start + begin)
        draft.places += [Placed(at, places[at]) for at in sorted(places)]

    def _paged(self, text: str, start: int, first: Place) -> dict[int, Place]:
        """Return the places at which pages or slides begin."""
        begins = [
            0,
            *(at + 1 for at, one in enumerate(text) if one == _BREAK and at + 1 < len(text)),
        ]
        return {
            start + at: Place(sheet=first.sheet, page=number)
            if self._config.form_feeds == "page"
            else Place(sheet=first.sheet, slide=number)
            for number, at in enumerate(begins, 1)
        }

    def _pieces(self, converted: HaystackDocument) -> list[tuple[HaystackDocument, int, int]]:
        """Return the splitter's pieces that hold something, each with its span in the text.

        Raises:
            DocumentError: a piece does not stand in the text, or two overlap.
        """
        if self._splitter is None:
            return []
        text = converted.content or ""
        try:
            pieces = self._splitter.run(documents=[converted])["documents"]
        except Exception as error:
            raise DocumentError(f"cannot be split: {told(error)}") from error
        found: list[tuple[HaystackDocument, int, int]] = []
        before = 0
        for piece in pieces:
            content = piece.content or ""
            if not content.strip():
                continue
            begin = piece.meta.get("split_idx_start")
            if begin is None:
                begin = text.find(content, before)
            if begin < before or text[begin : begin + len(content)] != content:
                raise DocumentError(
                    "cannot be split: a piece overlaps another one, or does not stand in the text; "
                    "set split_overlap = 0, or choose another splitter"
                )
            before = begin + len(content)
            found.append((piece, begin, before))
        return found


def open_loader(config: ConverterConfig, context: Context) -> ConverterLoader:
    """Return the loader that the settings describe.

    Raises:
        MissingExtra: Haystack is not installed.
        PluginError: the converter or the splitter cannot be had.
    """
    component = f'loader "{context.name}"'
    import_haystack(component)
    converter = _made(
        config.converter,
        config.parameters,
        within="components.converters",
        takes="sources",
        component=component,
    )
    splitter = None
    if config.splitter is not None:
        splitter = _made(
            config.splitter,
            config.splitter_parameters,
            within="components.preprocessors",
            takes="documents",
            component=component,
        )
    return ConverterLoader(converter, splitter, config)


def _made(
    path: str, parameters: Mapping[str, Any], *, within: str, takes: str, component: str
) -> Any:
    made = named_class(path, within=within, has=("run",), component=component)
    # Some components of the same package run code that is a parameter of theirs.
    if takes not in inspect.signature(made.run).parameters:  # type: ignore[attr-defined]
        raise PluginError(f"{component}: {path} takes no {takes}; expected one that does")
    try:
        found = made(**parameters)
    except Exception as error:
        raise PluginError(f"{component}: {path} cannot be made: {told(error)}") from error
    warm_up = getattr(found, "warm_up", None)
    if warm_up is not None:
        warm_up()
    return found


def _clean(text: str) -> str:
    return _UNSTORABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _sheet(meta: Mapping[str, Any]) -> str | None:
    about = meta.get("xlsx")
    name = about.get("sheet_name") if isinstance(about, Mapping) else None
    return name if isinstance(name, str) and name else None


def _headings(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the headings above a piece, as splitters at headings tell them."""
    found: Sequence[Any] = [*(meta.get("parent_headers") or ()), meta.get("header")]
    return tuple(" ".join(one.split()) for one in found if isinstance(one, str) and one.strip())


def _under(headings: tuple[str, ...], places: Mapping[int, Place], text: str, begin: int) -> Place:
    """Return the place at `begin`, below `headings`."""
    placed = [Placed(at, places[at]) for at in sorted(places)]
    return replace(place_at(placed, text, begin), headings=headings)
