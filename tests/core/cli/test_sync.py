import json
import re
import sqlite3
from contextlib import closing

import pytest

LOG_LOADER = """
from contextlib import asynccontextmanager

import citewell


class LogLoader:
    def load(self, raw):
        start = citewell.Placed(0, citewell.Place(line=1))
        text = raw.path.read_text()
        return citewell.Document(id=raw.id, title="Log", text=text, places=(start,), uri=raw.uri)


@asynccontextmanager
async def build(config, context):
    yield LogLoader()


@citewell.hookimpl
def register_loaders():
    offer = citewell.LoaderSpec(
        name="log", summary="logs", config=citewell.Config, build=build, suffixes=(".log",)
    )
    return [offer]
"""


def test_a_sync_says_what_it_did(machine):
    (machine.handbook / "old.md").write_text("# Old\n\nWe sold chairs once.\n")
    first = machine.citewell("sync")
    (machine.handbook / "leave.md").write_text("# Leave\n\nNobody has any leave.\n")
    (machine.handbook / "old.md").unlink()
    (machine.handbook / "sick.md").write_text("# Sick\n\nCall in before nine.\n")
    second = machine.citewell("sync")
    third = machine.citewell("sync")

    assert re.fullmatch(r"3 added \(\d+\.\d s\)\n", first.stdout)
    assert re.fullmatch(
        r"1 added, 1 updated, 1 removed, 1 unchanged \(\d+\.\d s\)\n", second.stdout
    )
    assert re.fullmatch(r"3 unchanged \(\d+\.\d s\)\n", third.stdout)
    assert (first.returncode, first.stderr) == (0, "")


def test_a_bad_file_costs_itself_alone(machine):
    (machine.handbook / "broken.md").write_bytes(b"\x00\x01\x02")
    (machine.handbook / "photo.png").write_bytes(b"\x89PNG")

    synced = machine.citewell("sync")

    assert synced.returncode == 0
    assert "2 added" in synced.stdout
    assert "1 document cannot be read:\n  handbook:broken.md: " in synced.stdout
    assert "no loader reads: .png (1)" in synced.stdout


def test_a_library_that_cannot_be_listed_fails_the_sync(synced):
    synced.handbook.rename(synced.work / "elsewhere")

    again = synced.citewell("sync")
    asked = synced.citewell("ask", "How many days of leave do I have?")

    assert again.returncode == 1
    assert "what was not listed of library handbook stays as it was: " in again.stdout
    assert asked.returncode == 0


@pytest.mark.parametrize("shut", ["hr", "hr/pay.md"])
def test_what_may_not_be_read_stays_as_it_was_and_fails_the_sync(synced, shut):
    path = synced.handbook / shut
    mode = path.stat().st_mode
    path.chmod(0)

    again = synced.citewell("sync", obeys_modes=True)
    path.chmod(mode)
    asked = synced.citewell("ask", "What does the bonus pool hold?", "--as", "people-team")

    assert again.returncode == 1, again.stdout
    assert "2 unchanged" in again.stdout
    assert shut in again.stdout
    assert "ermission denied" in again.stdout
    assert "9000" in asked.stdout


@pytest.mark.parametrize("is_json", [False, True])
def test_a_plugin_that_is_off_by_mistake_costs_no_document(machine, is_json):
    loader = machine.work / "log_loader.py"
    loader.write_text(LOG_LOADER, encoding="utf-8")
    (machine.handbook / "night.log").write_text("The door was opened at 22:14.\n")
    with (machine.work / "citewell.toml").open("a") as file:
        file.write('\n[plugins]\npaths = ["log_loader.py"]\n')
    machine.citewell("plugins", "trust", "log_loader.py", "--yes")
    first = machine.citewell("sync")
    loader.write_text(f"{LOG_LOADER}\n", encoding="utf-8")

    again = machine.citewell("sync", *["--json"] * is_json)
    asked = machine.citewell("ask", "When was the door opened?")
    checked = machine.citewell("config", "check")
    machine.citewell("plugins", "trust", "log_loader.py", "--yes")
    mended = machine.citewell("sync")

    note = checked.stdout.splitlines()[0].removeprefix("note: ")
    assert "3 added" in first.stdout
    assert again.returncode == 1
    assert note.endswith(f"run: citewell plugins trust {loader}")
    if is_json:
        read = json.loads(again.stdout)
        assert (read["removed"], read["unchanged"], read["off"]) == (0, 3, [note])
        assert read["kept"] == [["handbook", "night.log"]]
    else:
        what = "1 document not read again, because plugins are off:"
        listed = f"{what}\n  handbook:night.log: stays as it was\n{note}\n"
        assert f"{listed}no loader reads: .log (1)\n" in again.stdout
    assert "22:14" in asked.stdout
    assert (mended.returncode, mended.stdout[:11]) == (0, "3 unchanged")


