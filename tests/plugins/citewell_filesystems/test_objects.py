import asyncio
import hashlib
import logging
import os
import signal
import sys
import zipfile
from contextlib import asynccontextmanager
from pathlib import Path

import fsspec
import fsspec.exceptions
import pytest
from pydantic import ValidationError

from citewell import Changed, Context, Gone, MissingExtra, PluginError, SourceError, Unreadable
from citewell_filesystems import plugin
from citewell_filesystems.opening import check_installed, explained
from citewell_filesystems.plugin import FilesystemConfig, build
from s3_server import serving

SECRET = "wJalrXUtnFEMI-not-a-real-secret"


@pytest.fixture
async def server():
    async with serving() as server:
        yield server


def settings(server, **more):
    return {
        "url": "s3://docs",
        "options": {"endpoint_url": server.url, "region": "us-east-1"},
        "secrets": {"key": "one", "secret": SECRET},
        **more,
    }


def context(folder, **more):
    log = logging.getLogger("filesystem")
    return Context(name="bucket", log=log, data_dir=folder, base_dir=folder, **more)


@asynccontextmanager
async def opened(folder, config, **more):
    async with build(FilesystemConfig.model_validate(config), context(folder, **more)) as source:
        yield source


async def listed(folder, config, known=None, **more):
    """Return each change, by id: its text, "gone" or why it cannot be read."""
    seen = {}
    async with opened(folder, config, **more) as source:
        async for change in source.changes(known or {}):
            if isinstance(change, Gone):
                seen[change.id] = "gone"
            elif isinstance(change, Unreadable):
                seen[change.id] = change.reason
            else:
                path = change.raw.path
                seen[change.raw.id] = path.read_text() if path.exists() else "not fetched"
    return seen


def hashed(*texts):
    return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


# --- what is fetched, and what is not --------------------------------------------------------


async def test_what_did_not_change_is_not_fetched_again(server, tmp_path):
    server.objects = {"a.md": b"one", "b.md": b"two"}
    one, two = hashed("one", "two")
    first = await listed(tmp_path, settings(server))
    server.requests.clear()

    again = await listed(tmp_path, settings(server), {"a.md": one, "b.md": two})

    assert first == {"a.md": "one", "b.md": "two"}
    assert again == {}
    assert server.requests == ["GET /docs"]


async def test_what_the_index_no_longer_has_is_fetched_though_it_did_not_change(server, tmp_path):
    server.objects = {"a.md": b"one", "b.md": b"two"}
    await listed(tmp_path, settings(server))

    again = await listed(tmp_path, settings(server), {"a.md": "", "b.md": hashed("two")[0]})

    assert again == {"a.md": "one"}


async def test_a_lost_or_damaged_record_costs_a_download_and_nothing_else(server, tmp_path):
    server.objects = {"a.md": b"one"}
    await listed(tmp_path, settings(server))
    (tmp_path / "hashes.sqlite").write_bytes(b"no database" * 500)

    again = await listed(tmp_path, settings(server), {"a.md": hashed("one")[0]})

    assert again == {}
    assert server.fetched().count("a.md") == 2


async def test_what_no_loader_reads_is_never_fetched(server, tmp_path):
    server.objects = {"a.md": b"one", "film.mp4": b"\0" * 100, "no suffix": b"x"}

    seen = await listed(tmp_path, settings(server), suffixes=frozenset({".md"}))

    assert seen == {"a.md": "one", "film.mp4": "not fetched", "no suffix": "not fetched"}
    assert [key for key in server.fetched() if key != "/docs"] == ["a.md"]


async def test_patterns_choose_and_hidden_objects_are_left_out(server, tmp_path):
    server.objects = dict.fromkeys(("hr/a.md", "hr/drafts/b.md", ".git/c.md", "d.md"), b"x")

    seen = await listed(tmp_path, settings(server, include=["hr/**"], exclude=["drafts/"]))

    assert list(seen) == ["hr/a.md"]


