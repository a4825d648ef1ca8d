"""The page `how-to/haystack.md` is true: its ten lines answer from a store that others filled."""

import re
from pathlib import Path

import pytest

import commands
from citewell.engine.settings import load_settings

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "haystack.md"
LEAVE = (
    "Every employee has 28 days of leave a year. Leave is asked for in the portal. "
    "Days that are not taken expire at the end of March."
)


def ten_lines():
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(r"^```toml\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)[0]


@pytest.fixture
def filled(postgres, tmp_path):
    """Return the address of a store that an indexing pipeline of Haystack filled."""
    from haystack import Pipeline
    from haystack.components.converters import TextFileToDocument
    from haystack.components.preprocessors import DocumentSplitter
    from haystack.components.writers import DocumentWriter
    from haystack.utils import Secret
    from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore

    url = postgres.new_url().replace("postgresql+psycopg://", "postgresql://")
    store = PgvectorDocumentStore(connection_string=Secret.from_token(url))
    pipeline = Pipeline()
    pipeline.add_component("read", TextFileToDocument())
    pipeline.add_component("split", DocumentSplitter(split_by="period", split_length=1))
    pipeline.add_component("write", DocumentWriter(store))
    pipeline.connect("read", "split")
    pipeline.connect("split", "write")
    file = tmp_path / "leave-policy.txt"
    file.write_text(LEAVE, encoding="utf-8")
    pipeline.run({"read": {"sources": [file]}})
    store.close()
    return url


@pytest.fixture
def machine(filled, tmp_path):
    machine = commands.Machine(tmp_path / "machine")
    machine.environment["PG_CONN_STR"] = filled
    (machine.work / "citewell.toml").write_text(ten_lines(), encoding="utf-8")
    return machine


def test_the_config_is_of_ten_lines_at_most():
    assert len([line for line in ten_lines().splitlines() if line.strip()]) <= 10


def test_the_ten_lines_answer_in_slack_with_a_citation(machine):
    typed = "When do days of leave expire that are not taken?\n/quit\n"

    tried = machine.citewell("try", "slack", typed=typed)

    assert tried.returncode == 0, tried.stderr
    assert "expire at the end of March" in tried.stdout
    assert "leave-policy.txt" in tried.stdout
    assert machine.attempts.read_text(encoding="utf-8") == ""


def test_the_ten_lines_answer_in_the_terminal(machine):
    asked = machine.citewell("ask", "How many days of leave does every employee have?")
    explained = machine.citewell("why", commands.reference(asked.stdout))

    assert asked.returncode == 0, asked.stderr
    assert "28 days of leave" in asked.stdout
    assert "leave-policy.txt" in asked.stdout
    assert explained.returncode == 0, explained.stderr
    assert machine.attempts.read_text(encoding="utf-8") == ""


def test_what_nobody_wrote_there_is_not_answered(machine):
    asked = machine.citewell("ask", "Who won the chess championship in Reykjavik?")

    assert "championship" not in asked.stdout.replace(
        "Who won the chess championship in Reykjavik?", ""
    )
    assert "citewell sync" not in asked.stdout + asked.stderr


def test_there_is_nothing_to_sync_and_nothing_is_wrong(machine):
    machine.environment |= {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}

    synced = machine.citewell("sync")
    listed = machine.citewell("sources")
    checked = machine.citewell("config", "check", "--deep")
    examined = machine.citewell("doctor")

    assert synced.returncode == 0, synced.stderr
    assert listed.returncode == 0, listed.stderr
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "team: can be read; somebody else fills it" in examined.stdout


def test_a_pipeline_of_a_cloned_folder_is_not_run_until_it_is_trusted(machine, filled):
    from haystack import Pipeline
    from haystack.utils import Secret
    from haystack_integrations.components.retrievers.pgvector import PgvectorKeywordRetriever
    from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore

    store = PgvectorDocumentStore(connection_string=Secret.from_env_var("PG_CONN_STR"))
    pipeline = Pipeline()
    pipeline.add_component("words", PgvectorKeywordRetriever(document_store=store))
    (machine.work / "query.yaml").write_text(pipeline.dumps(), encoding="utf-8")
    config = '[retriever.team]\nuse = "haystack"\npipeline = "query.yaml"\n'
    (machine.work / "citewell.toml").write_text(config, encoding="utf-8")

    before = machine.citewell("ask", "leave portal")
    trusted = machine.citewell("plugins", "trust", "query.yaml", "--yes")
    after = machine.citewell("ask", "leave portal")

    assert before.returncode == 1
    assert "citewell plugins trust" in before.stderr
    assert "Traceback" not in before.stderr
    assert trusted.returncode == 0, trusted.stderr
    assert "Leave is asked for in the portal" in after.stdout


def test_the_example_of_a_config_is_valid():
    settings = load_settings(PAGE.parents[2] / "config" / "haystack.toml")

    assert settings.retrievers["team"].is_filled
    assert not settings.libraries
