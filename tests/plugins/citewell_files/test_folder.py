import errno
import hashlib
import logging
import os
import socket
import sys
import time
from contextlib import asynccontextmanager

import pytest
from pydantic import ValidationError

from citewell import Context, Gone, SourceError, Unreadable
from citewell_files import hashes, walk
from citewell_files.plugin import FilesConfig, build, register_sources, watched


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    return folder


def context(folder):
    data_dir = folder / "data"
    data_dir.mkdir(exist_ok=True)
    return Context(name="docs", log=logging.getLogger("files"), data_dir=data_dir, base_dir=folder)


@asynccontextmanager
async def opened(root, **settings):
    config = FilesConfig(**{"path": root.name, **settings})
    async with build(config, context(root.parent)) as source:
        yield source


async def listed(root, known=None, **settings):
    async with opened(root, **settings) as source:
        return [change async for change in source.changes(known or {})]


async def ids(root, **settings):
    return [change.raw.id for change in await listed(root, **settings)]


def write(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}")


def age(root, seconds=10):
    """Make the files look as if they had been written a while ago, as far as a clock can tell."""
    for path in root.rglob("*"):
        then = time.time() - seconds
        os.utime(path, (then, then))


# --- what is read ----------------------------------------------------------------------------


async def test_each_file_has_its_path_below_the_root_and_the_hash_of_its_bytes(root):
    write(root, "b.md", "a/c.md")

    changes = await listed(root)

    assert [change.raw.id for change in changes] == ["b.md", "a/c.md"]
    assert changes[0].version == hashlib.sha256(b"text of b.md").hexdigest()
    assert changes[1].raw.path.read_text() == "text of a/c.md"
    assert changes[1].raw.uri == (root / "a/c.md").as_uri()


async def test_hidden_and_generated_files_are_left_out(root):
    write(root, ".env", ".git/config", "node_modules/x/readme.md", "a/__pycache__/b.txt", "ok.md")
    write(root, "~$open.docx", "old.md~", ".venv/lib/readme.txt")

    assert await ids(root) == ["ok.md"]


async def test_patterns_choose_and_an_exclamation_mark_takes_back_in(root):
    write(root, "a.md", "a.txt", "drafts/b.md", "drafts/final.md", ".github/c.md")

    chosen = await ids(root, include=["*.md"], exclude=["drafts/*", "!final.md", "!.github"])

    assert chosen == ["a.md", "drafts/final.md", ".github/c.md"]


async def test_the_ignore_file_adds_patterns_and_is_read_at_each_sync(root):
    write(root, "a.md", "secret/b.md")
    async with opened(root) as source:
        before = [change.raw.id async for change in source.changes({})]
        (root / ".citewellignore").write_text("# not for the bot\nsecret/\n")
        known = dict.fromkeys(before, "v")
        after = [change async for change in source.changes(known)]

    assert before == ["a.md", "secret/b.md"]
    assert Gone("secret/b.md") in after


async def test_a_base_url_replaces_the_file_address(root):
    write(root, "a b/ü.md")

    changes = await listed(root, base_url="https://wiki.example.org/x/")

    assert changes[0].raw.uri == "https://wiki.example.org/x/a%20b/%C3%BC.md"


def test_a_base_url_must_be_a_web_address():
    with pytest.raises(ValidationError):
        FilesConfig(path="docs", base_url="javascript:alert(1)")


# --- what changed ----------------------------------------------------------------------------


async def test_only_changed_new_and_missing_files_are_named(root):
    write(root, "same.md", "changed.md", "gone.md")
    known = {change.raw.id: change.version for change in await listed(root)}
    (root / "changed.md").write_text("new text")
    (root / "gone.md").unlink()
    write(root, "new.md")

    changes = await listed(root, known)

    assert changes[0] == Gone("gone.md")
    assert [change.raw.id for change in changes[1:]] == ["changed.md", "new.md"]


async def test_a_file_with_the_same_size_and_time_is_still_seen_as_changed(root):
    write(root, "a.md")
    age(root)
    known = {change.raw.id: change.version for change in await listed(root)}
    found = (root / "a.md").stat()
    (root / "a.md").write_text("TEXT of a.md")
    os.utime(root / "a.md", ns=(found.st_atime_ns, found.st_mtime_ns))

    assert [change.raw.id for change in await listed(root, known)] == ["a.md"]


async def test_a_file_just_written_is_not_trusted_to_its_time(root):
    write(root, "a.md")

    await listed(root)

    assert hashes._load(root.parent / "data" / "hashes.json") == {}


async def test_an_old_unchanged_file_is_not_read_again(root, monkeypatch):
    monkeypatch.setattr(hashes, "_RACY_NS", -(10**10))
    write(root, "a.md")
    known = {change.raw.id: change.version for change in await listed(root)}
    read = []
    monkeypatch.setattr(hashes.hashlib, "file_digest", lambda *args: read.append(args))

    changes = await listed(root, known)

    assert changes == []
    assert read == []


