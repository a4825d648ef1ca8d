import logging
import os
import re
import shutil
import subprocess
from contextlib import asynccontextmanager

import pytest
from pydantic import ValidationError

from citewell import Context, Gone, SourceError, Unreadable
from citewell_git import commands
from citewell_git.permalinks import filled, template
from citewell_git.plugin import GitConfig, build, register_sources, watched

SUFFIXES = frozenset({".md", ".txt"})
AUTHOR = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "PATH": os.environ["PATH"],
}


@pytest.fixture
def clone(tmp_path):
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    return folder


def git(folder, *arguments):
    done = subprocess.run(
        ["git", "-C", folder, *arguments], env=AUTHOR, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def commit(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_md", ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "-m", "x", "--allow-empty")
    return git(folder, "rev-parse", "HEAD")


def context(folder, suffixes=SUFFIXES):
    data_dir = folder / "data"
    data_dir.mkdir(exist_ok=True)
    return Context(
        name="code",
        log=logging.getLogger("git"),
        data_dir=data_dir,
        base_dir=folder,
        suffixes=suffixes,
    )


@asynccontextmanager
async def opened(clone, *, suffixes=SUFFIXES, **settings):
    config = GitConfig(**{"path": clone.name, **settings})
    async with build(config, context(clone.parent, suffixes)) as source:
        yield source


async def listed(clone, known=None, **settings):
    async with opened(clone, **settings) as source:
        return [change async for change in source.changes(known or {})]


async def texts(clone, **settings):
    async with opened(clone, **settings) as source:
        changes = [change async for change in source.changes({})]
        return {change.raw.id: change.raw.path.read_text() for change in changes}


# --- what is read ----------------------------------------------------------------------------


async def test_the_commit_is_read_and_not_the_working_tree(clone):
    commit(clone, a_md="alpha", docs__b_md="beta")
    (clone / "a.md").write_text("not committed")
    (clone / "new.md").write_text("not committed")

    assert await texts(clone) == {"a.md": "alpha", "docs/b.md": "beta"}


async def test_the_version_is_the_hash_of_the_blob(clone):
    commit(clone, a_md="alpha")

    (change,) = await listed(clone)

    assert change.version == git(clone, "rev-parse", "HEAD:a.md")


async def test_copies_stay_until_the_next_call_and_go_with_the_source(clone):
    commit(clone, **{f"n{number}_md": str(number) for number in range(300)})
    async with opened(clone) as source:
        first = [change async for change in source.changes({})]
        texts = [change.raw.path.read_text() for change in first]

        second = [change async for change in source.changes({})]

        assert sorted(texts) == sorted(str(number) for number in range(300))
        assert not first[0].raw.path.parent.exists()
        assert second[0].raw.path.exists()
    assert list((clone.parent / "data").iterdir()) == []


async def test_copies_of_a_killed_process_are_removed_after_a_day(clone):
    commit(clone, a_md="alpha")
    left_over = clone.parent / "data" / "copies-killed"
    left_over.mkdir(parents=True)
    os.utime(left_over, (0, 0))

    await listed(clone)

    assert not left_over.exists()


async def test_another_ref_can_be_read(clone):
    commit(clone, a_md="old")
    git(clone, "tag", "v1")
    commit(clone, a_md="new")

    assert await texts(clone, ref="v1") == {"a.md": "old"}


async def test_patterns_choose(clone):
    commit(clone, a_md="1", docs__b_md="2", docs__old__c_md="3", _github__d_md="4")
    (clone / ".github").mkdir()
    commit(clone, **{".github__e_md": "5"})

    chosen = await listed(clone, include=["docs/"], exclude=["old/"])

    assert [change.raw.id for change in chosen] == ["docs/b.md"]
    assert ".github/e.md" not in await texts(clone)


async def test_only_new_changed_and_missing_files_are_named(clone):
    commit(clone, same_md="1", changed_md="2", gone_md="3")
    known = {change.raw.id: change.version for change in await listed(clone)}
    (clone / "gone.md").unlink()
    commit(clone, changed_md="new", new_md="4")

    changes = await listed(clone, known)

    assert changes[0] == Gone("gone.md")
    assert [change.raw.id for change in changes[1:]] == ["changed.md", "new.md"]


async def test_what_no_loader_reads_is_named_but_not_copied(clone):
    commit(clone, **{"image.png": "x", "a_md": "y"})

    async with opened(clone) as source:
        changes = source.changes({})
        found = {c.raw.id: c.raw.path.exists() async for c in changes}

    assert found == {"image.png": False, "a.md": True}


async def test_links_and_submodules_are_left_out(clone):
    commit(clone, a_md="alpha")
    (clone / "link.md").symlink_to("/etc/passwd")
    other = clone.parent / "other"
    other.mkdir()
    git(other, "init", "-q")
    commit(other, b_md="beta")
    git(clone, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "sub.md")
    commit(clone)

    assert await texts(clone) == {"a.md": "alpha"}


async def test_a_name_that_is_not_utf8_is_reported_and_costs_only_itself(clone, caplog):
    (clone / os.fsdecode(b"caf\xe9.md")).write_text("x")
    commit(clone, a_md="alpha")

    assert await texts(clone) == {"a.md": "alpha"}
    assert "caf\\xe9.md" in caplog.text


async def test_odd_names_stay_as_they_are(clone):
    (clone / 'tab\tnew\nline "quoted".md').write_text("x")
    commit(clone)

    assert await texts(clone) == {'tab\tnew\nline "quoted".md': "x"}


async def test_a_bare_clone_can_be_read(clone):
    commit(clone, a_md="alpha")
    git(clone.parent, "clone", "-q", "--bare", "clone", "bare.git")

    assert await texts(clone.parent / "bare.git") == {"a.md": "alpha"}


# --- permalinks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remote", "root"),
    [
        ("https://github.com/team/docs.git", "https://github.com/team/docs/blob/C/a%20b.md"),
        ("git@github.com:team/docs.git", "https://github.com/team/docs/blob/C/a%20b.md"),
        ("https://user:token@github.com/t/d", "https://github.com/t/d/blob/C/a%20b.md"),
        ("ssh://git@gitlab.com:22/g/sub/p.git", "https://gitlab.com/g/sub/p/-/blob/C/a%20b.md"),
        ("https://gitlab.corp:8443/g/p", "https://gitlab.corp:8443/g/p/-/blob/C/a%20b.md"),
        ("git@bitbucket.org:t/d.git", "https://bitbucket.org/t/d/src/C/a%20b.md"),
        ("https://codeberg.org/t/d/", "https://codeberg.org/t/d/src/commit/C/a%20b.md"),
        ("https://gitea.corp/t/d", "https://gitea.corp/t/d/src/commit/C/a%20b.md"),
        ("https://github.com/t/{path}", "https://github.com/t/%7Bpath%7D/blob/C/a%20b.md"),
    ],
)
def test_a_remote_gives_a_permalink(remote, root):
    assert filled(template(remote), commit="C", path="a b.md") == root


@pytest.mark.parametrize(
    "remote",
    [
        *["", "/srv/github/x.git", "../github", "C:\\github", "file:///github/x"],
        *["https://github.com", "javascript://github.com/x", "https://example.org/x/y"],
        *["https://github.com:x/y", "git@:x"],
    ],
)
def test_an_unknown_remote_gives_none(remote):
    assert template(remote) is None


async def test_the_permalink_names_the_commit_and_never_a_secret(clone):
    head = commit(clone, a_md="alpha")
    git(clone, "remote", "add", "zeta", "https://gitlab.com/z/z")
    git(clone, "remote", "add", "origin", "https://me:hunter2@github.com/team/docs.git")

    (change,) = await listed(clone)

    assert change.raw.uri == f"https://github.com/team/docs/blob/{head}/a.md"


async def test_a_template_of_the_settings_comes_first(clone):
    head = commit(clone, a_md="alpha")

    (change,) = await listed(clone, permalink="https://x.example/{commit}?file={path}")

    assert change.raw.uri == f"https://x.example/{head}?file=a.md"


async def test_without_a_remote_there_is_no_address(clone):
    commit(clone, a_md="alpha")

    assert (await listed(clone))[0].raw.uri is None


# --- trouble ---------------------------------------------------------------------------------


async def test_a_hostile_clone_runs_nothing(clone):
    commit(clone, a_md="alpha")
    trap = clone.parent / "trap"
    script = clone.parent / "script.sh"
    script.write_text(f"#!/bin/sh\ntouch {trap}\ncat\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "core.editor"):
        git(clone, "config", key, str(script))
    git(clone, "config", "filter.evil.smudge", str(script))
    git(clone, "config", "filter.evil.clean", str(script))
    git(clone, "config", "diff.evil.textconv", str(script))
    git(clone, "config", "core.hooksPath", str(clone.parent / "hooks"))
    (clone.parent / "hooks").mkdir()
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        shutil.copy(script, clone.parent / "hooks" / hook)
    (clone / ".git" / "info" / "attributes").write_text("*.md filter=evil diff=evil\n")

    assert await texts(clone) == {"a.md": "alpha"}
    assert not trap.exists()


def loose(clone, name):
    """Return the hash and the file of a blob."""
    blob = git(clone, "rev-parse", f"HEAD:{name}")
    return blob, clone / ".git" / "objects" / blob[:2] / blob[2:]


async def test_an_object_that_is_missing_is_not_fetched(clone):
    commit(clone, a_md="alpha")
    git(clone, "config", "remote.origin.promisor", "true")
    git(clone, "config", "remote.origin.url", "ssh://127.0.0.1:1/nowhere")
    blob, path = loose(clone, "a.md")
    path.unlink()

    reason = f"the clone does not hold the object {blob}; run: git fetch --refetch"
    assert await listed(clone) == [Unreadable("a.md", reason)]


@pytest.mark.parametrize("bytes_left", [None, 0, 12, -5])
async def test_a_damaged_object_costs_only_its_file(clone, bytes_left):
    many = "".join(f"line {number}\n" for number in range(200_000))
    commit(clone, a_md="alpha", m_md=many, n_md="nu", z_md="zeta")
    for name in ("m.md", "n.md"):
        blob, path = loose(clone, name)
        content = path.read_bytes()
        path.unlink()
        if bytes_left is not None:
            path.write_bytes(content[:bytes_left])

    changes = await listed(clone)

    read, bad = [changes[0], changes[3]], changes[1:3]
    assert [change.raw.id for change in read] == ["a.md", "z.md"]
    assert [change.id for change in bad] == ["m.md", "n.md"]
    assert all(re.search(r"; run: git (fsck|fetch --refetch)$", change.reason) for change in bad)
    assert blob in bad[1].reason


async def test_a_commit_in_a_worktree_or_submodule_leaves_its_trace_where_is_watched(clone):
    head = commit(clone, a_md="alpha")
    main = clone.resolve()
    git(clone, "worktree", "add", "-q", "-b", "side", str(clone.parent / "tree"))
    git(clone, "clone", "-q", ".", str(clone.parent / "part"))
    git(clone, "-c", "protocol.file.allow=always", "submodule", "add", "-q", "../part", "part")

    tree = watched(GitConfig(path="tree"), context(clone.parent))
    part = watched(GitConfig(path="clone/part"), context(clone.parent))

    assert tree == (main / ".git" / "worktrees" / "tree", main / ".git")
    assert part == (main / ".git" / "modules" / "part",)
    assert (tree[1] / "refs" / "heads" / "side").read_text().strip() == head


@pytest.mark.parametrize("content", [b"", b"gitdir:", b"\xff"])
def test_a_git_file_that_names_nothing_leaves_the_clone_to_be_watched(tmp_path, content):
    (tmp_path / ".git").write_bytes(content)

    assert watched(GitConfig(path="."), context(tmp_path)) == (tmp_path / ".",)


async def test_another_users_clone_is_explained(clone, monkeypatch):
    commit(clone, a_md="alpha")
    monkeypatch.setitem(commands._VARIABLES, "GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    with pytest.raises(SourceError, match=r"git config --global --add safe\.directory"):
        await listed(clone)


async def test_a_folder_inside_a_clone_is_not_taken_for_it(clone):
    commit(clone, docs__a_md="alpha")

    with pytest.raises(SourceError, match="is not a git clone; name the folder that holds"):
        await listed(clone, path="clone/docs")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "nowhere"}, "nowhere.* does not exist"),
        ({"ref": "v9"}, 'ref "v9" is not in the clone; name a branch, tag or commit'),
    ],
)
async def test_what_is_not_there_is_a_source_error(clone, settings, message):
    commit(clone, a_md="alpha")

    with pytest.raises(SourceError, match=message):
        await listed(clone, **settings)


async def test_a_clone_without_commits_is_a_source_error(clone):
    with pytest.raises(SourceError, match='ref "HEAD" is not in the clone'):
        await listed(clone, {"a.md": "v"})


async def test_without_git_the_error_says_so(clone, monkeypatch):
    commit(clone, a_md="alpha")
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(SourceError, match="git is not installed, or not on PATH; install git"):
        await listed(clone)


def test_a_ref_cannot_be_an_option():
    with pytest.raises(ValidationError):
        GitConfig(path="x", ref="--upload-pack=x")


def test_the_plugin_offers_git_and_watches_where_commits_leave_a_trace(clone):
    (spec,) = register_sources()

    assert spec.name == "git"
    here = context(clone.parent)
    assert watched(GitConfig(path="clone"), here) == (clone / ".git",)
    assert watched(GitConfig(path="bare.git"), here) == (clone.parent / "bare.git",)
