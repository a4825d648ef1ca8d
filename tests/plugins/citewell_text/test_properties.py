"""Whatever the file holds, each character of its text has its true place."""

import json
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citewell import DocumentError, PartKind, RawDocument
from citewell_text.csv import CsvLoader
from citewell_text.html import HtmlLoader
from citewell_text.markdown import MarkdownLoader
from citewell_text.plain import PlainLoader
from citewell_text.restructuredtext import RestructuredTextLoader

VERBATIM = {
    ".md": MarkdownLoader(),
    ".rst": RestructuredTextLoader(),
    ".txt": PlainLoader(),
}
LOADERS = VERBATIM | {".html": HtmlLoader(), ".csv": CsvLoader(max_cells=100_000)}

LINES = st.sampled_from([
    *("# A heading", "## Another *one*", "### A heading", "#", "Setext", "======", "-----", "~~~~"),
    *("- item", "  - deeper", "1. first", "> quoted", "> # in a quote", "```", "~~~ python"),
    *("    indented", "| a | b |", "|---|---|", "| 1 |", "***", "<div id='x'>", "</div>", "---"),
    *(".. note::", "   text", "::", "=====  =====", "A      B", "+---+---+", "| 1 | 2 |", "+===+"),
    *(".. code-block:: python", ".. _target:", "`link`_", "title: x", "<h2>Title</h2>", "<table>"),
    *(
        "<tr><td>x</td><td>",
        "<pre>",
        "</pre>",
        "<ul><li>",
        "<!--",
        "-->",
        "<p>text<br>more",
        "<script>",
    ),
    *(
        "a,b;c",
        '"quoted',
        '"',
        "x\ty",
        ",,",
        "\u00e9\u4e2d\U0001f600",
        "\u2028",
        "\x0b",
        "\x0c",
        "\x85",
        "",
        " ",
    ),
])
TEXTS = st.lists(LINES | st.text(max_size=30), max_size=25).map("\n".join)


def load(loader, suffix, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(data)
        try:
            return loader.load(RawDocument(id=f"a/file{suffix}", path=path))
        except DocumentError as error:
            reason = str(error)
    assert "\n" not in reason
    assert str(path) not in reason
    return None


def check(document):
    text = document.text
    starts = [placed.start for placed in document.places]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert starts[-1] <= len(text)
    assert document.title.strip()
    position = 0
    for part in document.parts:
        assert position <= part.start < part.end <= len(text)
        assert not text[part.end - 1].isspace()
        if part.kind is PartKind.TABLE and part.header_end is not None:
            assert part.start <= part.header_end <= part.end
        position = part.end
    for placed in document.places:
        assert all(heading.strip() for heading in placed.place.headings)
    text.encode()


@pytest.mark.parametrize("suffix", LOADERS)
@given(text=TEXTS)
@settings(max_examples=150, deadline=None)
def test_any_text_is_placed(suffix, text):
    document = load(LOADERS[suffix], suffix, text.encode("utf-8", "replace"))

    if document is not None:
        check(document)


@pytest.mark.parametrize("suffix", VERBATIM)
@given(text=TEXTS)
@settings(max_examples=100, deadline=None)
def test_lines_of_verbatim_text_are_those_of_the_file(suffix, text):
    data = text.encode("utf-8", "replace")
    document = load(VERBATIM[suffix], suffix, data)

    if document is not None:
        lines = data.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert document.text.replace("\ufffd", "\0") in {
            "\n".join(lines).replace("\ufffd", "\0"),
            "\n".join(lines).removeprefix("\ufeff").replace("\ufffd", "\0"),
        }
        for offset in range(0, len(document.text), 7):
            assert document.place_at(offset).line == document.text.count("\n", 0, offset) + 1


@pytest.mark.parametrize("suffix", LOADERS)
@given(data=st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(suffix, data):
    document = load(LOADERS[suffix], suffix, data)

    if document is not None:
        check(document)
        assert "\0" not in document.text
        assert "\r" not in document.text


@pytest.mark.parametrize("suffix", LOADERS)
def test_naughty_strings_are_placed(suffix, data_dir):
    strings = json.loads((data_dir("naughty_strings") / "blns.json").read_text(encoding="utf-8"))

    document = load(LOADERS[suffix], suffix, "\n\n".join(strings).encode())

    assert document is not None
    check(document)


@given(cells=st.lists(st.text(max_size=8), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_headings_nest_by_level(cells):
    """Each heading's path is its own title below the nearest heading of a lower level before it."""
    levels = [1 + len(cell) % 6 for cell in cells]
    text = "\n\n".join(f"{'#' * level} h{n}" for n, level in enumerate(levels))

    document = load(VERBATIM[".md"], ".md", text.encode())

    paths = [placed.place.headings for placed in document.places]
    assert [path[-1] for path in paths] == [f"h{n}" for n in range(len(levels))]
    for (before, path), (level_before, level) in zip(
        pairwise(paths), pairwise(levels), strict=True
    ):
        if level > level_before:
            assert path[:-1] == before
        else:
            assert len(path) <= len(before)
