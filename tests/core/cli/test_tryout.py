"""`citewell try` shows how a bot answers in a chat service, without an account or a token."""

import re
import subprocess
import sys

import pytest

SERVICES = ["slack", "discord"]
LEAVE = "How many days of leave does an employee have?"
SENTENCE = "Every employee has 28 days of leave a year."


@pytest.fixture
def trying(machine):
    """Return a function that has lines typed into a stand-in, and returns what was shown."""

    def tried(service, *lines, code=0):
        typed = "".join(f"{line}\n" for line in lines)
        done = machine.citewell("try", service, "--docs", "handbook", typed=typed)
        assert (done.returncode, done.stderr) == (code, "")
        return done.stdout

    return tried


def turns(shown):
    """Return what was shown for each line."""
    return [one.rstrip("\n") for one in re.split(r"^you> .*\n", shown, flags=re.MULTILINE)[1:]]


@pytest.mark.parametrize("service", SERVICES)
def test_a_question_its_quotes_a_vote_and_a_follow_up_are_shown(trying, service):
    asked, quotes, vote, reason, more = turns(
        trying(
            service,
            LEAVE,
            "/press Show the quotes",
            "/press not helpful",
            "/write It is about another country.",
            "And where is it asked for?",
        )
    )

    assert asked.startswith("bot \u00b7 #general \u00b7 thread\n")
    assert asked.count(SENTENCE.rstrip(".")) == 1, "the quotes are shown by their button"
    assert "[1] Leave" in asked
    assert "supported" in asked
    assert asked.count("Show the quotes") == 1
    assert asked.count("Not helpful") == 1
    assert SENTENCE in quotes
    assert "to you alone" in quotes
    assert "bot \u00b7 opens to you alone" in vote
    assert reason.endswith(("Thank you.", "nothing new is to be seen"))
    assert "portal" in more


@pytest.mark.parametrize("service", SERVICES)
def test_each_button_keeps_its_number(trying, service):
    first, second, pressed = turns(trying(service, LEAVE, f"/new {LEAVE}", "/press 1"))

    assert "[1] Show the quotes" in first
    assert "[1] Show" not in second
    assert re.search(r"\[\d+\] Show the quotes", second)
    assert SENTENCE in pressed


@pytest.mark.parametrize("service", SERVICES)
def test_a_question_can_be_changed_and_taken_back(trying, service):
    asked, changed, gone = turns(
        trying(service, LEAVE, "/change Where is leave asked for?", "/delete")
    )

    assert "28 days" in asked
    assert " \u00b7 changed\n" in changed
    assert "portal" in changed
    assert gone.startswith("bot \u00b7 #general \u00b7 thread \u00b7 took back: ")
    assert len(gone.splitlines()) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_a_private_answer_is_shown_as_one_and_can_be_shared(trying, service):
    private, shared = turns(trying(service, f"/ask {LEAVE}", "/press Share with the channel"))

    assert private.startswith("bot \u00b7 #general \u00b7 to you alone\n")
    assert "took back" not in shared
    public = [one for one in shared.split("\n\n") if "to you alone" not in one]
    assert "28 days" in "\n\n".join(public)


@pytest.mark.parametrize("service", SERVICES)
def test_a_question_goes_on_to_people(trying, service):
    _, handed = turns(trying(service, LEAVE, "/press Ask a person"))

    assert "bot \u00b7 #help" in handed
    assert LEAVE in handed
    assert "bot \u00b7 #general \u00b7 thread \u00b7 to you alone" in handed


@pytest.mark.parametrize("service", SERVICES)
def test_a_question_is_asked_directly_about_a_message_and_with_a_file(trying, service, machine):
    (machine.work / "plan.txt").write_text("The plan is called Heron.\n")
    direct, about, attached, missing = turns(
        trying(
            service,
            f"/direct {LEAVE}",
            f"/about {LEAVE}",
            f"/file plan.txt {LEAVE}",
            "/file nowhere.txt What is this?",
        )
    )

    assert direct.startswith("bot \u00b7 direct")
    assert "28 days" in direct
    assert about.startswith("bot \u00b7 #general")
    assert "to you alone" in about.splitlines()[0]
    assert attached.startswith("bot \u00b7 #general \u00b7 thread\n")
    assert "Not read" not in attached
    assert missing == "nowhere.txt cannot be read: No such file or directory"


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_does_not_take_ends_no_talk(trying, service):
    much = "x " * 40_000
    *_, unreadable, asked, refused, changed = turns(
        trying(service, "/file no\0where.txt What?", LEAVE, f"/new {much}", f"/change {much}")
    )

    assert unreadable.endswith("cannot be read: embedded null byte")
    assert "28 days" in asked
    if service == "discord":
        assert "2000 or fewer" in refused
        assert "2000 or fewer" in changed


