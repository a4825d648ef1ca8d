"""`citewell run` answers in every chat service of the settings, in a process of its own."""

import signal
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest

from assistants import write_handbook
from bots import RUN, SETTINGS, asked, complete, started, synced, until


def test_it_syncs_answers_and_ends_when_told_to(tmp_path):
    with started(tmp_path) as (process, chat, _):
        assert process.stdout.readline().startswith("answering in plain")
        until(lambda: synced(tmp_path))
        chat.tell(asked("1"))
        until(complete(chat))
        process.send_signal(signal.SIGTERM)
        out, complaints = process.communicate(timeout=20)

    (message,) = chat.messages()
    assert "28 days" in message.text
    assert "[1] Leave" in message.text
    assert out == "stopped\n"
    assert complaints.startswith("stopping")
    assert process.returncode == 0


def test_what_runs_may_end_when_it_is_told_to_stop(tmp_path):
    settings = SETTINGS.replace('model = "quotes"\n', 'model = "slow"\n')
    with started(tmp_path, settings) as (process, chat, _):
        until(lambda: synced(tmp_path))
        chat.tell(asked("1"))
        until(chat.messages)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)

    (message,) = chat.messages()
    assert message.is_complete
    assert "31 March" in message.text
    assert process.returncode == 0


def test_a_document_that_is_saved_can_be_asked_about(tmp_path):
    with started(tmp_path) as (_, chat, _):
        until(lambda: synced(tmp_path))
        (tmp_path / "docs" / "canteen.md").write_text("# Canteen\n\nThe canteen opens at 11:40.\n")
        numbers = iter(range(1, 100))

        def says_so():
            number = next(numbers)
            chat.tell(asked(str(number), "When does the canteen open?"))
            until(complete(chat, number))
            return any("11:40" in one.text for one in chat.messages())

        until(says_so)


def test_a_document_that_is_deleted_is_not_cited_at_the_next_question(tmp_path):
    with started(tmp_path) as (_, chat, _):
        until(lambda: synced(tmp_path))
        chat.tell(asked("1"))
        until(complete(chat))
        (tmp_path / "docs" / "leave.md").unlink()
        numbers = iter(range(2, 100))

        def forgotten():
            number = next(numbers)
            chat.tell(asked(str(number)))
            until(complete(chat, number))
            return "28 days" not in chat.messages()[-1].text

        until(forgotten, within_s=5)

    first, *_, last = chat.messages()
    assert "28 days" in first.text
    assert "leave.md" not in last.text


def test_a_changed_settings_file_is_taken_over(tmp_path):
    with started(tmp_path) as (process, chat, config):
        until(lambda: synced(tmp_path))
        chat.tell(asked("1"))
        until(complete(chat))
        config.write_text(config.read_text() + 'formatter = "plain"\n[chat]\nworkers = 2\n')
        time.sleep(2.5)
        config.write_text(config.read_text().replace("[chat]\nworkers = 2\n", ""))
        time.sleep(2.5)
        chat.tell(asked("2"))
        until(complete(chat, 2))
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=20)

    assert "the settings stay as they were: restart needed for chat" in complaints


def test_it_tells_how_it_does(tmp_path):
    settings = f"{SETTINGS}[monitoring]\nport = 0\n"
    with started(tmp_path, settings) as (process, chat, _):
        address = process.stdout.readline().removeprefix("monitoring: ").strip()
        until(lambda: synced(tmp_path))
        chat.tell(asked("1"))
        until(complete(chat))
        time.sleep(0.2)
        with urlopen(address, timeout=5) as response:
            metrics = response.read().decode()
        with urlopen(address.replace("metrics", "readyz"), timeout=5) as response:
            ready = response.read().decode()

    assert 'citewell_answers_total{model="quotes",outcome="answered"} 1.0' in metrics
    assert 'citewell_connected{adapter="plain"} 1.0' in metrics
    assert '"ok": true' in ready


def test_without_a_chat_service_it_says_how_to_name_one(tmp_path):
    config = write_handbook(
        tmp_path, SETTINGS.split("[model.quotes]", maxsplit=1)[0].split("[adapter", maxsplit=1)[0]
    )

    result = subprocess.run(
        [sys.executable, "-c", RUN, "run", "--config", str(config)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert result.returncode == 2
    assert "there is no [adapter.NAME]" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("signals", [1, 2])
def test_two_processes_share_the_questions(tmp_path, signals):
    with (
        started(tmp_path) as (first, chat, _),
        started(tmp_path, SETTINGS, "--no-sync") as (second, _, _),
    ):
        until(lambda: synced(tmp_path))
        for number in range(20):
            chat.tell(asked(str(number)))
        until(complete(chat, 20))
        (first if signals == 1 else second).kill()
        for number in range(20, 30):
            chat.tell(asked(str(number)))
        until(complete(chat, 30))

    assert len(chat.messages()) == 30
    assert len({one.thread for one in chat.messages()}) == 30