async def test_a_listing_comes_page_by_page(server, tmp_path):
    server.objects = {f"{number:04}.md": b"x" for number in range(25)}
    server.page = 4

    seen = await listed(tmp_path, settings(server))

    assert len(seen) == 25
    assert server.requests.count("GET /docs") == 7


async def test_only_what_is_below_the_prefix_is_read(server, tmp_path):
    server.objects = {"team/a.md": b"one", "team-b/b.md": b"two", "c.md": b"three"}

    seen = await listed(tmp_path, settings(server, url="s3://docs/team/"))

    assert seen == {"a.md": "one"}


async def test_a_url_may_name_one_object(server, tmp_path):
    server.objects = {"team/a.md": b"one", "team/b.md": b"two"}

    seen = await listed(tmp_path, settings(server, url="s3://docs/team/a.md"))

    assert seen == {"a.md": "one"}


async def test_a_larger_object_is_not_fetched(server, tmp_path):
    server.objects = {"a.md": b"x" * 3 * 2**20, "b.md": b"two"}

    seen = await listed(tmp_path, settings(server, max_object_mb=2))

    assert seen["b.md"] == "two"
    assert seen["a.md"].startswith("has 3.0 MB, more than the 2 MB allowed; raise max_object_mb")
    assert "a.md" not in server.fetched()


# --- odd keys --------------------------------------------------------------------------------

ODD = (
    "with space.md", "\u00fcn\u00efcode.md", "A.md", "a.md", "/lead.md", "x//y.md", "p%20q.md",
    "a+b.md", "c&d<e>.md", "s3://o.md", "::x.md", "a*b?.md", "C:\\evil.md", "x" * 900 + ".md",
    "a.md/b.md", "CON.md", "~x/y.md",
)  # fmt: skip


async def test_odd_keys_stay_apart_and_in_the_folder(server, tmp_path):
    server.objects = {key: key.encode() for key in ODD}
    paths = []
    async with opened(tmp_path, settings(server)) as source:
        seen = {}
        async for change in source.changes({}):
            assert isinstance(change, Changed), change
            seen[change.raw.id] = change.raw.path.read_text()
            paths.append(change.raw.path)

    assert seen == {key: key for key in ODD}
    assert len({path.name.lower() for path in paths}) == len(ODD)
    assert {path.parent.parent for path in paths} == {tmp_path}
    assert all(len(path.name) < 40 for path in paths)


async def test_keys_with_dots_are_named_and_not_fetched(server, tmp_path):
    server.objects = dict.fromkeys(("a/../b.md", "../../etc/c.md", "./d.md"), b"x")

    seen = await listed(tmp_path, settings(server))

    assert sorted(seen) == ["../../etc/c.md", "./d.md", "a/../b.md"]
    assert all("leads elsewhere" in reason for reason in seen.values())
    assert [path.name for path in tmp_path.iterdir()] == ["hashes.sqlite"]


async def test_a_key_that_looks_like_a_version_of_another_is_not_read_as_that(server, tmp_path):
    server.objects = {"hr/pay.md": b"secret", "hr/pay.md?versionId=1.md": b"open"}

    seen = await listed(tmp_path, settings(server))

    assert seen["hr/pay.md"] == "secret"
    assert "takes for another one" in seen["hr/pay.md?versionId=1.md"]


async def test_folders_of_consoles_are_no_documents(server, tmp_path):
    server.objects = {"team/": b"", "team/a.md": b"one", "odd.md/": b"text"}

    assert await listed(tmp_path, settings(server)) == {"team/a.md": "one"}


# --- where a person opens it -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        (None, None),
        ("https://docs.example.org/{path}", "https://docs.example.org/a%20b%23c.md"),
        (
            "https://console.example.org/docs?prefix={key}",
            "https://console.example.org/docs?prefix=team/a%20b%23c.md",
        ),
    ],
)
async def test_a_template_makes_the_address(server, tmp_path, template, uri):
    server.objects = {"team/a b#c.md": b"one"}
    config = settings(server, url="s3://docs/team", uri_template=template)

    async with opened(tmp_path, config) as source:
        (change,) = [change async for change in source.changes({})]

    assert change.raw.uri == uri


# --- what goes wrong -------------------------------------------------------------------------


