import pytest

LEAVE = "How many days of leave do I have?"


def test_a_conversation_comes_through_a_pipe(shared):
    typed = f"{LEAVE}\n\n/sources\n/why\n/new\n/sources\n/what\n/quit\n{LEAVE}\n"

    talked = shared.citewell("chat", typed=typed)

    assert talked.returncode == 0, talked.stderr
    first, rest = talked.stdout.split("> /sources", 1)
    assert first.startswith(f"> {LEAVE}\nEvery employee has 28 days of leave a year. [1]\n")
    assert "[1] Leave, line 3  handbook/leave.md:3" in first
    assert "│" not in first
    sources, rest = rest.split("> /why", 1)
    assert "    │ Every employee has 28 days of leave a year." in sources
    why, rest = rest.split("> /new", 1)
    assert "  profile  default" in why
    assert "the last answer has no sources" in rest
    assert "/what is no command here" in rest
    assert rest.endswith("> /quit\n")


def test_the_end_of_the_input_ends_the_conversation(shared):
    talked = shared.citewell("chat", typed=LEAVE)

    assert talked.returncode == 0
    assert "28 days of leave" in talked.stdout


def test_a_follow_up_leans_on_the_question_before(synced):
    (synced.handbook / "leave.md").write_text(
        "# Leave\n\nEmployees in Paris have 28 days of leave.\n\n"
        "Employees in Berlin have 30 days of leave.\n"
    )
    synced.citewell("sync")

    alone = synced.citewell("chat", typed="And in Berlin?\n")
    talked = synced.citewell(
        "chat", typed="How many days of leave do employees in Paris have?\nAnd in Berlin?\n"
    )

    assert "28 days" in talked.stdout.split("> And in Berlin?")[0]
    assert "30 days" in talked.stdout.split("> And in Berlin?")[1]
    assert alone.returncode == 0


def test_sources_are_read_again(synced, at_terminal):
    with at_terminal(synced, "chat") as terminal:
        terminal.wait_for("> ")
        terminal.type(f"{LEAVE}\r")
        seen = terminal.wait_for("1 of 1 statement supported")
        (synced.handbook / "leave.md").unlink()
        synced.citewell("sync")
        terminal.type("/sources\r")
        shown = terminal.wait_for("gone, changed, or not for this reader any more", after=seen)
        terminal.wait_for("> ", after=shown)
        terminal.type("\x04")
        code = terminal.wait()

    assert code == 0
    assert "28 days" not in terminal.text[seen:]


def test_ctrl_c_stops_the_answer_and_not_the_conversation(shared, at_terminal):
    with at_terminal(shared, "chat", "--profile", "slow") as terminal:
        terminal.wait_for("> ")
        terminal.type(f"{LEAVE}\r")
        seen = terminal.wait_for("28 days of leave")
        terminal.type("\x03")
        seen = terminal.wait_for("stopped", after=seen)
        seen = terminal.wait_for("> ", after=seen)
        terminal.type("\x03")
        seen = terminal.wait_for("> ", after=seen)
        terminal.type("/help\r")
        terminal.wait_for("/sources", after=seen)
        terminal.type("/quit\r")
        code = terminal.wait()

    assert code == 0
    assert "portal" not in terminal.text
    assert "Traceback" not in terminal.text


def test_an_error_does_not_end_the_conversation(machine):
    talked = machine.citewell("chat", typed=f"{LEAVE}\n/help\n")

    assert talked.returncode == 0
    assert talked.stderr == "error: nothing is indexed yet; run: citewell sync\n"
    assert "/sources" in talked.stdout


def test_a_folder_can_be_talked_to(machine):
    talked = machine.citewell("chat", "--docs", "handbook", typed=f"{LEAVE}\n")

    assert talked.returncode == 0, talked.stderr
    assert "28 days of leave" in talked.stdout


@pytest.mark.parametrize("typed", ["", "\n\n", "/quit\n"])
def test_saying_nothing_is_fine(shared, typed):
    assert shared.citewell("chat", typed=typed).returncode == 0
