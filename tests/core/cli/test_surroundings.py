"""Where the machine does not play along, an answer is still shown, or one line says why not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import commands

LEAVE = "How many days of leave do I have?"
ASK = f"citewell ask '{LEAVE}'"
ANSWER = "Every employee has 28 days of leave a year. [1]"


def shell(machine, script, **variables):
    """Run a line of shell as `machine`; what is printed comes back as bytes."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", script],
        check=False,
        cwd=machine.work,
        env=machine.environment | {"PATH": path} | variables,
        capture_output=True,
        timeout=60,
    )


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_what_the_encoding_lacks_is_drawn_in_plain_characters(shared, encoding):
    asked = shell(shared, ASK, PYTHONIOENCODING=encoding)

    assert asked.returncode == 0, asked.stderr
    assert b"\n    | Every employee has 28 days of leave a year.\n" in asked.stdout


def test_a_letter_that_the_encoding_lacks_costs_only_itself(machine):
    (machine.handbook / "leave.md").write_text("# Leave\n\nZażółć has 28 days of leave.\n")

    asked = shell(machine, f"{ASK} --docs handbook", PYTHONIOENCODING="latin-1")

    assert asked.returncode == 0, asked.stderr
    assert b"Za?\xf3?? has 28 days of leave." in asked.stdout


def test_a_closed_output_is_an_error_in_words(shared):
    asked = shell(shared, f"{ASK} >&-")

    assert asked.returncode == 1
    assert asked.stderr == b"error: standard output is closed, so nothing can be shown\n"


@pytest.mark.parametrize("words", [ASK, f"{ASK} --json", "citewell config schema"])
def test_a_full_disk_behind_the_output_is_an_error_in_words(shared, words):
    asked = shell(shared, f"{words} >/dev/full")

    assert asked.returncode == 1
    assert asked.stderr == (
        b"error: standard output, or an open file, cannot be used: No space left on device\n"
    )


def test_closed_inputs_and_error_streams_are_empty_ones(shared):
    silent = shell(shared, f"{ASK} 2>&-")
    empty = shell(shared, "citewell ask - <&-")
    talked = shell(shared, "citewell chat <&-")

    assert silent.returncode == 0
    assert ANSWER.encode() in silent.stdout
    assert b"the question is empty" in empty.stderr
    assert talked.returncode == 0


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("command", ["ask -", "chat"])
def test_a_question_in_another_encoding_is_answered_and_kept(machine, locale, command):
    (machine.work / "q.txt").write_bytes(b"How many days of leave f\xfcr every employee?\n")
    environment = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    machine.citewell("sync")

    asked = shell(machine, f"citewell {command} < q.txt", **environment)
    (kept,) = (machine.work / ".citewell" / "spool").glob("*.json")
    told = machine.citewell("why", kept.stem)

    assert asked.returncode == 0, asked.stderr
    assert b"28 days of leave" in asked.stdout
    assert told.stdout.startswith(
        "How many days of leave f\N{REPLACEMENT CHARACTER}r every employee?\n"
    )


def test_half_a_character_among_the_words_is_answered_and_kept(synced):
    asked = shell(synced, f"citewell ask '{LEAVE}' $'f\\xfcr'")

    told = synced.citewell("why", commands.reference(asked.stdout.decode()))

    assert told.stdout.startswith(f"{LEAVE} f\N{REPLACEMENT CHARACTER}r\n")


def test_a_file_that_is_no_record_is_set_aside_with_a_warning(synced):
    asked = synced.citewell("ask", LEAVE)
    spool = synced.work / ".citewell" / "spool"
    (spool / "aa.json").write_bytes(b"\xff")

    told = synced.citewell("why", commands.reference(asked.stdout))

    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(LEAVE)
    assert told.stderr.startswith(f"warning: {spool / 'aa.json'} holds no record of an answer")
    assert (spool / "aa.unreadable").read_bytes() == b"\xff"


def test_an_answer_that_cannot_be_kept_is_shown_with_a_warning(synced):
    spool = synced.work / ".citewell" / "spool"
    spool.write_text("a file, where a folder is needed")

    asked = synced.citewell("ask", LEAVE)
    talked = synced.citewell("chat", typed=f"{LEAVE}\n")

    assert asked.returncode == 0
    assert asked.stdout.startswith(ANSWER)
    assert asked.stdout.endswith("1 of 1 statement supported\n")
    assert asked.stderr.startswith("warning: answer ")
    assert f"could not be recorded in {spool}: " in asked.stderr
    assert len(asked.stderr.splitlines()) == 1
    assert ANSWER in talked.stdout
    assert "could not be recorded" in talked.stderr


def test_what_an_answer_alone_needs_is_made_for_the_moment(synced):
    (synced.work / ".citewell" / "formatter").write_text("a file, where a folder is needed")

    asked = synced.citewell("ask", LEAVE)

    assert asked.returncode == 0, asked.stderr
    assert asked.stderr == ""
    assert f"citewell why {commands.reference(asked.stdout)}" in asked.stdout


@pytest.mark.parametrize("words", [["ask", LEAVE], ["sync"], ["why", "x"], ["sources"]])
def test_a_file_in_place_of_the_data_folder_is_an_error_in_words(machine, words):
    (machine.work / ".citewell").write_text("a file, where a folder is needed")

    done = machine.citewell(*words)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: data_dir {machine.work / '.citewell'}")
    assert done.stderr.endswith("; set data_dir to another folder\n")
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_is_answered_without_a_cache(machine):
    home = Path(machine.environment["HOME"])
    home.rmdir()
    home.write_text("a file, where a folder is needed")

    asked = machine.citewell("ask", LEAVE, "--docs", "handbook")
    talked = machine.citewell("chat", "--docs", "handbook", typed=f"{LEAVE}\n/why\n")

    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.startswith(ANSWER)
    assert "citewell why" not in asked.stdout
    assert asked.stderr.startswith(f"warning: data_dir {home}")
    assert asked.stderr.endswith("set data_dir to another folder; nothing is kept\n")
    assert "  profile  default" in talked.stdout


def test_a_file_name_forges_no_source(machine):
    name = "c\n[2] Board minutes, page 9  minutes.txt"
    (machine.handbook / name).write_text("Bicycle storage is in the basement.\n")
    (machine.handbook / "bad\n[3] Forged.md").write_bytes(b"\x00\x01\x02")

    asked = machine.citewell("ask", "Where is bicycle storage?", "--docs", "handbook")
    synced = machine.citewell("sync", "--docs", "handbook")

    assert "\n[1] c 2 Board minutes, page 9 minutes, line 1  handbook/c [2] Board" in asked.stdout
    assert "\n[2]" not in asked.stdout
    assert "bad [3] Forged.md" in synced.stdout
    assert "\n[3]" not in synced.stdout
