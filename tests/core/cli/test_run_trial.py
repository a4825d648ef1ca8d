"""A model on trial: what fails is taken back, nobody loses an answer, and the audit has it."""

import json
import sqlite3

from bots import SETTINGS, asked, started, synced, until

TRIAL = """
[model.broken]
use = "scripted"
behaviour = "failing"
pieces = 0
"""
CANARY = 'canary = { model = "broken", share = 0.5, watch = 20 }\n'
QUESTIONS = 16


def audit(folder):
    path = folder / ".citewell" / "journal.sqlite"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as journal:
        return journal.execute("SELECT action, detail FROM audit").fetchall()


def test_a_model_on_trial_that_fails_is_taken_back_and_the_audit_says_so(tmp_path):
    with started(tmp_path, SETTINGS + CANARY + TRIAL) as (process, chat, _):
        until(lambda: synced(tmp_path))
        for number in range(QUESTIONS):
            chat.tell(asked(str(number)))
        until(lambda: sum(one.is_complete for one in chat.messages()) == QUESTIONS, within_s=60)
        until(lambda: audit(tmp_path))
        process.terminate()
        _, complaints = process.communicate(timeout=30)

    assert all("28 days" in message.text for message in chat.messages())
    assert "broken is on trial no more: 2 of its last 2 answers failed" in complaints
    ((action, detail),) = audit(tmp_path)
    assert action == "rolled back"
    assert json.loads(detail) == {
        "profile": "default",
        "model": "broken",
        "why": "2 of its last 2 answers failed",
    }
