"""With every address but this machine's own refused, everything works, and nothing is attempted."""

import pytest

import commands


@pytest.fixture
def machine(tmp_path):
    return commands.Machine(tmp_path)


def test_every_command_works_without_a_network(machine):
    initialised = machine.citewell("init", typed="\n" * 9)
    assert initialised.returncode == 0, initialised.stderr

    synced = machine.citewell("sync")
    assert synced.returncode == 0, synced.stderr

    asked = machine.citewell("ask", "How many days of leave do I have?")
    assert asked.returncode == 0, asked.stderr
    assert "28 days of leave" in asked.stdout

    chatted = machine.citewell("chat", typed="How many days of leave do I have?\n/sources\n/quit\n")
    assert chatted.returncode == 0, chatted.stderr
    assert "28 days of leave" in chatted.stdout

    explained = machine.citewell("why", commands.reference(asked.stdout))
    assert explained.returncode == 0, explained.stderr

    assert machine.attempts.read_text(encoding="utf-8") == ""
