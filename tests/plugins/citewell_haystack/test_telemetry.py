"""Haystack tells nobody that it is used, whatever the environment says; without us it would."""

import subprocess
import sys

import pytest

import loopback

RUNS = """
from haystack import Document, Pipeline
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.document_stores.in_memory import InMemoryDocumentStore

store = InMemoryDocumentStore()
store.write_documents([Document(content="The fox is red.")])
pipeline = Pipeline()
pipeline.add_component("words", InMemoryBM25Retriever(document_store=store))
assert pipeline.run({"words": {"query": "fox"}})["words"]["documents"]
import posthog
posthog.flush()
"""
OURS = "from citewell_haystack.importing import import_haystack\nimport_haystack('the test')\n"


@pytest.fixture
def attempts(tmp_path):
    """Return what runs code without a network, and tells what it tried and what it left."""
    environment = loopback.environment(tmp_path) | {"HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()

    def run(code, switch=None):
        switches = {} if switch is None else {"HAYSTACK_TELEMETRY_ENABLED": switch}
        environment.pop("HAYSTACK_TELEMETRY_ENABLED", None)
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=False,
            env=environment | switches,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        left = [path.name for path in (tmp_path / "home").iterdir()]
        return (tmp_path / "attempts").read_text(), left

    return run


@pytest.mark.parametrize("switch", [None, "true"])
def test_nothing_is_sent_and_nothing_is_left(attempts, switch):
    tried, left = attempts(OURS + RUNS, switch)

    assert (tried, left) == ("", [])


def test_it_is_silenced_also_where_somebody_had_imported_it_before(attempts):
    tried, _ = attempts("import haystack.telemetry\n" + OURS + RUNS)

    assert tried == ""


def test_without_us_it_would_be_sent(attempts):
    tried, left = attempts(RUNS)

    assert "posthog.com" in tried
    assert ".haystack" in left


def test_a_client_that_would_tell_of_its_use_is_told_not_to(attempts):
    told = "import os\nassert os.environ['ANONYMIZED_TELEMETRY'] == 'False'\n"

    assert attempts(OURS + told) == ("", [])
