"""`citewell doctor`: finds what is wrong, and fails when something is."""

import json
import shutil

import pytest
from filelock import FileLock

from citewell.cli.main import run
from distributions import Site

CONFIG = """
[library.docs]
use = "files"
path = "docs"
"""
CHECKS = """
import asyncio
from citewell import HealthCheck, hookimpl

async def well():
    return None

async def ill():
    return "the moon is down; wait"

async def broken():
    raise LookupError("where")

async def endless():
    await asyncio.sleep(600)

@hookimpl
def register_health_checks():
    return [
        HealthCheck(name=one.__name__, summary="as it should be", run=one)
        for one in (well, ill, broken, endless)
    ]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    (folder / "docs").mkdir(parents=True)
    monkeypatch.chdir(folder)
    (folder / "citewell.toml").write_text(CONFIG)
    return folder


def findings(capsys, *words, code):
    assert run(["doctor", "--json", *words]) == code
    shown = json.loads(capsys.readouterr().out)
    assert shown["schema"] == "citewell.doctor/1"
    return [(one["check"], one["problem"] or one["detail"]) for one in shown["findings"]]


def test_nothing_in_json_steers_the_terminal(here, capsys):
    steering = "\x9b31m\u202e.toml"
    (here / steering).write_text("")

    assert run(["doctor", "--json", "--config", steering]) in {0, 1}

    assert capsys.readouterr().out.isascii()


def test_all_is_well(here, capsys):
    found = dict(findings(capsys, code=0))

    assert found["settings"] == str(here / "citewell.toml")
    assert found["data folder"] == str(here / ".citewell")
    assert found["journal"] == "opens"
    assert found["index"] == "lexical: 0 documents; run: citewell sync"
    assert "embedded" in found["plugins"]


def test_it_is_said_in_words(here, capsys):
    assert run(["doctor"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("ok    ") for line in lines)


def test_no_settings_are_no_problem(here, capsys):
    (here / "citewell.toml").unlink()

    assert "no citewell.toml here" in dict(findings(capsys, code=0))["settings"]


def test_a_folder_can_be_examined(here, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    found = dict(findings(capsys, "--docs", "docs", code=0))

    assert found["settings"] == "defaults for docs"
    assert str(tmp_path / "cache") in found["data folder"]


def test_wrong_settings_are_shown_and_the_rest_is_still_checked(here, capsys):
    (here / "citewell.toml").write_text("colour = 1")

    found = findings(capsys, code=1)

    settings = [what for check, what in found if check == "settings"]
    assert "colour: unknown setting" in settings[0]
    assert "library: there is nothing to search" in settings[1]
    assert "plugins" in dict(found)


def test_a_failed_plugin_is_a_problem(here, tmp_path, monkeypatch, capsys):
    Site(tmp_path / "site", monkeypatch).install({"bad": "raises_at_import"}, name="citewell-bad")

    found = findings(capsys, code=1)

    assert any(check == "plugins" and "it raised RuntimeError" in what for check, what in found)


def test_a_missing_secret_is_a_problem(here, monkeypatch, capsys):
    monkeypatch.delenv("CITEWELL_TEST_JOURNAL", raising=False)
    (here / "citewell.toml").write_text(
        CONFIG + '[journal]\nurl = { env = "CITEWELL_TEST_JOURNAL" }'
    )

    found = dict(findings(capsys, code=1))

    assert "CITEWELL_TEST_JOURNAL is empty or unset" in found["secrets"]
    assert "its secret is not there" in found["journal"]


def test_a_data_folder_that_cannot_be_made_is_a_problem(here, capsys):
    (here / "place").write_text("a file, where a folder is needed")
    (here / "citewell.toml").write_text('data_dir = "place"\n' + CONFIG)

    found = dict(findings(capsys, code=1))

    assert "cannot be written" in found["data folder"]
    assert "set data_dir to another folder" in found["data folder"]
    assert "journal" not in found


def test_a_broken_journal_is_a_problem(here, capsys):
    (here / ".citewell").mkdir()
    (here / ".citewell" / "journal.sqlite").write_text("this is no database, but long enough" * 99)

    assert "cannot be opened" in dict(findings(capsys, code=1))["journal"]


def test_a_file_that_is_no_record_is_a_problem_until_it_is_gone(here, capsys):
    spool = here / ".citewell" / "spool"
    spool.mkdir(parents=True)
    (spool / "aa.json").write_bytes(b"\xff")

    found = dict(findings(capsys, code=1))

    assert found["journal"] == "opens"
    assert found["records"].startswith(f"{spool / 'aa.unreadable'} holds no record of an answer")
    (spool / "aa.unreadable").unlink()
    assert "records" not in dict(findings(capsys, code=0))


@pytest.fixture
def damaged(here):
    """Return the folder of an index in which a byte is wrong."""
    (here / "docs" / "fox.md").write_text("The fox is red.")
    assert run(["sync"]) == 0
    (index,) = (here / ".citewell").rglob("index-*")
    for path in index.glob("*.idx"):
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 255
        path.write_bytes(content)
    return index


def test_a_damaged_index_is_mended(damaged, capsys):
    capsys.readouterr()

    found = dict(findings(capsys, code=0))

    assert found["index"] == "lexical: 1 documents"
    assert not damaged.exists()


def test_an_index_that_cannot_be_mended_is_a_problem(damaged, capsys, monkeypatch):
    monkeypatch.setattr("citewell_embedded.retriever._REPAIR_WAIT_S", 0.01)
    capsys.readouterr()

    with FileLock(damaged.parent / "writer.lock"):
        found = dict(findings(capsys, code=1))

    assert found["index"].startswith('lexical: index of retriever "lexical" cannot be read: ')
    assert ".idx is damaged; while nothing writes it, delete the folder" in found["index"]
    assert found["index"].endswith(" and run: citewell sync")


def test_a_component_that_does_not_open_is_a_problem(here, capsys):
    (here / "place").write_text("a file, where a folder is needed")
    (here / "citewell.toml").write_text(
        CONFIG + '[retriever.lexical]\nuse = "lexical"\npath = "place"\n'
    )

    found = dict(findings(capsys, code=1))

    assert "place" in found["components"]


def test_a_full_disk_is_a_problem(here, capsys, monkeypatch):
    usage = shutil.disk_usage(here)._replace(free=7_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)

    assert dict(findings(capsys, code=1))["disk"].startswith("7 MB free below")


def test_checks_of_plugins_are_run_one_by_one(here, tmp_path, monkeypatch, capsys):
    site = Site(tmp_path / "site", monkeypatch)
    (tmp_path / "site" / "checking.py").write_text(CHECKS)
    site.install({"checking": "checking"}, name="citewell-checking")
    monkeypatch.setattr("citewell.cli.doctor._TIMEOUT_S", 0.05)

    found = dict(findings(capsys, code=1))

    assert found["well"] == "as it should be"
    assert found["ill"] == "the moon is down; wait"
    assert found["broken"] == "the check failed: LookupError: where"
    assert found["endless"] == "took longer than 0.05 s"