def test_a_form_that_was_filled_in_too_long_is_still_open(trying):
    *_, refused, taken = turns(
        trying("discord", LEAVE, "/press not helpful", "/write " + "x" * 2000, "/write Another.")
    )

    assert "2000 characters; expected 0 to 1000" in refused
    assert "no form is open" not in taken


@pytest.mark.parametrize("service", SERVICES)
def test_what_cannot_be_done_is_said_in_a_line(trying, service):
    said = turns(
        trying(
            service,
            "/press 1",
            "/write x",
            "/change x",
            "/frob",
            "/ask",
            LEAVE,
            "/press 99",
            "/quit",
        )
    )

    assert said[0] == "there is no button here yet; ask something first"
    assert said[1] == 'no form is open; "Not helpful" opens one'
    assert said[2] == "there is no question of yours to change; ask one first"
    assert said[3] == "/frob is no command here; /help lists them"
    assert said[4] == "expected something behind /ask; /help says what"
    assert said[6].startswith("there is no button 99; there are: 1, ")


def test_the_page_of_the_bot_is_shown_where_there_is_one(trying):
    (page,) = turns(trying("slack", "/home"))
    (nothing,) = turns(trying("discord", "/home"))
    (described,) = turns(trying("discord", "/help"))

    assert page.startswith("bot \u00b7 its own page\n")
    assert "2 documents, 2 passages, synced" in page
    assert nothing == "the bot has no page of its own in this service"
    assert "/home" not in described
    assert "/press" in described


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_kept(trying, machine, service):
    def files():
        return {path for path in machine.work.parent.rglob("*") if path.is_file()}

    before = files()
    trying(service, LEAVE, "/press Helpful")

    assert files() == before
    assert machine.attempts.read_text() == "", "nothing left this machine"


def test_a_service_that_nothing_offers_is_named_with_those_there_are(machine):
    done = machine.citewell("try", "slak", "--docs", "handbook")

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith('error: no chat service "slak" can be tried here; did you mean "slack"?')


def test_its_help_has_examples(machine):
    done = machine.citewell("try", "--help")

    assert done.returncode == 0
    assert "citewell try slack --docs handbook/" in done.stdout
    assert "citewell try slack < lines.txt" in done.stdout
    assert "Ctrl-C" in done.stdout


WITHOUT = """
import sys
sys.modules["{missing}"] = None
from citewell.cli.main import main
main()
"""


@pytest.mark.parametrize(
    ("service", "missing", "package"),
    [
        ("slack", "aiohttp", "aiohttp"),
        ("slack", "slack_bolt", "slack-bolt"),
        ("discord", "discord", "discord.py"),
    ],
)
def test_without_its_extra_what_installs_it_is_named(machine, service, missing, package):
    words = ["try", service, "--docs", "handbook"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(missing=missing), *words],
        check=False,
        cwd=machine.work,
        env=machine.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f'needs {package}, which is not installed; run: pip install "citewell[' in line
    assert f'"citewell[{service}]"' in line


SLOW = """
[library.handbook]
use = "files"
path = "handbook"

[retriever.main]
use = "lexical"

[model.slow]
use = "scripted"
behaviour = "slow"
delay_s = 0.4
script = ["Every employee has 28 days of leave a year [1]. Leave is asked for in the portal [1]."]

[profile.default]
retriever = "main"
model = "slow"
"""


@pytest.mark.parametrize("service", SERVICES)
def test_an_answer_grows_in_place_at_a_terminal_and_ctrl_c_leaves(machine, at_terminal, service):
    (machine.work / "citewell.toml").write_text(SLOW, encoding="utf-8")
    with at_terminal(machine, "try", service) as screen:
        screen.wait_for("you> ")
        screen.type(f"{LEAVE}\r")
        first = screen.wait_for("28 days of leave a year")
        whole = screen.wait_for("[1] Show the quotes")
        screen.wait_for("you> ", after=whole)
        screen.type("\x03")
        code = screen.wait()

    assert "portal" not in screen.text[:first]
    assert screen.text.count("28 days of leave a year") > 1, "drawn again, in place"
    assert "\x1b[J" in screen.raw
    assert code == 0
    assert "Traceback" not in screen.text
    assert screen.text.endswith("you> ^C\n")


def test_ctrl_c_leaves_while_the_bot_answers_and_ctrl_d_at_the_prompt(machine, at_terminal):
    (machine.work / "citewell.toml").write_text(SLOW, encoding="utf-8")
    with at_terminal(machine, "try", "slack") as screen:
        screen.wait_for("you> ")
        screen.type(f"{LEAVE}\r")
        screen.wait_for("28 days")
        screen.type("\x03")
        stopped = screen.wait()
    with at_terminal(machine, "try", "discord") as other:
        other.wait_for("you> ")
        other.type("\x04")
        left = other.wait()

    assert (stopped, left) == (0, 0)
    assert "Traceback" not in screen.text + other.text