async def test_an_object_that_is_denied_costs_only_itself(server, tmp_path):
    server.objects = {"a.md": b"one", "b.md": b"two"}
    server.faults = {"a.md": "denied"}

    seen = await listed(tmp_path, settings(server), {"a.md": "known"})

    assert seen == {"a.md": "cannot be fetched: access is denied", "b.md": "two"}


async def test_an_object_that_comes_by_half_is_not_taken_for_the_whole(server, tmp_path):
    server.objects = {"a.md": b"one and the rest of it", "b.md": b"two"}
    server.faults = {"a.md": "half"}

    seen = await listed(tmp_path, settings(server), {"a.md": "known"})

    assert seen["b.md"] == "two"
    assert seen["a.md"].startswith("cannot be fetched: ")


async def test_an_object_that_vanishes_meanwhile_is_gone_the_next_time(server, tmp_path):
    server.objects = {"a.md": b"one", "b.md": b"two"}
    server.faults = {"a.md": "gone"}
    known = {"a.md": "known"}

    first = await listed(tmp_path, settings(server), known)
    del server.objects["a.md"]
    second = await listed(tmp_path, settings(server), known)

    assert first == {"b.md": "two"}
    assert second["a.md"] == "gone"


async def test_an_object_that_is_written_meanwhile_is_read_as_it_is_then(server, tmp_path):
    server.objects = {"a.md": b"one"}
    server.becomes = {"a.md": b"a longer text"}

    seen = await listed(tmp_path, settings(server))
    server.objects = {"a.md": b"one"}
    back = await listed(tmp_path, settings(server), {"a.md": hashed("a longer text")[0]})

    assert seen == {"a.md": "a longer text"}
    assert back == {"a.md": "one"}


@pytest.mark.parametrize("fault", ["denied", "away"])
async def test_nothing_is_gone_when_nothing_can_be_listed(server, tmp_path, fault):
    async with serving() as elsewhere:
        elsewhere.objects = server.objects = {"a.md": b"one"}
        server.elsewhere = elsewhere.url
        server.faults = {"": fault}

        with pytest.raises(SourceError, match=r'^library\.bucket: "s3://docs" cannot be listed: '):
            await listed(tmp_path, settings(server), {"a.md": "known"})

        assert elsewhere.requests == [], "a redirect to another host was followed"


async def test_a_bucket_that_redirects_elsewhere_says_so(server, tmp_path):
    server.elsewhere = "http://127.0.0.1:9"
    server.faults = {"": "away"}

    with pytest.raises(SourceError, match="cannot be listed: it redirects to another place"):
        await listed(tmp_path, settings(server))

    assert len(server.requests) < 9


def test_a_timeout_is_told_also_where_a_library_fails_while_it_tells_of_it():
    try:
        try:
            raise fsspec.exceptions.FSTimeoutError
        except TimeoutError as error:
            error.args[0]
    except IndexError as error:
        said = explained(error, {})

    assert said == "it does not answer in time"


async def test_nothing_is_gone_when_a_listing_breaks_off(server, tmp_path):
    server.objects = {f"{number}.md": b"x" for number in range(9)}
    server.page = 4
    server.faults = {"page": "broken"}

    with pytest.raises(SourceError) as raised:
        await listed(tmp_path, settings(server), {"8.md": "known"})

    assert "\n" not in str(raised.value)


async def test_no_message_holds_a_secret(server, tmp_path, caplog):
    caplog.set_level(logging.DEBUG, logger="citewell")
    server.objects = {"a.md": b"one"}
    server.faults = {"a.md": "half", "": "denied"}
    with pytest.raises(SourceError) as raised:
        await listed(tmp_path, settings(server))
    server.faults = {"a.md": "half"}
    seen = await listed(tmp_path, settings(server))

    said = f"{raised.value} {seen} {caplog.text} {FilesystemConfig(**settings(server))!r}"

    assert SECRET not in said


async def test_copies_are_gone_when_the_source_is_closed(server, tmp_path):
    server.objects = {"a.md": b"one"}

    await listed(tmp_path, settings(server))

    assert [path.name for path in tmp_path.iterdir()] == ["hashes.sqlite"]


