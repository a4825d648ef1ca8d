"""What the documentation says of chat services is shown by tests that there are."""

import ast
import re
from functools import cache
from pathlib import Path

from citewell.testing.adapters.contract import AdapterContract
from scripts import chat_docs

ROOT = Path(__file__).resolve().parent.parent


@cache
def names_in(file):
    """Return the tests of a file, and its classes that take theirs from the contract."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = {one.name for one in tree.body if isinstance(one, functions)}
    contracts = {
        one.name
        for one in tree.body
        if isinstance(one, ast.ClassDef) and "AdapterContract" in map(ast.unparse, one.bases)
    }
    inherited = {name for name in dir(AdapterContract) if name.startswith("test_")}
    return names | {f"{one}::{name}" for one in contracts for name in inherited}


def test_every_test_that_is_named_is_there():
    named = [one.partition("::") for one in chat_docs.named_tests()]

    missing = [f"{file}::{name}" for file, _, name in named if name not in names_in(file)]
    assert missing == []
    assert len(named) > 300


def test_no_cell_is_empty_without_its_reason():
    cells = [cell for feature in chat_docs.FEATURES for cell in feature]

    assert all(
        len(cell.removeprefix("- ").split()) > (1 if cell[0] == "-" else 0) for cell in cells
    )
    rows = [line for line in chat_docs.scenarios().splitlines() if line.startswith("| ")]
    shown = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    assert all(cell for row in shown for cell in row)
    reasons = {cell for row in shown for cell in row[2:]} - {"yes", "Slack", "Discord", "|"}
    assert reasons == {"Discord has no page of a bot's own"}


def test_a_talk_shows_what_there_is_to_see():
    wanted = {
        "a streamed answer": r"you> What happens .*\nbot \u00b7 #general \u00b7 thread\n",
        "its sources": r"\n  \[1\] Citations",
        "its quotes": r"you> /press Show the quotes\nbot \u00b7 (?:.*to you alone)\n",
        "a follow-up in the thread": r"you> And if .*\nbot \u00b7 #general \u00b7 thread\n",
        "a vote with a reason": r"you> /press Not helpful\nbot \u00b7 opens to you alone\n",
        "a hand-off": r"you> /press Ask a person\nbot \u00b7 #help\n",
        "an edit": r"you> /change .*\nbot \u00b7 .* \u00b7 changed\n",
        "a deletion": r"you> /delete\nbot \u00b7 .* \u00b7 took back: ",
        "a private answer": r"you> /ask .*\nbot \u00b7 #general \u00b7 to you alone\n",
        "one that is shared": r"you> /press Share .*\n(?:.*\n)*?bot \u00b7 #general\n",
        "a page of the bot's own": r"you> /home\n(?:bot \u00b7 its own page|the bot has no page)",
    }
    for service in ("slack", "discord"):
        page = (ROOT / "docs" / "transcripts" / f"{service}.md").read_text(encoding="utf-8")

        assert [what for what, pattern in wanted.items() if not re.search(pattern, page)] == []
        assert not re.search(r"\d{17}", page), "no id of a message or person"
