import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell import Place
from citewell.cli.wording import link, location, place_in, safe, safe_line, safe_title


def steers_a_terminal(character):
    category = unicodedata.category(character)
    return category in {"Cc", "Cs", "Zl", "Zp"} and character not in "\t\n"


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_no_text_steers_a_terminal(text):
    shown = safe(text)

    assert not any(map(steers_a_terminal, shown))
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert shown.encode().decode() == shown


@given(st.text(max_size=50) | st.text("a[]\uff3b\uff3d1\u0663, \n\x85", max_size=20))
def test_a_title_is_one_line_without_citation_marks(text):
    shown = safe_title(text)

    assert len(shown.splitlines()) <= 1
    assert not re.search(r"[\[\uff3b]\s*\d[\d\s,]*[\]\uff3d]", shown)


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("[2] Board minutes", "2 Board minutes"),
        ("Report [1, 2]", "Report 1, 2"),
        ("[[3] ] x", "3 x"),
        ("Leave  handbook.md\n[2] Board", "Leave handbook.md 2 Board"),
        ("Notes [draft 2]", "Notes [draft 2]"),
    ],
)
def test_a_number_in_a_title_loses_its_brackets(title, shown):
    assert safe_title(title) == shown


@pytest.mark.parametrize("unit", ["[", "[ ", "[1"])
def test_a_title_of_brackets_is_read_in_one_go(unit):
    """Looking for the end of each bracket anew would take minutes."""
    title = (unit * 500_000).strip()

    assert safe_title(title) == title


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_what_belongs_in_a_line_stays_in_one(text):
    shown = safe_line(text)

    assert len(shown.splitlines()) <= 1
    assert "\t" not in shown


def test_each_break_becomes_a_blank():
    assert safe_line("a\r\nb\u2028c\u2029d\x85e\tf  g\x1b") == "a b c d e f  g\u241b"


def test_naughty_strings_do_not_steer_a_terminal(data_dir):
    (file,) = data_dir("naughty_strings").glob("*.json")
    strings = json.loads(file.read_text(encoding="utf-8"))

    shown = [safe(text) for text in strings]

    assert len(shown) > 500
    assert not any(map(steers_a_terminal, "".join(shown)))


def test_letters_of_every_script_stay_as_they_are():
    text = "naïve Straße 日本語 עברית العربية हिन्दी 👩‍🚀 é"

    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "␛[2J"),
        ("a\x07\x7f", "a␇␡"),
        ("\x9b31m", "\N{REPLACEMENT CHARACTER}31m"),
        ("a\r\nb\rc", "a\nb␍c"),
        ("admin\u202etxt", "admin\N{REPLACEMENT CHARACTER}txt"),
    ],
)
def test_what_was_taken_out_is_seen(text, shown):
    assert safe(text) == shown


@pytest.mark.parametrize(
    ("uri", "place", "opens"),
    [
        ("https://example.org/a.html", Place(anchor="leave"), "https://example.org/a.html#leave"),
        ("https://example.org/a.html#b", Place(anchor="c"), "https://example.org/a.html#b"),
        ("file:///docs/a%20b.pdf", Place(page=3, line=9), "file:///docs/a%20b.pdf#page=3"),
        ("https://example.org/\x1b]8;;x\x07", Place(), "https://example.org/%1B]8;;x%07"),
        ("javascript:alert(1)", Place(), None),
        ("//example.org", Place(), None),
        ("http://[", Place(), None),
        (None, Place(), None),
    ],
)
def test_links_open_stored_web_pages_and_files_alone(uri, place, opens):
    assert link(uri, place) == opens


@pytest.mark.parametrize(
    ("path", "place", "shown"),
    [
        ("work/docs/a b.md", Place(line=7), "docs/a b.md:7"),
        ("work/docs/a.pdf", Place(page=2, line=7), "docs/a.pdf"),
        ("elsewhere/a.md", Place(), "~/elsewhere/a.md"),
    ],
)
def test_a_file_is_named_by_the_shortest_path(tmp_path, monkeypatch, path, place, shown):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)

    assert location((tmp_path / path).as_uri(), place) == shown


def test_other_addresses_stay_whole():
    assert location("https://example.org/a.html", Place(line=3)) == "https://example.org/a.html"
    assert location("/etc/passwd", Place()) == "/etc/passwd"
    assert location(None, Place(line=3)) == ""


def test_a_heading_that_repeats_the_title_is_left_out():
    place = Place(headings=("Leave", "Sick leave"), line=4)

    assert place_in("Leave", place) == "Sick leave, line 4"
    assert place_in("Rules", place) == "Leave > Sick leave, line 4"
