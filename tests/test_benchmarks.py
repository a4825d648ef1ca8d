"""The parts of the benchmarks that need no other library; `make bench` runs them all."""

import json
import re

import pytest

from benchmarks import corpus, models, report, retrieval
from benchmarks.__main__ import BENCHMARKS
from proofs import harness

FIGURES = {
    "p50_ms": 2.0,
    "p95_ms": 3.0,
    "per_s": 900.0,
    "indexed_per_s": 9000,
    "disk_mb": 12.0,
    "peak_mb": 100,
}
SLOWER = FIGURES | {"p50_ms": 400.0, "p95_ms": 500.0, "per_s": 0.5, "disk_mb": 0.0}
TAKEN = {"p50": 0.2, "p95": 0.4, "slowest": 0.45}
RUN = {
    "date": "2026-11-22",
    "commit": "0" * 40,
    "machine": {"cpu": "CPU", "cores": 4, "memory_gb": 16, "python": "3.11.7"},
    "load": 0.1,
    "versions": {"tantivy": "0.27"},
    "corpus": "made up",
    "retrieval": {
        "100000": {
            name: FIGURES if name.startswith(("citewell", "tantivy")) else SLOWER
            for name in report.TITLES
        },
        "1000000": {"citewell": FIGURES, "tantivy": FIGURES},
    },
    "quality": {"cranfield": {"citewell": 0.39, "fts5": 0.38}},
    "commands": {
        "sync_files": 1000,
        "sync_passages": 10_000,
        "sync_per_s": 6000,
        "rounds": 60,
        "saved_s": TAKEN,
        "deleted_s": TAKEN,
        "citewell_ask_s": 0.3,
        "llm_help_s": 0.9,
        "llm": "0.36",
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


def test_a_question_is_also_written_without_its_stopwords(tmp_path, monkeypatch):
    monkeypatch.setenv("CITEWELL_DATA", str(tmp_path))
    folder = tmp_path / "cranfield"
    folder.mkdir()
    (folder / "corpus.jsonl").write_text('{"id": "1", "text": "Paid leave."}\n')
    queries = ("What is the leave that I have?", "Who is it?")
    lines = [json.dumps({"query": text, "relevant": ["1"]}) for text in queries]
    (folder / "queries.jsonl").write_text("\n".join(lines))

    judged = corpus.judged("cranfield", tmp_path)

    assert [one["words"] for one in harness.rows(judged.questions)] == ["leave", "who is it"]
    assert judged.relevant == (frozenset({"1"}),) * 2


def test_every_question_of_xquad_has_the_paragraph_that_answers_it(tmp_path, data_dir):
    data_dir("xquad_mini")

    judged = corpus.judged("xquad_mini", tmp_path)

    ids = {one["id"] for one in harness.rows(judged.passages)}
    assert len(ids) == 108
    assert len(judged.relevant) == 473
    assert set().union(*judged.relevant) <= ids


def test_each_system_is_measured_alike(tmp_path, monkeypatch):
    monkeypatch.delenv("CITEWELL_DATA", raising=False)
    only = ("citewell", "citewell, 50 labels", "tantivy", "fts5")

    result = retrieval.run(tmp_path, small=True, only=only)

    figures = result["retrieval"]["1000"]
    assert list(figures) == list(only)
    for name, one in figures.items():
        assert 0 < one["p50_ms"] <= one["p95_ms"], name
        assert min(one["per_s"], one["indexed_per_s"], one["disk_mb"], one["peak_mb"]) > 0
    assert result["quality"] == {}
    assert "| Tantivy alone, on disk |" in report.tables(result)


def test_what_is_found_is_measured_where_answers_are_known(tmp_path, data_dir, monkeypatch):
    root = tmp_path / "data"
    root.mkdir()
    (root / "cranfield").symlink_to(data_dir("cranfield"))
    monkeypatch.setenv("CITEWELL_DATA", str(root))

    result = retrieval.run(tmp_path, small=True, only=("citewell", "fts5"))

    figures = result["quality"]["cranfield"]
    assert figures["citewell"] > 0.38
    assert figures["citewell"] >= 0.99 * figures["fts5"]


def test_an_interrupted_run_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.delenv("CITEWELL_DATA", raising=False)
    monkeypatch.setattr(retrieval, "SIZES", (200, 300))
    monkeypatch.setattr(retrieval, "TURNS", 2)
    monkeypatch.setattr(retrieval, "QUESTIONS", 3)
    retrieval.run(tmp_path, small=False, only=["fts5"])
    begun = {path.name: path.read_text() for path in tmp_path.rglob("*.json")}
    (lost,) = tmp_path.rglob("300 fts5 1.json")
    lost.unlink()

    retrieval.run(tmp_path, small=False, only=["fts5"], resumes=True)

    after = {path.name: path.read_text() for path in tmp_path.rglob("*.json")}
    assert after.keys() == begun.keys()
    assert [name for name in begun if after[name] != begun[name]] == ["300 fts5 1.json"]


def test_files_hold_every_passage(tmp_path, monkeypatch):
    monkeypatch.delenv("CITEWELL_DATA", raising=False)
    made = corpus.make(25, questions=1, folder=tmp_path)

    count = corpus.write_files(made, tmp_path / "docs")

    written = "".join(path.read_text() for path in (tmp_path / "docs").rglob("*.txt"))
    assert count == 3
    assert all(entry["text"] in written for entry in harness.rows(made.passages))


def test_broken_promises_are_named():
    slow = RUN | {
        "retrieval": {"100000": dict.fromkeys(report.TITLES, SLOWER)},
        "quality": {
            "cranfield": {"citewell": 0.38, "fts5": 0.39},
            "medquad_4k": {"citewell": 0.9, "fts5": 0.7},
        },
        "commands": RUN["commands"]
        | {"sync_per_s": 4999, "deleted_s": TAKEN | {"p95": 0.6}, "citewell_ask_s": 0.95},
    }

    assert report.broken(RUN) == []
    named = "\n".join(report.broken(slow))
    assert "citewell at 100,000 passages: p95 is 500.0 ms, promised below 10" in named
    assert "p50 is 1 times that of bm25s, promised 0.333 at most" in named
    assert "p50 is 1 times that of haystack, promised 0.01 at most" in named
    assert "that of tantivy" not in named
    assert "nDCG@10 is 0.3800 on cranfield, promised 0.99 times the 0.3900 of fts5" in named
    assert "haystack at 100,000 passages is not slower than citewell" in named
    assert "citewell, 50 labels at 100,000 passages: p95 is 500.0 ms" in named
    assert "4999 passages a second" in named
    assert "a deleted one gone after 0.6 s" in named
    assert "citewell ask takes" in named


def test_tables_show_ratios():
    shown = report.tables(RUN)

    assert "| 400.00 | 500.00 | 200.00 x | 0.5 | 9,000 |  | 100 |" in shown
    assert "| Citewell `lexical` | 0.390 | 0.390 |" in shown
    assert "6,000 passages a second" in shown
    assert "| 0.20 s (p95 0.40, slowest 0.45) |" in shown


def test_tables_of_a_part_of_a_run_show_that_part():
    part = RUN | {"retrieval": {"10000": {"tantivy": FIGURES}}, "quality": {}, "commands": None}

    assert report.broken(part) == []
    assert "| Tantivy alone, on disk | 2.00 | 3.00 |  | 900 |" in report.tables(part)
    assert report.PICTURE not in report.tables(part)
    assert report.PICTURE in report.tables(RUN)


MODEL_FIGURES = {
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
    "users": {"1": MODEL_FIGURES, "4": MODEL_FIGURES},
}


def test_broken_promises_of_local_models_are_named():
    slow = MODEL_FIGURES | {
        "reused": 0.9,
        "tokens_per_s": MODEL_FIGURES["tokens_per_s"] | {"ours": 18.9},
    }

    assert models.broken(MODELS) == []
    named = models.broken(MODELS | {"users": {"1": slow, "4": MODEL_FIGURES}})
    assert named == [
        "1 users: 18.9 tokens a second, promised 0.95 times the 20.0 of bare llama-cpp-python",
        "1 users: 90.0% reused, promised 95%",
    ]
    nearly = MODEL_FIGURES | {"tokens_per_s": MODEL_FIGURES["tokens_per_s"] | {"ours": 29.9}}
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


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_page_shows_the_published_run_and_nothing_else(name):
    results = harness.ROOT / "benchmarks" / "results" / f"{name}.json"
    page = (harness.ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    _, tables, _ = BENCHMARKS[name]

    shown = re.search(
        rf"<!-- benchmark:{name} -->\n(.*?)<!-- /benchmark:{name} -->", page, re.DOTALL
    )

    published = tables(json.loads(results.read_text())) if results.exists() else ""
    assert shown[1].strip() == published.strip()
