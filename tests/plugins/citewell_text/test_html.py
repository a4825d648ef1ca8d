"""HTML as a browser shows it: merged cells, counted items, hidden text."""

import pytest

from citewell import RawDocument
from citewell_text.html import HtmlLoader


def loaded(tmp_path, body):
    path = tmp_path / "page.html"
    path.write_text(f"<title>Page</title><body>{body}", encoding="utf-8")
    return HtmlLoader().load(RawDocument(id="page.html", path=path))


def lines(tmp_path, body):
    return [line for line in loaded(tmp_path, body).text.split("\n") if line]


def table(tmp_path, rows):
    return lines(tmp_path, f"<table>{rows}</table>")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("<tr><td colspan=2>a<td>b<tr><td>c<td>d<td>e", ["a | | b", "c | d | e"]),
        ("<tr><td>a<td colspan=2>b<tr><td>c", ["a | b", "c"]),
        ("<tr><td rowspan=2>a<td>b<tr><td>c<tr><td>d", ["a | b", "a | c", "d"]),
        ("<tr><td>a<td rowspan=2>b<td>c<tr><td>d<td>e", ["a | b | c", "d | b | e"]),
        ("<tr><td>a<td rowspan=2 colspan=2>b<td>c<tr><td>d<td>e", ["a | b | | c", "d | b | | e"]),
        ("<tr><td>a<td rowspan=2>b<tr><td>c", ["a | b", "c | b"]),
        ("<tr><td rowspan=3>a<td>b<tr><td>c<tr><td>d", ["a | b", "a | c", "a | d"]),
        ("<tr><td rowspan=2><td>b<tr><td>c", ["| b", " | c"]),
        ("<tbody><tr><td rowspan=9>a<td>b<tbody><tr><td>c", ["a | b", "c"]),
        ("<tr><td colspan=x rowspan=-2>a<td>b<tr><td>c", ["a | b", "c"]),
    ],
)
def test_a_cell_stands_under_its_title(tmp_path, rows, expected):
    assert table(tmp_path, rows) == expected


def test_a_cell_does_not_reach_without_end(tmp_path):
    (row,) = table(tmp_path, "<tr><td colspan=100000>a<td>b")

    assert row == "a" + " |" * 64 + " b"


def test_a_long_text_is_not_said_again_in_each_row(tmp_path):
    first, second = table(tmp_path, f"<tr><td rowspan=2>{'x' * 201}<td>a<tr><td>b")

    assert first == f"{'x' * 201} | a"
    assert second == " | b"


def test_a_cell_from_above_stands_in_the_line_of_its_row(tmp_path):
    document = loaded(tmp_path, "<table>\n<tr><td rowspan=2>a<td>b\n<tr><td>c</table>")
    found = {
        document.text[placed.start : placed.start + 5]: placed.place.line
        for placed in document.places
    }

    assert found == {"a | b": 2, "a | c": 3}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<ol start=5><li>a<li>b</ol>", ["5. a", "6. b"]),
        ("<ol><li>a<li value=7>b<li>c</ol>", ["1. a", "7. b", "8. c"]),
        ("<ol reversed><li>a<li>b<li>c</ol>", ["3. a", "2. b", "1. c"]),
        ("<ol reversed start=10><li>a<li>b</ol>", ["10. a", "9. b"]),
        ("<ol start=x><li value=>a</ol>", ["1. a"]),
        ("<ul><li value=3>a</ul>", ["- a"]),
        ("<ol><li>a<ol start=4><li>b</ol><li>c</ol>", ["1. a", "  4. b", "2. c"]),
    ],
)
def test_items_carry_the_numbers_that_a_browser_shows(tmp_path, body, expected):
    assert lines(tmp_path, body) == expected


def test_a_heading_is_what_is_seen_of_it(tmp_path):
    document = loaded(
        tmp_path,
        "<h2>Limits<span style='display:none'> The secret limit is 5000</span><!-- c --> and "
        "<b>more</b><style>.x{}</style> <a href='#x'>¶</a></h2><p>Text.",
    )

    assert document.places[-1].place.headings == ("Limits and more",)
    assert "5000" not in document.text
