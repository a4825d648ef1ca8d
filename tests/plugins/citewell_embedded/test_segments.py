"""Whether the files of an index are still what was written."""

import json
import zlib

import pytest

from citewell_embedded.segments import check, last_commit


def sealed(content):
    footer = json.dumps({"version": {}, "crc": zlib.crc32(content)}).encode()
    return content + footer + len(footer).to_bytes(4, "little") + (1337).to_bytes(4, "little")


@pytest.fixture
def folder(tmp_path):
    segments = [
        {"segment_id": "aa-11", "max_doc": 7, "deletes": None},
        {"segment_id": "bb-22", "max_doc": 5, "deletes": {"num_deleted_docs": 2, "opstamp": 9}},
    ]
    meta = {"index_settings": {}, "segments": segments, "schema": [], "opstamp": 12}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    for name in ("aa11.idx", "aa11.term", "bb22.fast", "bb22.9.del"):
        (tmp_path / name).write_bytes(sealed(name.encode()))
    return tmp_path


def test_a_commit_tells_what_it_holds(folder):
    commit = last_commit(folder)

    assert commit.passage_count == 12
    assert {path.name for path in folder.iterdir()} - {"meta.json"} < commit.files
    assert {name for name in commit.files if name.endswith(".del")} == {"bb22.9.del"}
    assert commit != last_commit(folder).__class__(opstamp=13, segments=commit.segments)


def test_whole_files_pass(folder):
    files = last_commit(folder).files

    check(folder, files)

    assert not (folder / "bb22.idx").exists()


@pytest.mark.parametrize("name", ["aa11.idx", "aa11.term", "bb22.fast", "bb22.9.del"])
@pytest.mark.parametrize("damage", [lambda c: c.replace(b"1", b"2", 1), lambda c: c[-9:], bytes])
def test_a_damaged_file_is_noticed(folder, name, damage):
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(b"" if damage is bytes else damage(content.replace(b"22", b"23", 1)))

    with pytest.raises(ValueError, match=r"damaged|malformed|truncated|JSON"):
        check(folder, last_commit(folder).files)


def test_files_of_other_commits_do_not_count(folder):
    (folder / "cc33.idx").write_bytes(b"half")
    (folder / "bb22.8.del").write_bytes(b"half")

    check(folder, last_commit(folder).files)

    assert "cc33.idx" not in last_commit(folder).files