def test_a_label_pattern_that_matches_no_document_is_named(machine):
    config = machine.work / "citewell.toml"
    config.write_text(config.read_text().replace('"hr/**"', '"hr/**" = ["hr"], "HR/**"'))

    first = machine.citewell("sync")
    again = json.loads(machine.citewell("sync", "--json").stdout)

    named = 'labels of library handbook: "HR/**": pattern matches no document, so it restricts none'
    assert named in first.stdout
    assert first.stdout.count("matches no document") == 1
    assert first.returncode == 0
    assert again["unmatched"] == [["handbook", "HR/**"]]


def test_json_is_one_document(machine):
    synced = machine.citewell("sync", "--json")

    read = json.loads(synced.stdout)
    assert (read["added"], read["failed"], read["errors"]) == (2, [], {})


def test_sources_shows_what_is_indexed(machine):
    (machine.handbook / "broken.md").write_bytes(b"\x00\x01\x02")
    machine.citewell("sync")

    shown = machine.citewell("sources")
    read = json.loads(machine.citewell("sources", "--json").stdout)

    header, _, row = shown.stdout.splitlines()[:3]
    columns = ["library", "source", "documents", "passages", "index", "readers"]
    assert header.replace("|", " ").split() == columns
    assert row.split(" | ")[0].strip() == "handbook"
    assert row.endswith("everyone; hr/**: people-team")
    assert "handbook:broken.md: " in shown.stdout
    (library,) = read["libraries"]
    assert (library["documents"], library["passages"]) == (2, 2)
    assert read["failed"][0]["id"] == "broken.md"


def test_sources_before_the_first_sync(machine):
    shown = machine.citewell("sources")

    assert shown.returncode == 0
    assert "never synced; run: citewell sync" in shown.stdout


def test_watching_reads_what_is_saved(machine, at_terminal):
    with at_terminal(machine, "sync", "--watch") as terminal:
        seen = terminal.wait_for("2 added")
        (machine.handbook / "sick.md").write_text("# Sick\n\nCall in before nine.\n")
        terminal.wait_for("1 added", after=seen)
        terminal.type("\x03")
        code = terminal.wait()

    asked = machine.citewell("ask", "When do I call in sick?")
    assert code == 0
    assert "before nine" in asked.stdout


def test_watching_several_libraries_names_the_one_that_was_synced(machine, at_terminal):
    wiki = machine.work / "wiki"
    wiki.mkdir()
    (wiki / "door.md").write_text("# Door\n\nThe door code is 4711.\n")
    (wiki / "broken.md").write_bytes(b"\x00\x01\x02")
    with (machine.work / "citewell.toml").open("a") as file:
        file.write('\n[library.wiki]\nuse = "files"\npath = "wiki"\n')
    with at_terminal(machine, "sync", "--watch") as terminal:
        terminal.wait_for("handbook: 2 added")
        terminal.wait_for("wiki: 1 added")
        (machine.handbook / "sick.md").write_text("# Sick\n\nCall in before nine.\n")
        terminal.wait_for("handbook: 1 added")
        terminal.type("\x03")
        code = terminal.wait()
    shown = json.loads(machine.citewell("sources", "--json").stdout)

    assert code == 0
    assert [one["id"] for one in shown["failed"]] == ["broken.md"]


