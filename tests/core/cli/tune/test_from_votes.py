"""From thumbs in the journal to a model that learnt from them: KTO from votes, DPO from pairs."""

import json
import re

import pytest

from citewell.cli.main import run
from citewell.engine.settings import load_settings
from citewell.journal.database import open_engine
from citewell.journal.feedback import Feedback, Vote
from citewell.journal.journal import journal_url
from towns import TOWNS, write_towns

trainings = pytest.importorskip("trainings", reason="torch is not installed")

RECIPE = """
base = "{base}"

[data]
train = "{data}"

[trainer]
use = "trl"
method = "{method}"
max_steps = 2
batch_size = 2
accumulate = 1
threads = 1
"""


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys):
    """Return a folder in which people asked and voted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    write_towns(tmp_path)
    assert run(["sync"]) == 0
    capsys.readouterr()
    for number, town in enumerate(TOWNS[:8]):
        assert run(["ask", f"When was the library in {town} founded?"]) == 0
        (reference,) = re.findall(r"\bwhy ([0-9a-hjkmnp-tv-z]{10})\b", capsys.readouterr().out)
        _vote(tmp_path, reference, number, is_helpful=bool(number % 2))
    return tmp_path


def _vote(folder, reference, number, *, is_helpful):
    settings = load_settings(folder / "citewell.toml")
    # What is asked waits beside the journal until somebody reads it.
    assert run(["why", reference]) == 0
    engine = open_engine(journal_url(settings.journal_url, settings.data_dir))
    town = TOWNS[number]
    better = f"The library in {town} was founded in {1850 + number}."
    reason = "" if is_helpful else better
    vote = Vote(answer=reference, voter="ann", is_helpful=is_helpful, reason=reason, at=1.0)
    Feedback(engine).add(vote)
    engine.dispose()


@pytest.mark.parametrize(("kind", "method"), [("votes", "kto"), ("pairs", "dpo")])
def test_thumbs_become_a_trained_adapter(folder, kind, method, capsys):
    built = run(["data", "build", f"{kind}.jsonl", "--from-journal", "--kind", kind])
    rows = [json.loads(line) for line in (folder / f"{kind}.jsonl").read_text().splitlines()]
    recipe = RECIPE.format(base=trainings.base(), data=f"{kind}.jsonl", method=method)
    (folder / "learn.toml").write_text(recipe)
    capsys.readouterr()

    trained = run(["tune", "run", "learn.toml", "--yes"])

    assert (built, trained) == (0, 0), capsys.readouterr()
    assert len(rows) >= 4
    capsys.readouterr()
    assert run(["runs", "show", "learn-1", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["state"] == "done"
    assert shown["inputs"]["train"]["examples"] == len(rows)
