import pytest

from citewell_text.decoding import read_text

JAPANESE = "日本語の文書です。\nTwo lines.\n"


def read(tmp_path, data):
    path = tmp_path / "file.txt"
    path.write_bytes(data)
    return read_text(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso2022_jp"])
def test_japanese_is_read_in_the_encodings_that_can_be_told(tmp_path, encoding):
    assert read(tmp_path, JAPANESE.encode(encoding)) == JAPANESE


def test_the_colours_of_a_log_are_not_japanese(tmp_path):
    log = "\x1b[31mError\x1b(B\x1b[m: Größe\n"

    assert read(tmp_path, log.encode()) == log


def test_an_escape_that_is_followed_by_nothing_japanese_stays_utf_8(tmp_path):
    text = "\x1b$B ü\n"

    assert read(tmp_path, text.encode()) == text