HYBRID = """use = "hybrid"
embedder = "words"

[embedder.words]
use = "scripted"
"""


def by_meaning(machine, **options):
    """Let the machine's retriever have vectors, of an embedder with these settings."""
    file = machine.work / "citewell.toml"
    chosen = "".join(f"{name} = {value}\n" for name, value in options.items())
    text = file.read_text()
    if HYBRID not in text:
        text = text.replace('use = "lexical"\n', HYBRID)
    before, after = text.split(HYBRID)
    file.write_text(f"{before}{HYBRID}{chosen}{after[after.index(chr(10) + '[') :]}")


def vectors_of(machine):
    (store,) = machine.work.rglob("passages.sqlite")
    with closing(sqlite3.connect(store)) as connection:
        return [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("vectors", "vectors_lacking")
        ]


def test_a_sync_ends_when_everything_is_embedded(machine):
    by_meaning(machine, delay_s=1.5)

    synced = machine.citewell("sync", "--json")

    report = json.loads(synced.stdout)
    assert synced.returncode == 0
    assert report["lacking"] == {}
    assert report["seconds"] > 1.5
    assert vectors_of(machine) == [report["passages"], 0]


def test_what_cannot_be_embedded_is_said_and_embedded_by_the_next_sync(machine):
    by_meaning(machine, texts=0)
    failing = machine.citewell("sync")
    asked = machine.citewell("ask", "How many days of leave do I have?")
    by_meaning(machine)
    synced = machine.citewell("sync")

    assert failing.returncode == 1
    assert "2 added" in failing.stdout
    assert (
        "passages of retriever main without a vector are found by words alone: the scripted "
        "embedder fails, as it shall" in " ".join(failing.stdout.split())
    )
    assert asked.returncode == 0
    assert synced.returncode == 0
    assert "2 unchanged" in synced.stdout
    assert vectors_of(machine)[1] == 0


def test_a_terminal_shows_how_much_is_embedded(machine, at_terminal):
    by_meaning(machine, delay_s=1)
    with at_terminal(machine, "sync") as terminal:
        terminal.wait_for("Embedding")
        code = terminal.wait()

    assert code == 0
    assert terminal.text.rstrip().splitlines()[-1].startswith("2 added")


def test_watching_waits_for_no_embedder(machine, at_terminal):
    by_meaning(machine, delay_s=30)
    with at_terminal(machine, "sync", "--watch") as terminal:
        seen = terminal.wait_for("2 added")
        (machine.handbook / "sick.md").write_text("# Sick\n\nCall in before nine.\n")
        seen = terminal.wait_for("1 added", after=seen)
        (machine.handbook / "sick.md").unlink()
        terminal.wait_for("1 removed", after=seen)
        lacking = vectors_of(machine)[1]
        terminal.type("\x03")
        code = terminal.wait()

    assert code == 0
    assert lacking > 0


@pytest.mark.parametrize("name", ["ask", "chat", "why", "sources", "sync"])
def test_the_help_of_every_command_has_examples(machine, name):
    shown = machine.citewell(name, "--help")

    assert shown.returncode == 0
    assert f"\nExamples:\n  citewell {name}" in re.sub(r"\n +", "\n  ", shown.stdout).replace(
        "\n  Examples", "\nExamples"
    )


def test_a_terminal_shows_a_bar_that_goes_away(machine, at_terminal):
    with at_terminal(machine, "sync") as terminal:
        code = terminal.wait()

    assert code == 0
    assert "2 added" in terminal.text
    assert terminal.text.rstrip().splitlines()[-1].startswith("2 added")


def test_more_workers_read_the_same(machine):
    synced = machine.citewell("sync", "--workers", "3")
    again = machine.citewell("sync")

    assert (synced.returncode, synced.stderr) == (0, "")
    assert "2 added" in synced.stdout
    assert "2 unchanged" in again.stdout


def test_no_worker_is_too_few(machine):
    refused = machine.citewell("sync", "--workers", "0")

    assert refused.returncode == 2
    assert "0 is not in the range 1<=x<=1000" in refused.stderr
