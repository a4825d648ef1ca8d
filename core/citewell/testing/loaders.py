"""What every loader must do, as tests."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, cast

from citewell.errors import DocumentError
from citewell.library.reading import Reader
from citewell.protocols import Loader
from citewell.specs import LoaderSpec
from citewell.testing.opening import context_for, find, run_async
from citewell.types.documents import Document, Place, RawDocument

_TEXT = "The backup server restarted at night.\nThe door was opened at 22:14.\n"
_SURROGATE = re.compile("[\ud800-\udfff]")
_BROKEN: Mapping[str, bytes] = {
    "nothing": b"",
    "zeros": b"\0" * 5000,
    "noise": bytes(range(256)) * 40,
    "half a character": b"\xc3",
    "an archive that is none": b"PK\x03\x04" + b"\xff" * 400,
    "markup without end": b"<" * 20_000,
}


class LoaderContract:
    """Subclass it, set `name`, and pytest tests your loader.

    A loader that does not read plain text overrides `samples`; that of a plugin file, which is not
    installed, overrides `spec`.

    Attributes:
        name: under which a plugin that is installed offers the loader.
        config: its settings, as they would stand in `citewell.toml`.
        quotes: text that the samples hold, and where it stands; only what is set of a place is
            compared.
    """

    name: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}
    quotes: ClassVar[Mapping[str, Place]] = {}

    def samples(self, folder: Path) -> Sequence[Path]:
        """Write files that the loader can read into `folder`, and return them."""
        suffix = self.spec.suffixes[0]
        sample = folder / f"sample{suffix}"
        sample.write_text(_TEXT, encoding="utf-8")
        return (sample,)

    @property
    def spec(self) -> LoaderSpec[Any]:
        """What the plugin registered."""
        return cast("LoaderSpec[Any]", find("loader", self.name))

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Loader]:
        """Open the loader; override to build it otherwise."""
        config = self.spec.config.model_validate(dict(self.config))
        async with self.spec.build(config, context_for("loader", self.name, folder)) as loader:
            yield loader

    async def _documents(self, folder: Path) -> list[tuple[RawDocument, Document]]:
        samples = self.samples(folder)
        assert samples, "override `samples`: there is no file to read"
        async with self.open(folder) as loader:
            return [(raw, _load(loader, raw)) for raw in map(_raw, samples)]

    @run_async
    async def test_reads_its_samples(self, tmp_path: Path) -> None:
        for raw, document in await self._documents(tmp_path):
            assert document.id == raw.id, "the document's id is that of the file"
            assert document.uri == raw.uri, "hand on `raw.uri`"
            assert document.title.strip(), "a document has a title; its file name will do"
            assert "\n" not in document.title, "a title is one line"
            assert document.text.strip(), f"{raw.path.name} gave no text"

    @run_async
    async def test_text_is_clean(self, tmp_path: Path) -> None:
        for _, document in await self._documents(tmp_path):
            assert "\0" not in document.text, "NUL cannot be stored as text"
            assert "\r" not in document.text, "lines end in \\n alone"
            assert not _SURROGATE.search(document.text), (
                "text must be encodable; drop lone surrogates"
            )

    @run_async
    async def test_every_character_has_a_place(self, tmp_path: Path) -> None:
        for _, document in await self._documents(tmp_path):
            starts = [placed.start for placed in document.places]
            assert starts[:1] == [0], "the first place begins at 0"
            assert starts == sorted(set(starts)), "places ascend, each at its own character"
            assert starts[-1] < len(document.text), "a place begins behind the text"
            for offset in range(0, len(document.text), 1 + len(document.text) // 500):
                _check_place(document.place_at(offset))

    @run_async
    async def test_parts_are_in_order(self, tmp_path: Path) -> None:
        for _, document in await self._documents(tmp_path):
            for part in document.parts:
                assert 0 <= part.start < part.end <= len(document.text), (
                    f"{part} is not in the text"
                )
                header_end = part.start if part.header_end is None else part.header_end
                assert part.start <= header_end <= part.end, f"{part}: its header is not in it"
                above, below = part.header or (0, 0)
                assert 0 <= above <= below <= part.start, f"{part}: its header is not before it"
            for before, after in pairwise(document.parts):
                assert before.end <= after.start, f"{before} and {after} overlap"

    @run_async
    async def test_quotes_are_where_they_stand(self, tmp_path: Path) -> None:
        documents = [document for _, document in await self._documents(tmp_path)]
        for quote, expected in self.quotes.items():
            places = [
                document.place_at(document.text.index(quote))
                for document in documents
                if quote in document.text
            ]
            assert places, f"no sample holds {quote!r}"
            assert any(_agrees(place, expected) for place in places), (
                f"{quote!r} stands at {places[0]}; expected {expected}"
            )

    @run_async
    async def test_the_same_file_gives_the_same_document(self, tmp_path: Path) -> None:
        first = await self._documents(tmp_path)
        second = await self._documents(tmp_path)

        assert first == second, "a file that is read twice must give equal documents"

    @run_async
    async def test_works_in_a_process_of_its_own(self, tmp_path: Path) -> None:
        here = await self._documents(tmp_path)
        config = self.spec.config.model_validate(dict(self.config))
        async with Reader(processes=1, data_dir=tmp_path, base_dir=tmp_path) as reader:
            for raw, document in here:
                there = await reader.read(raw, self.spec, config)
                assert there.text == document.text, "it reads otherwise in a process of its own"
                assert there.places == document.places, (
                    "its places are others in a process of its own"
                )

    @run_async
    async def test_broken_files_are_refused_in_words(self, tmp_path: Path) -> None:
        broken = dict(_BROKEN)
        for sample in self.samples(tmp_path):
            content = sample.read_bytes()
            broken[f"half of {sample.name}"] = content[: len(content) // 2]
            broken[f"{sample.name} with a hole"] = content[:40] + content[60:]
        async with self.open(tmp_path) as loader:
            for what, content in broken.items():
                path = tmp_path / f"broken{self.spec.suffixes[0]}"
                path.write_bytes(content)
                _check_broken(loader, _raw(path), what)


def _raw(path: Path) -> RawDocument:
    return RawDocument(id=path.name, path=path, uri=path.as_uri())


def _load(loader: Loader, raw: RawDocument) -> Document:
    try:
        return loader.load(raw)
    except DocumentError as error:
        raise AssertionError(
            f"{raw.path.name} was refused: {error}; override `samples` with files that it reads"
        ) from error


def _check_broken(loader: Loader, raw: RawDocument, what: str) -> None:
    """Check that the loader either makes something of the file or says why not."""
    try:
        document = loader.load(raw)
    except DocumentError as error:
        _check_reason(str(error), raw, what)
    except Exception as error:
        raise AssertionError(f"{what}: raised {error!r}; expected a DocumentError") from error
    else:
        assert document.id == raw.id, f"{what}: the document's id is that of the file"
        assert not document.text or document.places, f"{what}: text without places"


def _check_reason(reason: str, raw: RawDocument, what: str) -> None:
    assert reason.strip(), f"{what}: say why it cannot be read"
    assert "\n" not in reason, f"{what}: the reason is one line"
    assert str(raw.path) not in reason, f"{what}: whoever reports the reason adds the path"


def _check_place(place: Place) -> None:
    for name in ("page", "slide", "line"):
        number = getattr(place, name)
        assert number is None or number >= 1, f"{name} counts from 1: {place}"
    assert all(place.headings), f"an empty heading: {place}"
    assert place.anchor is None or not place.anchor.startswith("#"), "an anchor has no #"


def _agrees(place: Place, expected: Place) -> bool:
    names = ("page", "slide", "line", "anchor", "sheet", "cell", "headings")
    wanted = {name: getattr(expected, name) for name in names if getattr(expected, name)}
    return all(getattr(place, name) == value for name, value in wanted.items())
