"""The parts of the benchmarks that need no other library; `make bench` runs them all."""

import json
import re
import subprocess
import sys

import pytest

from benchmarks import corpus, models, report
from proofs import harness

FIGURES = {"p50_ms": 2.0, "p95_ms": 3.0, "indexed_per_s": 9000}
SLOWER = {"p50_ms": 20.0, "p95_ms": 30.0, "indexed_per_s": 3000}
RUN = {
    "date": "2026-11-22",
    "commit": "0" * 40,
    "machine": {"cpu": "CPU", "cores": 4, "memory_gb": 16, "python": "3.11.7"},
    "load": 0.1,
    "versions": {"llm": "0.36"},
    "corpus": "made up",
    "retrieval": {
        "10000": {
            name: FIGURES if name.startswith("citewell") else SLOWER for name in report.TITLES
        }
    },
    "commands": {
        "sync_files": 1000,
        "sync_passages": 10_000,
        "sync_per_s": 6000,
        "saved_rounds": 9,
        "saved_to_found_s": 0.4,
        "saved_slowest_s": 0.6,
        "citewell_ask_s": 0.3,
        "llm_help_s": 0.9,
    },
}


@pytest.mark.parametrize("data", ["", "CITEWELL_DATA"])
def test_corpus_is_the_same_each_time(tmp_path, monkeypatch, data_dir, data):
    if data:
        data_dir("medquad_4k")
    else:
        monkeypatch.delenv("CITEWELL_DATA", raising=False)

    made = corpus.make(4100, questions=5, folder=tmp_path)
    first = made.passages.read_bytes(), made.questions.read_bytes()
    corpus.make(4100, questions=5, folder=tmp_path)

    assert (made.passages.read_bytes(), made.questions.read_bytes()) == first
    assert len({entry["text"] for entry in harness.rows(made.passages)}) > 3900
    assert len(list(harness.rows(made.questions))) == 5


def test_own_side_measures_every_question_of_every_round(tmp_path, monkeypatch):
    monkeypatch.delenv("CITEWELL_DATA", raising=False)
    made = corpus.make(300, questions=4, folder=tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ours", made.passages, made.questions, "2", "50"],
        cwd=harness.ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    summary = report.summary([json.loads(done.stdout)], passages=300)

    assert [len(one) for one in json.loads(done.stdout)["query_ms"]] == [4, 4]
    assert 0 < summary["p50_ms"] <= summary["p95_ms"]
    assert summary["indexed_per_s"] > 0


def test_files_hold_every_passage(tmp_path, monkeypatch):
    monkeypatch.delenv("CITEWELL_DATA", raising=False)
    made = corpus.make(25, questions=1, folder=tmp_path)

    count = corpus.write_files(made, tmp_path / "docs")

    written = "".join(path.read_text() for path in (tmp_path / "docs").rglob("*.txt"))
    assert count == 3
    assert all(entry["text"] in written for entry in harness.rows(made.passages))


def test_broken_promises_are_named():
    slow = RUN | {
        "retrieval": {"10000": dict.fromkeys(report.TITLES, SLOWER)},
        "commands": RUN["commands"]
        | {"sync_per_s": 4999, "saved_to_found_s": 1.0, "citewell_ask_s": 0.95},
    }

    assert report.broken(RUN) == []
    named = "\n".join(report.broken(slow))
    assert "haystack at 10,000 passages is not slower" in named
    assert "citewell at 10,000 passages: p95 is 30.0 ms, promised below 10" in named
    assert "4999 passages a second" in named
    assert "found after 1.0 s" in named
    assert "citewell ask takes" in named


def test_tables_show_ratios():
    shown = report.tables(RUN)

    assert "| 20.00 | 30.00 | 10.0 x | 3,000 |" in shown
    assert "6,000 passages a second" in shown


FIGURES = {
    "tokens_per_s": {"bare": 20.0, "ours": 30.0, "bare_cache": 28.0, "together": 60.0}
    | {"bare_free": 22.0},
    "shared_tokens": 998,
    "reused": 0.96,
    "same_text": 1.0,
    "same_together": 0.875,
}
MODELS = {
    "machine": {"cores": 2, "cpu": "EPYC", "memory_gb": 24, "python": "3.11"},
    "load": 0.1,
    "versions": {"llama-cpp-python": "0.3"},
    "users": {"1": FIGURES, "4": FIGURES},
}


def test_broken_promises_of_local_models_are_named():
    slow = FIGURES | {"reused": 0.9, "tokens_per_s": FIGURES["tokens_per_s"] | {"ours": 18.9}}

    assert models.broken(MODELS) == []
    named = models.broken(MODELS | {"users": {"1": slow, "4": FIGURES}})
    assert named == [
        "1 users: 18.9 tokens a second, promised 0.95 times the 20.0 of bare llama-cpp-python",
        "1 users: 90.0% reused, promised 95%",
    ]
    nearly = FIGURES | {"tokens_per_s": FIGURES["tokens_per_s"] | {"ours": 29.9}}
    assert len(models.broken(MODELS | {"users": {"4": nearly}})) == 1


def test_tables_of_local_models_show_ratios():
    shown = models.tables(MODELS)

    assert "| Citewell `llamacpp` | 30.0 (1.50 x) | 30.0 (1.50 x) |" in shown
    assert "| answers that are the same with `batches = true` | 88% | 88% |" in shown


def test_each_system_answers_the_same_questions():
    import ggufs

    figures = models.measured(ggufs.model(), 2, turns=1, questions=1)

    assert figures["reused"] > 0.9
    assert all(speed > 0 for speed in figures["tokens_per_s"].values())


@pytest.mark.parametrize(
    ("name", "tables"), [("retrieval", report.tables), ("models", models.tables)]
)
def test_published_tables_are_those_of_the_published_results(name, tables):
    results = harness.ROOT / "benchmarks" / "results" / f"{name}.json"
    if not results.exists():
        pytest.skip("no run of the benchmarks is published")
    page = (harness.ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")

    shown = re.search(
        rf"<!-- benchmark:{name} -->\n(.*?)<!-- /benchmark:{name} -->", page, re.DOTALL
    )

    assert shown[1].strip() == tables(json.loads(results.read_text())).strip()
