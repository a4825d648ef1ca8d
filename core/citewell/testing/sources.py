"""What every source of documents must do, as tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from citewell.errors import CitewellError
from citewell.protocols import Source
from citewell.testing.opening import opened, run_async
from citewell.types.documents import Changed, Gone, Unreadable

_NAMES = (
    "guide.md",
    "deep/er/note.md",
    "with space.md",
    "\u00fcn\u00efcode.md",
    "-dash.md",
    "a#b.md",
)


class SourceContract:
    """Subclass it, set `name`, and pytest tests your source.

    By default the source is given a folder. One that reads from elsewhere overrides `config`,
    `prepare`, `write`, `remove` and `spoil`; one whose files are not the plain text, also `text`.

    Attributes:
        name: under which a plugin that is installed offers the source.
    """

    name: ClassVar[str]

    def config(self, root: Path) -> Mapping[str, object]:
        """Return settings that make the source read what `write` wrote."""
        return {"path": str(root)}

    def prepare(self, root: Path) -> None:
        """Make a place without documents."""
        root.mkdir(parents=True, exist_ok=True)

    def write(self, root: Path, files: Mapping[str, str]) -> None:
        """Add or replace documents: name to text."""
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def remove(self, root: Path, name: str) -> None:
        """Take a document away."""
        (root / name).unlink()

    def text(self, changed: Changed) -> str:
        """Return the text that `write` wrote, from what the source hands over of it."""
        return changed.raw.path.read_text(encoding="utf-8")

    def spoil(self, root: Path) -> None:
        """Make it impossible to list the documents."""
        root.rename(root.with_name("elsewhere"))

    @asynccontextmanager
    async def open(self, root: Path) -> AsyncIterator[Source]:
        """Open the source; override to build it otherwise."""
        async with opened("source", self.name, self.config(root), root.parent) as source:
            yield source

    async def _changes(self, root: Path, known: Mapping[str, str]) -> _Seen:
        """Return what the source says, with the text of each changed document."""
        seen = _Seen()
        async with self.open(root) as source:
            async for change in source.changes(known):
                assert not isinstance(change, Unreadable), f"{change.id}: {change.reason}"
                if isinstance(change, Gone):
                    seen.gone.append(change.id)
                else:
                    assert change.raw.id not in seen.texts, f"{change.raw.id} came twice"
                    _check_labels(change)
                    seen.texts[change.raw.id] = self.text(change)
                    seen.versions[change.raw.id] = change.version
        return seen

    def _place(self, tmp_path: Path) -> Path:
        root = tmp_path / "documents"
        self.prepare(root)
        return root

    @run_async
    async def test_a_place_without_documents_has_no_changes(self, tmp_path: Path) -> None:
        seen = await self._changes(self._place(tmp_path), {})

        assert not seen.texts, f"nothing was written and yet told: {list(seen.texts)}"
        _check_none_gone(seen)

    @run_async
    async def test_every_document_is_new_at_first(self, tmp_path: Path) -> None:
        root = self._place(tmp_path)
        files = {name: f"The text of {name}.\n" for name in _NAMES}
        self.write(root, files)
        seen = await self._changes(root, {})

        assert sorted(seen.texts.values()) == sorted(files.values()), "a file is missing or wrong"
        assert all(seen.versions.values()), "a version is not empty"
        _check_none_gone(seen)

    @run_async
    async def test_what_is_known_is_not_told_again(self, tmp_path: Path) -> None:
        root = self._place(tmp_path)
        self.write(root, {name: name for name in _NAMES})
        first = await self._changes(root, {})
        second = await self._changes(root, first.versions)

        assert not second.texts, f"unchanged and told again: {list(second.texts)}"
        _check_none_gone(second)

    @run_async
    async def test_only_what_changed_is_told(self, tmp_path: Path) -> None:
        root = self._place(tmp_path)
        self.write(root, {"a.md": "one", "b.md": "two"})
        first = await self._changes(root, {})
        self.write(root, {"a.md": "uno"})
        second = await self._changes(root, first.versions)

        assert list(second.texts.values()) == ["uno"], (
            f"one document changed and {len(second.texts)} were told; "
            "tell those whose version is not the known one"
        )
        _check_none_gone(second)
        (changed,) = second.versions
        assert second.versions[changed] != first.versions[changed], "another text, another version"

    @run_async
    async def test_the_version_is_that_of_the_content(self, tmp_path: Path) -> None:
        root = self._place(tmp_path)
        self.write(root, {"a.md": "one"})
        first = await self._changes(root, {})
        self.write(root, {"a.md": "two"})
        self.write(root, {"a.md": "one"})
        second = await self._changes(root, first.versions)

        assert not second.texts, "the content is what it was; only it may decide the version"

    @run_async
    async def test_what_was_removed_is_gone(self, tmp_path: Path) -> None:
        root = self._place(tmp_path)
        self.write(root, {"a.md": "one", "b.md": "two"})
        first = await self._changes(root, {})
        self.remove(root, "a.md")
        second = await self._changes(root, {**first.versions, "never/was.md": "1"})

        removed = next(one for one, text in first.texts.items() if text == "one")
        assert sorted(second.gone) == sorted([removed, "never/was.md"]), (
            f"gone: {second.gone}; tell each known document that is not there, once"
        )
        assert not second.texts, f"unchanged and told again: {list(second.texts)}"

    @run_async
    async def test_files_stay_readable_after_the_last_change(self, tmp_path: Path) -> None:
        root = self._place(tmp_path)
        self.write(root, {"a.md": "one", "b.md": "two"})
        async with self.open(root) as source:
            changes = [change async for change in source.changes({})]
            texts = sorted(self.text(one) for one in changes if isinstance(one, Changed))

        assert texts == ["one", "two"], "keep each file as it is until the source is closed"

    @run_async
    async def test_a_hundred_documents(self, tmp_path: Path) -> None:
        root = self._place(tmp_path)
        files = {f"folder{number % 7}/file{number}.md": str(number) for number in range(100)}
        self.write(root, files)
        seen = await self._changes(root, {})

        assert sorted(seen.texts.values()) == sorted(files.values()), (
            f"100 documents were written and {len(seen.texts)} told; tell each, with its text"
        )

    @run_async
    async def test_it_can_be_left_early(self, tmp_path: Path) -> None:
        root = self._place(tmp_path)
        self.write(root, {name: name for name in _NAMES})
        async with self.open(root) as source:
            changes = cast("Any", source.changes({}))
            async with aclosing(changes):
                first = await anext(changes)
        again = await self._changes(root, {})

        assert isinstance(first, Changed), f"the first change is {first}; a new one is Changed"
        assert len(again.texts) == len(_NAMES), "what was not known is told again the next time"

    @run_async
    async def test_a_place_that_cannot_be_listed_loses_nothing(self, tmp_path: Path) -> None:
        root = self._place(tmp_path)
        self.write(root, {"a.md": "one"})
        first = await self._changes(root, {})
        self.spoil(root)

        with pytest.raises(CitewellError):
            await self._changes(root, first.versions)


def _check_labels(changed: Changed) -> None:
    labels = changed.raw.labels
    assert labels is None or (isinstance(labels, frozenset) and all(labels)), (
        f"{changed.raw.id} has the labels {labels!r}; give a frozenset of words, or None where the "
        "source does not know who may read it"
    )


def _check_none_gone(seen: _Seen) -> None:
    assert not seen.gone, f"told as gone, though known and still there: {seen.gone}"


class _Seen:
    """What a source said."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self.gone: list[str] = []
