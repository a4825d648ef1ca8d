"""Each proof holds at small size; `make proof-NAME` runs it at full size."""

import json
import re

import pytest

from proofs import harness


@pytest.mark.parametrize("name", harness.names())
def test_proof_holds(name):
    try:
        report = harness.prove(name, size="small", seed=1)
    except harness.MissingData as error:
        pytest.skip(str(error))

    assert report.broken == ()
    assert json.loads(json.dumps(report.result)) == report.result
    assert harness.load(name).table(report.result).strip()


def test_table_is_put_between_its_comments():
    page = "a\n<!-- proof:x -->\nold\n<!-- /proof:x -->\nb <!-- proof:y --> c"

    renewed = harness.with_table(page, "x", "| new |")

    assert renewed == "a\n<!-- proof:x -->\n\n| new |\n\n<!-- /proof:x -->\nb <!-- proof:y --> c"


def test_machine_is_described():
    described = harness.machine()

    assert described["cpu"]
    assert described["cores"] >= 1
    assert described["memory_gb"] >= 1


def test_published_tables_are_those_of_the_published_results():
    for path in sorted(harness.RESULTS.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        table = harness.load(record["proof"]).table(record["result"])
        for page in harness.pages():
            text = page.read_text(encoding="utf-8")
            assert harness.with_table(text, record["proof"], table) == text, (page, path)


def test_every_table_in_the_documentation_has_its_result():
    marked = {
        name
        for page in harness.pages()
        for name in re.findall(r"<!-- proof:(\w+) -->", page.read_text(encoding="utf-8"))
    }

    assert marked == {path.stem for path in harness.RESULTS.glob("*.json")}
