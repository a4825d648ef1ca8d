"""`citewell plugins`: everything is listed with its state, and files run only when trusted."""

import json
import tomllib

import pytest

from citewell.cli.main import run
from distributions import Site

PLUGIN = """
from citewell import hookimpl

@hookimpl
def observe(event):
    return None
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return folder


@pytest.fixture
def site(tmp_path, monkeypatch, here):
    return Site(tmp_path / "site", monkeypatch)


def document(capsys, form):
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == f"citewell.{form}/1"
    return found


def states(capsys):
    run(["plugins", "list", "--json"])
    return {state["name"]: state for state in document(capsys, "plugins")["plugins"]}


def test_every_plugin_is_listed_with_its_state(site, capsys):
    site.install({"bad": "raises_at_import", "good": "routes_well"}, name="citewell-hello")
    site.install({"new": "routes_well"}, name="citewell-new", group="citewell.v7")

    assert run(["plugins", "list"]) == 0

    shown = capsys.readouterr().out
    rows = {line.split()[0]: " ".join(line.split()) for line in shown.split("\n\n")[0].splitlines()}
    offers = "retriever lexical, retriever hybrid"
    assert rows["embedded"] == f"embedded citewell 0.1.0 citewell.v1 on {offers}"
    assert rows["bad"] == "bad citewell-hello 0.3 citewell.v1 failed"
    assert rows["good"] == "good citewell-hello 0.3 citewell.v1 on"
    assert rows["new"] == "new citewell-new 0.3 citewell.v7 needs a newer citewell"
    assert 'plugin "bad" (citewell-hello 0.3) is off: it raised RuntimeError' in shown


def test_programs_get_json(here, capsys):
    found = states(capsys)

    assert found["embedded"]["offers"] == ["retriever lexical", "retriever hybrid"]
    assert found["embedded"]["state"] == "on"


def test_the_settings_near_by_count(here, capsys):
    (here / "citewell.toml").write_text('broken = 1\n[plugins]\ndisabled = ["git"]\n')

    assert states(capsys)["git"]["state"] == "off"


def test_a_plugin_is_shown_with_the_settings_of_its_components(here, capsys):
    assert run(["plugins", "show", "embedded"]) == 0

    shown = capsys.readouterr().out
    assert "retriever lexical: " in shown
    assert "  stemming: true or false; default true\n" in shown
    assert "  fusion.words: number, 0 to 1; default 0.5\n" in shown
    assert '[retriever.hybrid]\nuse = "hybrid"\nembedder = "main"\n' in shown
    run(["plugins", "show", "embedded", "--json"])
    (found,) = document(capsys, "plugin")["plugins"]
    lexical, hybrid = found["offers"]
    assert "stemming" in lexical["settings"]
    assert tomllib.loads(hybrid["example"])["retriever"]["hybrid"]["use"] == "hybrid"
    embedder = next(one for one in hybrid["reference"] if one["name"] == "embedder")
    assert (embedder["type"], embedder["is_required"]) == ("string, not empty", True)


def test_a_secret_is_marked(here, capsys):
    assert run(["plugins", "show", "slack"]) == 0

    shown = capsys.readouterr().out
    assert '  bot_token: secret, given as { env = "NAME" } or { file = "PATH" }\n' in shown
    assert 'bot_token = { env = "SLACK_BOT_TOKEN" }\n' in shown


def test_an_unknown_plugin_names_the_nearest(here, capsys):
    assert run(["plugins", "show", "embeded"]) == 1

    assert 'no plugin is called "embeded"; did you mean "embedded"?' in capsys.readouterr().err


def test_a_file_runs_once_it_is_trusted(here, capsys):
    (here / "mine.py").write_text(PLUGIN)
    (here / "citewell.toml").write_text('[plugins]\npaths = ["mine.py"]\n')
    assert states(capsys)["mine"]["state"] == "untrusted"

    assert run(["plugins", "trust", "mine.py", "--yes"]) == 0
    assert "SHA-256" in capsys.readouterr().out
    assert states(capsys)["mine"]["state"] == "on"

    assert run(["plugins", "trust", "mine.py"]) == 0
    assert "is trusted already" in capsys.readouterr().out

    (here / "mine.py").write_text(PLUGIN + "\n")
    assert states(capsys)["mine"]["state"] == "untrusted"


@pytest.mark.parametrize("keys", ["n\n", "\x04"])
def test_trust_is_asked_for_at_a_terminal(machine, at_terminal, keys):
    (machine.work / "mine.py").write_text(PLUGIN)

    with at_terminal(machine, "plugins", "trust", "mine.py") as terminal:
        terminal.wait_for("and trust it?")
        terminal.type(keys)

        assert terminal.wait() == 130

    assert "trusted, until it changes" not in terminal.text


@pytest.mark.parametrize("is_terminal", [True, False])
def test_ctrl_c_where_trust_is_asked_for_interrupts(here, capsys, monkeypatch, is_terminal):
    def interrupt(_):
        raise KeyboardInterrupt

    (here / "mine.py").write_text(PLUGIN)
    monkeypatch.setattr("sys.stdin.isatty", lambda: is_terminal)
    # A key pressed at a real terminal may come before anybody waits for it.
    monkeypatch.setattr("click.termui.visible_prompt_func", interrupt)

    assert run(["plugins", "trust", "mine.py"]) == 130

    assert capsys.readouterr().err.strip() == "interrupted"


def test_a_yes_at_a_terminal_is_trust(machine, at_terminal):
    (machine.work / "mine.py").write_text(PLUGIN)

    with at_terminal(machine, "plugins", "trust", "mine.py") as terminal:
        terminal.wait_for("and trust it?")
        terminal.type("y\n")

        assert terminal.wait() == 0

    assert "trusted, until it changes" in terminal.text


def test_trust_needs_an_answer_or_yes(machine):
    path = machine.work / "my plugin.py"
    path.write_text(PLUGIN)

    done = machine.citewell("plugins", "trust", "my plugin.py", typed="")

    assert done.returncode == 1
    assert "there is no terminal to ask at" in done.stderr
    assert f"run: citewell plugins trust '{path}' --yes" in done.stderr
    assert machine.citewell("plugins", "trust", "my plugin.py", "--yes").returncode == 0


@pytest.mark.parametrize(("piped", "code"), [("y\n", 0), ("n\n", 130)])
def test_an_answer_may_come_through_a_pipe(machine, piped, code):
    (machine.work / "mine.py").write_text(PLUGIN)

    assert machine.citewell("plugins", "trust", "mine.py", typed=piped).returncode == code


def test_only_a_file_can_be_trusted(here, capsys):
    assert run(["plugins", "trust", "."]) == 1

    assert f"{here} is not a file" in capsys.readouterr().err


def test_a_memory_that_cannot_be_written_is_said(here, tmp_path, capsys):
    (here / "mine.py").write_text(PLUGIN)
    (tmp_path / "home").write_text("a file, where a folder is needed")

    assert run(["plugins", "trust", "mine.py", "--yes"]) == 1

    assert "trusted-plugins.json cannot be written" in capsys.readouterr().err
