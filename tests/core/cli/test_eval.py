"""`citewell eval`: what a person sees of a measurement, and what it lets go live."""

import json
import sqlite3
import subprocess
import sys
import tomllib
from xml.etree import ElementTree as ET

import pytest

from citewell.cli.main import run
from islands import question, write_project

GATE = """
[gate]
min = { correct = 0.5 }
max_drop = 0.5
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_project(tmp_path)
    assert run(["sync"]) == 0
    return path


def append(path, text):
    path.write_text(path.read_text() + text)


def test_a_run_says_first_what_it_can_show_and_then_which_arm_to_take(settings, capsys):
    assert run(["eval", "run"]) == 0

    shown = capsys.readouterr()
    assert "18 questions about 18 documents: a gain of" in shown.err
    assert shown.out.splitlines()[0].startswith("Take rag: ")
    for arm in ("base", "tuned", "rag", "both"):
        assert arm in shown.out
    assert "Interaction, (both - rag) - (tuned - base)" in shown.out


def test_the_report_comes_in_every_form(settings, tmp_path, capsys):
    run(["eval", "run"])
    capsys.readouterr()

    assert run(["eval", "report", "--html", "page.html", "--junit", "junit.xml"]) == 0
    assert run(["eval", "report", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == 1
    assert {arm["name"] for arm in found["arms"]} == {"base", "tuned", "rag", "both"}
    assert "Take rag" in (tmp_path / "page.html").read_text()
    suites = ET.parse(tmp_path / "junit.xml").getroot()
    counts = {one.get("name"): (one.get("tests"), one.get("failures")) for one in suites}
    assert counts["rag"] == ("18", "0")
    assert counts["base"] == ("18", "12")


def test_the_same_answers_give_the_same_json(settings, capsys):
    run(["eval", "run"])
    capsys.readouterr()

    run(["eval", "run", "--json"])
    first = capsys.readouterr().out
    run(["eval", "run", "--json"])

    assert capsys.readouterr().out == first


def test_two_arms_are_compared_by_what_they_differ_in(settings, capsys):
    run(["eval", "run"])
    capsys.readouterr()

    assert run(["eval", "compare", "rag", "both"]) == 0

    shown = capsys.readouterr().out
    assert "They differ in: model memory, model quotes." in shown
    assert "rag is better on 12 questions:" in shown
    assert run(["eval", "compare", "rag", "bth"]) == 1
    assert 'did you mean "both"?' in capsys.readouterr().err


def test_a_run_that_costs_too_much_says_so_and_keeps_what_it_has(settings, capsys):
    assert run(["eval", "run", "--arms", "tuned", "--max-cost", "2"]) == 1
    shown = capsys.readouterr()
    assert "ended at a cost of 2, since one more answer could cost too much" in shown.err

    assert run(["eval", "run", "--arms", "tuned"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--arms", "rg"], 'no arm or profile "rg"; did you mean "rag"?'),
        (["run", "--questions", "none.jsonl"], "none.jsonl: cannot be read: no such file"),
        (["report"], "there is no report yet; run: citewell eval run"),
        (["compare", "a", "b"], "there is no report yet; run: citewell eval run"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(settings, capsys, words, said):
    assert run(["eval", *words]) == 1

    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown


def test_a_run_that_is_killed_pays_for_nothing_twice(settings, tmp_path):
    slow = 'cost = 0.5\nbehaviour = "slow"\ndelay_s = 0.02'
    settings.write_text(settings.read_text().replace("cost = 0.5", slow))
    said = "import sys; from citewell.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", said, "eval", "run", "--json"]
    answers = tmp_path / ".citewell" / "eval" / "answers.sqlite"

    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(_kept(answers)) < 5:
        assert process.poll() is None, "it ended before it could be killed"
    process.kill()
    process.wait()
    before = _kept(answers)
    subprocess.run(command, check=True, capture_output=True)

    after = _kept(answers)
    assert 5 <= len(before) < len(after) == 72
    assert before.items() <= after.items(), "an answer that was kept was asked for again"


def _kept(path):
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            rows = connection.execute("SELECT question, arm, response FROM answers").fetchall()
    except sqlite3.OperationalError:
        return {}
    return {row[:2]: row[2] for row in rows}


# --- the gate --------------------------------------------------------------------------------


def test_the_gate_passes_what_was_measured(settings, capsys):
    append(settings, GATE)
    run(["eval", "run"])
    capsys.readouterr()

    assert run(["eval", "gate"]) == 0

    assert capsys.readouterr().out == "profile rag: pass (arm rag)\n"


def test_the_gate_fails_without_a_report_and_errs_without_a_gate(settings, capsys):
    assert run(["eval", "gate"]) == 3
    assert "the settings have no [gate]" in capsys.readouterr().err

    append(settings, GATE)

    assert run(["eval", "gate", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["profiles"]["rag"]["reasons"] == ["there is no report; run: citewell eval run"]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ('[profile.rag]\ninstructions = "Be brief."', "profile"),
        ("[profile.rag]\ntemperature = 0.5", "profile"),
        ("[profile.rag]\npassages = 3", "profile"),
    ],
)
def test_one_word_of_a_profile_is_enough_to_need_a_new_report(settings, capsys, change, part):
    append(settings, GATE)
    run(["eval", "run"])
    settings.write_text(settings.read_text().replace("[profile.rag]", change))
    capsys.readouterr()

    assert run(["eval", "gate"]) == 1

    assert f"beside arm rag it differs in: {part};" in capsys.readouterr().out


def test_changed_evidence_makes_the_report_stale_and_other_documents_do_not(
    settings, tmp_path, capsys
):
    append(settings, GATE)
    run(["eval", "run"])
    (tmp_path / "docs" / "unrelated.md").write_text("# Weather\n\nIt rains.\n")
    run(["sync"])
    assert run(["eval", "gate"]) == 0

    for at in range(3):
        append(tmp_path / "docs" / f"island{at}.md", "\nSheep as well.\n")
    run(["sync"])
    capsys.readouterr()

    assert run(["eval", "gate"]) == 1
    assert "atlas:island0.md" in capsys.readouterr().out


def test_no_model_is_used_that_has_not_passed(settings, capsys):
    append(settings, GATE)
    run(["eval", "run"])
    capsys.readouterr()
    before = settings.read_text()

    assert run(["use", "model", "memory", "-p", "rag"]) == 1

    shown = capsys.readouterr().err
    assert "the gate refuses, and nothing is changed" in shown
    assert "profile rag: arm both: correct is 33%, asked are 50%" in shown
    assert settings.read_text() == before


def test_who_forces_a_model_stands_in_the_audit_with_the_reason(settings, tmp_path, capsys):
    append(settings, GATE)
    assert run(["use", "model", "memory", "-p", "rag", "--force"]) == 2
    assert "--force needs --why" in capsys.readouterr().err

    why = "the report is being made"
    assert run(["use", "model", "memory", "-p", "rag", "--force", "--why", why]) == 0

    assert tomllib.loads(settings.read_text())["profile"]["rag"]["model"] == "memory"
    assert run(["eval", "gate"]) == 0, "what was forced is not refused again"
    with sqlite3.connect(tmp_path / ".citewell" / "journal.sqlite") as journal:
        ((action, detail),) = journal.execute("SELECT action, detail FROM audit").fetchall()
    assert action == "gate forced"
    assert why in detail


def test_what_was_asked_for_others_or_is_leaked_passes_no_gate(settings, tmp_path, capsys):
    append(settings, GATE)
    (tmp_path / "tuning.jsonl").write_text(json.dumps({"prompt": question("island3")}))
    named = settings.read_text().replace("[eval]\n", '[eval]\ntraining_data = ["tuning.jsonl"]\n')
    settings.write_text(named)
    reasons = []
    for options in (["--as", "everyone,staff"], ["--ask-leaked"], []):
        run(["eval", "run", *options])
        capsys.readouterr()
        run(["eval", "gate"])
        reasons.append(capsys.readouterr().out)

    assert 'the questions were asked for "everyone, staff", and [cli] reads' in reasons[0]
    assert "1 of the questions that were asked stand in the training data" in reasons[1]
    assert reasons[2] == "profile rag: pass (arm rag)\n"


def test_answers_that_are_too_old_are_asked_again_and_the_report_is_young(
    settings, tmp_path, capsys
):
    append(settings, GATE)
    run(["eval", "run"])
    with sqlite3.connect(tmp_path / ".citewell" / "eval" / "answers.sqlite") as answers:
        rows = answers.execute("SELECT question, arm, response FROM answers").fetchall()
        for at, (asked, arm, response) in enumerate(rows[:3]):
            old = json.loads(response) | {"asked_at": f"2020-01-0{at + 1}T00:00:00+00:00"}
            answers.execute(
                "UPDATE answers SET response = ? WHERE question = ? AND arm = ?",
                (json.dumps(old).encode(), asked, arm),
            )
    capsys.readouterr()

    assert run(["eval", "run", "--max-age", "36500"]) == 0
    assert "too old" not in capsys.readouterr().err
    assert run(["eval", "run"]) == 0
    assert "note: 3 answers too old, asked again" in capsys.readouterr().err
    assert run(["eval", "gate"]) == 0


def test_a_model_on_trial_passes_once_its_arm_was_measured(settings, capsys):
    append(settings, GATE.replace("min = { correct = 0.5 }", "min = { correct = 0.2 }"))
    on_trial = '[profile.base]\ncanary = { model = "memory" }'
    named = settings.read_text().replace("[profile.base]", on_trial)
    settings.write_text(named.replace('profile = "rag"\n', 'profile = "base"\n', 1))
    run(["eval", "run"])
    capsys.readouterr()

    run(["eval", "gate"])

    assert "profile base, on trial: pass (arm tuned)" in capsys.readouterr().out


def test_who_forces_a_profile_forces_what_it_has_on_trial(settings, capsys):
    append(settings, GATE)
    on_trial = 'canary = { model = "memory" }'
    settings.write_text(settings.read_text().replace("[profile.rag]", f"[profile.rag]\n{on_trial}"))
    assert run(["eval", "gate"]) == 1
    why = ["--why", "the report is being made"]

    assert run(["use", "model", "quotes", "-p", "rag", "--force", *why]) == 0
    capsys.readouterr()

    assert run(["eval", "gate"]) == 0
    assert "profile rag, on trial: pass" in capsys.readouterr().out