CHILD = """
import asyncio, json, logging, sys
from pathlib import Path
from citewell import Context
from citewell_filesystems.plugin import FilesystemConfig, build

async def main():
    folder = Path(sys.argv[1])
    config = FilesystemConfig.model_validate(json.loads(sys.argv[2]))
    context = Context(name="b", log=logging.getLogger(), data_dir=folder, base_dir=folder)
    async with build(config, context) as source:
        async for change in source.changes({}):
            pass

asyncio.run(main())
"""


async def test_a_kill_while_fetching_leaves_nothing_behind(server, tmp_path):
    import json

    server.objects = {"a.md": b"one and the rest of it"}
    server.faults = {"a.md": "hangs"}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(tmp_path), json.dumps(settings(server))
    )
    async with asyncio.timeout(60):
        await server.hangs.wait()
    left = list(tmp_path.glob("copies-*"))
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    server.faults = {}

    seen = await listed(tmp_path, settings(server))

    assert len(left) == 2, "a folder and its lock"
    assert seen == {"a.md": "one and the rest of it"}
    assert [path.name for path in tmp_path.iterdir()] == ["hashes.sqlite"]


async def test_copies_of_a_living_process_are_left_alone(server, tmp_path):
    server.objects = {"a.md": b"one"}
    async with opened(tmp_path, settings(server)) as first:
        (change,) = [change async for change in first.changes({})]
        await listed(tmp_path, settings(server))

        assert change.raw.path.read_text() == "one"


# --- other file systems ----------------------------------------------------------------------


async def test_a_link_out_of_a_local_folder_is_not_followed(tmp_path):
    docs, data = tmp_path / "docs", tmp_path / "data"
    (docs / "deep").mkdir(parents=True)
    data.mkdir()
    (docs / "deep" / "a.md").write_text("one")
    (tmp_path / "secret.md").write_text("secret")
    (docs / "link.md").symlink_to(tmp_path / "secret.md")
    (docs / "folder").symlink_to(tmp_path)

    seen = await listed(data, {"url": f"file://{docs}"})

    assert seen == {"deep/a.md": "one"}


async def test_a_folder_that_cannot_be_listed_loses_nothing(tmp_path, monkeypatch):
    from fsspec.implementations.local import LocalFileSystem

    docs, data = tmp_path / "docs", tmp_path / "data"
    (docs / "closed").mkdir(parents=True)
    data.mkdir()
    (docs / "a.md").write_text("one")
    ls = LocalFileSystem.ls

    def denied(self, path, *args, **kwargs):
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return ls(self, path, *args, **kwargs)

    monkeypatch.setattr(LocalFileSystem, "ls", denied)

    with pytest.raises(SourceError, match="access is denied"):
        await listed(data, {"url": f"file://{docs}"}, {"closed/b.md": "known"})


async def test_an_archive_may_lie_in_a_bucket(server, tmp_path):
    path = tmp_path / "docs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("in/a.md", "one")
        archive.writestr("out.md", "two")
    server.objects = {"docs.zip": path.read_bytes()}
    data = tmp_path / "data"
    data.mkdir()

    seen = await listed(data, settings(server, url="zip://in::s3://docs/docs.zip"))

    assert seen == {"a.md": "one"}


async def test_members_of_an_archive_lead_nowhere(tmp_path):
    path, data = tmp_path / "docs.zip", tmp_path / "data"
    data.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../up.md", "up")
        archive.writestr("/etc/root.md", "root")
        archive.writestr("bomb.md", b"\0" * 4 * 2**20)
        archive.writestr("a.md", "one")

    seen = await listed(data, {"url": f"zip::file://{path}", "max_object_mb": 2})

    assert seen.pop("a.md") == "one"
    assert len(seen) == 3
    assert all("rename it" in why or "more than the 2 MB" in why for why in seen.values()), seen
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data", "docs.zip"]