async def test_a_damaged_hash_file_costs_nothing_but_time(root):
    write(root, "a.md")
    known = {change.raw.id: change.version for change in await listed(root)}
    for damage in ("{", "[1]", '{"a.md": 3}', '{"a.md": [["x", 1, 1, 1], "y"]}'):
        (root.parent / "data" / "hashes.json").write_text(damage)

        assert await listed(root, known) == []


async def test_a_huge_file_is_not_read_whole(root, monkeypatch):
    monkeypatch.setattr(hashes.hashlib, "file_digest", lambda *_: pytest.fail("read whole"))
    with (root / "huge.txt").open("wb") as file:
        file.truncate(4 * 2**30)

    first = await listed(root)

    assert [change.raw.id for change in first] == ["huge.txt"]
    with (root / "huge.txt").open("r+b") as file:
        file.write(b"x")
    assert (await listed(root))[0].version != first[0].version


# --- links, special files, trouble -----------------------------------------------------------


async def test_a_link_out_of_the_root_is_not_followed(root, caplog):
    write(root.parent, "outside.md", "elsewhere/x.md")
    write(root, "a.md")
    (root / "file.md").symlink_to(root.parent / "outside.md")
    (root / "folder").symlink_to(root.parent / "elsewhere")
    (root / "up").symlink_to("..")

    assert await ids(root) == ["a.md"]
    assert caplog.messages[0].endswith("lies: file.md, folder, up")


async def test_what_a_link_leads_to_is_read_where_it_lies_and_nowhere_else(root, caplog):
    write(root, "real/a.md")
    (root / "alias").symlink_to("real")
    (root / "b.md").symlink_to("real/a.md")
    (root / "up").symlink_to(".")
    (root / "broken.md").symlink_to("nothing.md")

    assert await ids(root) == ["real/a.md"]
    assert caplog.text == ""


@pytest.mark.parametrize(
    "settings",
    [{"include": ["open*"]}, {"exclude": ["secret/"]}, {"include": ["open*"], "exclude": ["!.*"]}],
)
@pytest.mark.parametrize("place", ["secret", ".secret", "../outside"])
async def test_a_link_brings_in_nothing_that_is_not_read_itself(root, place, settings, caplog):
    write(root, f"{place}/a.md")
    (root / "open.md").symlink_to(f"{place}/a.md")
    (root / "opened").symlink_to(place)
    (root / ".hidden.md").symlink_to(f"{place}/a.md")

    assert await ids(root, **settings) == []
    (line,) = caplog.messages
    assert "lead to is not read where it lies: open.md" in line
    assert ".hidden.md" not in line


async def test_of_many_links_a_few_are_named(root, caplog):
    write(root.parent, "outside.md")
    for number in range(7):
        (root / f"{number}.md").symlink_to(root.parent / "outside.md")

    assert await ids(root) == []
    assert caplog.messages[0].endswith(": 0.md, 1.md, 2.md, 3.md, 4.md and 2 more")


async def test_the_folder_itself_may_be_a_link(root):
    # Kubernetes shows a mounted ConfigMap in this way.
    write(root, "..2026_11/a.md")
    (root / "..data").symlink_to("..2026_11")

    (change,) = await listed(root, path="docs/..data")

    assert change.raw.id == "a.md"
    assert change.raw.uri == (root / "..data" / "a.md").as_uri()


async def test_loops_of_links_end(root):
    write(root, "a/x.md")
    (root / "a" / "loop").symlink_to("..")
    (root / "self").symlink_to("self")
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")

    assert await ids(root) == ["a/x.md"]


async def test_what_is_not_a_file_is_left_out(root):
    write(root, "a.md")
    os.mkfifo(root / "pipe.md")
    server = socket.socket(socket.AF_UNIX)
    server.bind(os.fspath(root / "socket.md"))
    server.close()

    assert await ids(root) == ["a.md"]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses such names")
async def test_a_name_that_is_not_utf8_is_reported_and_costs_only_itself(root, caplog):
    write(root, "a.md")
    (root / os.fsdecode(b"caf\xe9.md")).write_text("x")

    assert await ids(root) == ["a.md"]
    assert "caf\\udce9.md" in caplog.text


async def test_odd_names_stay_as_they_are(root):
    names = ["e\u0301.md", "line\nbreak.md", "percent%20.md", "\u202egpj.md"]
    write(root, *names)

    changes = await listed(root)

    assert {change.raw.id for change in changes} == set(names)
    assert {change.raw.path.name for change in changes} == set(names)


def shut(monkeypatch, module, name, *endings, error):
    """Let a function of `os` fail for some paths: tests may run as root, whom no mode keeps out."""
    function = getattr(os, name)

    def refuse(path, *args):
        if os.fspath(path).endswith(endings):
            raise error
        return function(path, *args)

    monkeypatch.setattr(module.os, name, refuse)


DENIED = PermissionError(errno.EACCES, "Permission denied")


async def told(root, known, **settings):
    """Return what the source says until it fails, and how it fails."""
    changes = []
    async with opened(root, **settings) as source:
        with pytest.raises(SourceError) as refused:  # noqa: PT012 - what came before counts too
            async for change in source.changes(known):
                changes.append(change)  # noqa: PERF401 - a comprehension would lose them
    return changes, str(refused.value)


@pytest.mark.parametrize("error", [DENIED, OSError(errno.EIO, "Input/output error")])
async def test_nothing_in_a_folder_that_cannot_be_listed_is_gone(root, monkeypatch, error):
    write(root, "a.md", "shut/b.md")
    shut(monkeypatch, walk, "scandir", "shut", error=error)

    changes, why = await told(root, dict.fromkeys(["gone.md", "shut/b.md", "shut/c/d.md"], "v"))

    assert changes[0] == Gone("gone.md")
    assert [change.raw.id for change in changes[1:]] == ["a.md"]
    assert f"library.docs: cannot be listed: shut/ ({error.strerror}); " in why
    assert why.endswith("or exclude it")


async def test_a_folder_whose_files_cannot_be_looked_at_is_as_good_as_shut(root, monkeypatch):
    write(root, "a.md", "shut/b.md")
    shut(monkeypatch, walk, "lstat", "b.md", error=DENIED)

    changes, why = await told(root, {"shut/b.md": "v"})

    assert [change.raw.id for change in changes] == ["a.md"]
    assert "shut/ (Permission denied)" in why


async def test_what_is_excluded_is_gone_also_from_a_folder_that_cannot_be_listed(root, monkeypatch):
    write(root, "shut/b.md")
    shut(monkeypatch, walk, "scandir", "shut", error=DENIED)

    changes, _ = await told(root, {"shut/b.md": "v"}, exclude=["b.md"])

    assert changes == [Gone("shut/b.md")]


async def test_an_excluded_folder_need_not_be_listed(root, monkeypatch):
    write(root, "a.md", "shut/b.md")
    shut(monkeypatch, walk, "scandir", "shut", error=DENIED)

    assert await ids(root, exclude=["shut/"]) == ["a.md"]


async def test_of_many_folders_that_cannot_be_listed_a_few_are_named(root, monkeypatch):
    write(root, *(f"{number}/a.md" for number in range(7)))
    shut(monkeypatch, walk, "scandir", *"0123456", error=DENIED)

    _, why = await told(root, {})

    assert "4/ (Permission denied) and 2 more; give" in why


async def test_a_folder_that_vanishes_while_it_is_listed_is_gone(root, monkeypatch):
    write(root, "a.md", "fleeting/b.md")
    shut(monkeypatch, walk, "scandir", "fleeting", error=FileNotFoundError(errno.ENOENT, "gone"))

    changes = await listed(root, {"fleeting/b.md": "v"})

    assert changes[0] == Gone("fleeting/b.md")
    assert [change.raw.id for change in changes[1:]] == ["a.md"]


async def test_a_file_that_cannot_be_opened_is_not_gone(root, monkeypatch):
    write(root, "a.md", "shut.md", "b.md")
    shut(monkeypatch, hashes, "open", "shut.md", error=DENIED)

    changes = await listed(root, {"shut.md": "v"})

    assert [change.raw.id for change in changes if not isinstance(change, Unreadable)] == [
        "a.md",
        "b.md",
    ]
    assert Unreadable("shut.md", "cannot be opened: permission denied") in changes


@pytest.mark.parametrize("kind", ["missing", "file"])
async def test_a_root_that_cannot_be_listed_is_an_error_and_nothing_is_gone(root, kind):
    root.rmdir()
    if kind == "file":
        root.write_text("x")

    with pytest.raises(SourceError, match=r"library\.docs: path: .* name a folder"):
        await listed(root, {"a.md": "v"})


async def test_an_unchanged_tree_is_listed_once_and_not_read(root, monkeypatch):
    monkeypatch.setattr(hashes, "_RACY_NS", -(10**10))
    for number in range(20):
        write(root, *(f"{number}/{name}.md" for name in range(20)))
    known = {change.raw.id: change.version for change in await listed(root)}
    folders = []
    scandir = walk.os.scandir
    monkeypatch.setattr(walk.os, "scandir", lambda path: folders.append(path) or scandir(path))
    monkeypatch.setattr(hashes.os, "open", lambda path, flags: pytest.fail(f"{path} is read"))

    changes = await listed(root, known)

    assert len(known) == 400
    assert changes == []
    assert len(folders) == len(set(folders)) == 21


def test_the_plugin_offers_files_and_watches_the_folder(tmp_path):
    (spec,) = register_sources()

    assert spec.name == "files"
    assert watched(FilesConfig(path="docs"), context(tmp_path)) == (tmp_path / "docs",)