async def test_what_was_written_a_moment_ago_is_fetched_again(tmp_path):
    files = fsspec.filesystem("memory")
    files.pipe_file(f"{tmp_path}/docs/a.md", b"one")
    config = {"url": f"memory:/{tmp_path}/docs"}
    await listed(tmp_path, config)
    written = files.created(f"{tmp_path}/docs/a.md")
    files.pipe_file(f"{tmp_path}/docs/a.md", b"two")
    files.store[f"{tmp_path}/docs/a.md"].created = written

    seen = await listed(tmp_path, config, {"a.md": hashed("one")[0]})

    assert seen == {"a.md": "two"}


# --- settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("docs", "expected a URL"),
        ("", "at least 1"),
        ("https://example.org/docs", "none of the file systems"),
        ("reference://x::s3://docs/a.json", "none of the file systems"),
        ("simplecache::s3://docs", "none of the file systems"),
        ("file://docs", "expected a whole path"),
        ("zip::file://docs.zip", "expected a whole path"),
        ("zip", "expected a URL"),
        ("ftp://me:hunter2@example.org/docs", "a secret never stands"),
    ],
)
def test_a_url_that_cannot_be_read_is_refused_with_what_was_expected(url, expected):
    with pytest.raises(ValidationError, match=expected):
        FilesystemConfig.model_validate({"url": url})


def test_a_template_without_a_place_for_the_name_is_refused():
    with pytest.raises(ValidationError, match=r"expected \{path\} or \{key\}"):
        FilesystemConfig(url="s3://docs", uri_template="https://example.org/")


@pytest.mark.parametrize("protocol", ["gs", "az", "sftp", "webdav"])
def test_a_missing_package_is_named_with_what_installs_it(protocol, tmp_path, monkeypatch):
    for package in ("gcsfs", "adlfs", "paramiko", "webdav4", "webdav4.fsspec"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.sftp", raising=False)

    with pytest.raises(PluginError, match=r"is not installed; run: pip install (\w+)") as raised:
        check_installed((protocol,), name="bucket")

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("package", "extra"), [("s3fs", "s3"), ("fsspec", "filesystems")])
async def test_a_missing_extra_is_named(package, extra, tmp_path, monkeypatch):
    for module in [one for one in sys.modules if one.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, package, None)
    registry = sys.modules.get("fsspec.registry")
    if registry is not None:
        monkeypatch.setattr(registry, "_registry", {})
        monkeypatch.setattr(registry, "registry", registry._registry)

    with pytest.raises(MissingExtra, match=rf'needs {package}.*"citewell\[{extra}\]"'):
        async with opened(tmp_path, {"url": "s3://docs"}):
            raise AssertionError("it was opened")


async def test_an_unknown_protocol_is_named(tmp_path):
    with pytest.raises(PluginError, match='"nothing" is no file system that fsspec knows'):
        async with opened(tmp_path, {"url": "nothing://docs"}):
            raise AssertionError("it was opened")


def test_it_is_offered():
    (spec,) = plugin.register_sources()

    assert spec.name == "filesystem"
    assert spec.watched is None
    assert Path(plugin.__file__).parent.name == spec.build.__module__.partition(".")[0]


@pytest.mark.parametrize(
    "options",
    [
        {"secret": SECRET},
        {"key": SECRET},
        {"token": SECRET},
        {"password": SECRET},
        {"account_key": SECRET},
        {"sas_token": SECRET},
        {"connection_string": SECRET},
        {"endpoint_url": f"https://one:{SECRET}@store.example"},
    ],
)
def test_a_secret_among_the_options_is_refused(options):
    with pytest.raises(ValidationError, match="a secret never stands in the settings"):
        FilesystemConfig.model_validate({"url": "s3://docs", "options": options})


@pytest.mark.parametrize(
    "options",
    [
        {"anon": True, "endpoint_url": "https://store.example/a@b", "region": "eu-central-1"},
        {"token": "anon", "project": "docs"},
        {"username": "one", "key_filename": "/home/one/.ssh/id"},
    ],
)
def test_other_options_are_taken(options):
    settings = FilesystemConfig.model_validate({"url": "s3://docs", "options": options})

    assert settings.options == options
