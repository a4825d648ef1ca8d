"""Each contract notices what it promises to notice, and says what to change."""

import asyncio
import itertools
import math
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from citewell import (
    Changed,
    Delta,
    Document,
    DocumentError,
    Gone,
    ModelCapabilities,
    Part,
    PartKind,
    Place,
    Placed,
    RawDocument,
    SourceError,
    Unreadable,
    Usage,
    Verdict,
)
from citewell.blocks import Mark, Notice, Span, Text
from citewell.testing import (
    EmbedderContract,
    FormatterContract,
    LoaderContract,
    ModelContract,
    RetrieverContract,
    SourceContract,
    VerifierContract,
    growing,
    make_answer,
    make_claim,
    make_passages,
)


def opening(component):
    @asynccontextmanager
    async def open_(self, folder):
        self.opened = True
        yield component

    return open_


def check(contract, component, test, tmp_path):
    """Run one test of a contract against `component`; it must have opened it."""
    members = {"name": "subject", "open": opening(component), "opened": False}
    subject = type("Subject", (contract,), members)()
    getattr(subject, test)(tmp_path)
    assert subject.opened


# --- models ---------------------------------------------------------------------------------


class SaidModel:
    """Yields what it is told to."""

    def __init__(self, *items):
        self.items = items

    async def generate(self, prompt):
        for item in self.items:
            yield item


class Claiming(ModelContract):
    name = "subject"
    capabilities = ModelCapabilities(
        streams=True, local=True, seeded=True, constrains=True, max_context_tokens=100
    )


class Modest(Claiming):
    capabilities = ModelCapabilities()


class RandomModel:
    counter = itertools.count()

    async def generate(self, prompt):
        yield Delta(str(next(self.counter)))
        yield Usage()


class CallingModel:
    async def generate(self, prompt):
        with socket.socket() as line:
            try:
                line.connect(("127.0.0.1", 9))
            except OSError as error:
                yield Delta(str(error))
        yield Usage()


ONE = SaidModel(Delta("one two three four five six"), Usage())
BAD_MODELS = [
    (SaidModel(Delta("a")), "test_yields_deltas_then_one_usage", "exactly one Usage"),
    (SaidModel(Usage(), Usage()), "test_yields_deltas_then_one_usage", "exactly one Usage"),
    (SaidModel(Usage(), Delta("a")), "test_yields_deltas_then_one_usage", "Usage comes last"),
    (SaidModel(Usage()), "test_yields_deltas_then_one_usage", "nothing was written"),
    (SaidModel(Usage()), "test_works_without_passages", "say that there is nothing"),
    (ONE, "test_the_output_ends_before_a_stop_text", "'four' is in `generation.stop`"),
    (ONE, "test_the_output_is_no_longer_than_allowed", "6 words were written"),
    (ONE, "test_streams", "do not claim `streams`"),
    (RandomModel(), "test_is_seeded", "another output"),
    (CallingModel(), "test_is_local", "do not claim `local`"),
    (ONE, "test_constrains_to_choices", "is none of"),
]


@pytest.mark.parametrize(("model", "test", "message"), BAD_MODELS)
def test_a_bad_model_is_noticed(tmp_path, model, test, message):
    with pytest.raises(AssertionError, match=message):
        check(Claiming, model, test, tmp_path)


def test_a_model_that_writes_no_json_is_noticed(tmp_path):
    with pytest.raises(ValueError, match="Expecting value"):
        check(Claiming, ONE, "test_constrains_to_a_schema", tmp_path)


def test_a_model_that_takes_too_much_context_is_noticed(tmp_path):
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check(Claiming, ONE, "test_too_much_context_is_refused", tmp_path)


@pytest.mark.parametrize(
    "test",
    [
        "test_streams",
        "test_is_seeded",
        "test_is_local",
        "test_constrains_to_choices",
        "test_constrains_to_a_schema",
        "test_too_much_context_is_refused",
    ],
)
def test_what_is_not_claimed_is_skipped_with_the_reason(tmp_path, test):
    with pytest.raises(pytest.skip.Exception, match="not claimed: subject has no capability"):
        check(Modest, ONE, test, tmp_path)


# --- formatters -----------------------------------------------------------------------------


class WordsFormatter:
    """Shows the words of an answer in the simplest way."""

    def render(self, answer):
        inlines = tuple(Span(f"{claim.text}\n") for claim in answer.shown)
        return (Text(inlines),)


class ChangingFormatter(WordsFormatter):
    def render(self, answer):
        return (Notice(f"{len(answer.claims)} statements"), *super().render(answer))


class IndiscreetFormatter(WordsFormatter):
    def render(self, answer):
        return (Text(tuple(Span(f"{claim.text}\n") for claim in answer.claims)),)


class ForgetfulFormatter(WordsFormatter):
    def render(self, answer):
        return super().render(make_answer(*answer.claims[:1]))


class UnstableFormatter(WordsFormatter):
    counter = itertools.count()

    def render(self, answer):
        return (Notice(str(next(self.counter))), *super().render(answer))


class MarkingFormatter(WordsFormatter):
    def render(self, answer):
        marks = tuple(Mark(citation.number) for citation in answer.citations)
        return (*super().render(answer), Text(marks))


BAD_FORMATTERS = [
    (UnstableFormatter(), "test_the_same_answer_gives_the_same_blocks", "the answer alone"),
    (ChangingFormatter(), "test_what_was_shown_stays_while_an_answer_grows", "have changed"),
    (ForgetfulFormatter(), "test_every_shown_statement_is_there", "missing or out of order"),
    (IndiscreetFormatter(), "test_dropped_statements_are_not_shown", "show `answer.shown`"),
    (WordsFormatter(), "test_no_citation_is_lost", "is not"),
    (MarkingFormatter(), "test_every_mark_leads_to_a_source", "without an entry"),
    (WordsFormatter(), "test_a_refusal_says_so_and_where_to_look", "show `answer.notice`"),
    (WordsFormatter(), "test_an_unsourced_answer_is_labelled_from_the_start", "without its label"),
    (WordsFormatter(), "test_a_failure_says_so", "show `answer.notice`"),
]


@pytest.mark.parametrize(("formatter", "test", "message"), BAD_FORMATTERS)
def test_a_bad_formatter_is_noticed(tmp_path, formatter, test, message):
    with pytest.raises(AssertionError, match=message):
        check(FormatterContract, formatter, test, tmp_path)


def test_a_simple_formatter_passes_what_it_can(tmp_path):
    for test in ("the_same_answer_gives_the_same_blocks", "every_shown_statement_is_there"):
        check(FormatterContract, WordsFormatter(), f"test_{test}", tmp_path)
    check(
        FormatterContract,
        WordsFormatter(),
        "test_what_was_shown_stays_while_an_answer_grows",
        tmp_path,
    )


def test_made_answers_are_of_the_real_kind():
    (passage,) = make_passages("Everyone has 25 days.")
    claim = make_claim("Everyone has 25 days.", {1: passage})
    answer = make_answer(claim, make_claim("Bob has 40.", shown=False))

    (citation,) = answer.citations
    assert citation.quote == passage.text
    assert citation.content_hash == passage.content_hash
    assert claim.raw == "Everyone has 25 days. [1]"
    assert answer.supported_count == 1
    assert [len(seen.claims) for seen in growing(answer)] == [0, 1, 2, 2]
    assert [seen.complete for seen in growing(answer)] == [False, False, False, True]


# --- loaders --------------------------------------------------------------------------------


class TextLoader:
    """Reads a file as text; `changed` says how it differs from a good one."""

    def __init__(self, **changed):
        self.changed = changed

    def load(self, raw):
        try:
            text = raw.path.read_bytes().decode()
        except UnicodeDecodeError as error:
            raise DocumentError("it is not UTF-8") from error
        values = {
            "id": raw.id,
            "title": raw.path.name,
            "text": text.replace("\0", ""),
            "places": (Placed(0, Place(line=1)),),
            "uri": raw.uri,
        }
        return Document(**(values | self.changed))


class Samples(LoaderContract):
    name = "subject"
    quotes = {"The door": Place(line=2)}

    def samples(self, folder):
        sample = folder / "sample.txt"
        sample.write_text("The backup server restarted.\nThe door was opened.\n")
        return (sample,)

    @property
    def spec(self):
        return type("Spec", (), {"suffixes": (".txt",)})


class RefusingLoader(TextLoader):
    def load(self, raw):
        raise DocumentError(f"cannot read {raw.path}")


class CrashingLoader(TextLoader):
    def load(self, raw):
        if not raw.path.stat().st_size:
            raise IndexError("list index out of range")
        return super().load(raw)


class ForgettingLoader(TextLoader):
    counter = itertools.count()

    def load(self, raw):
        self.changed = {"title": str(next(self.counter))}
        return super().load(raw)


FIRST = Placed(0, Place(line=1))
BAD_LOADERS = [
    (RefusingLoader(), "test_reads_its_samples", "override `samples`"),
    (TextLoader(id="other"), "test_reads_its_samples", "is that of the file"),
    (TextLoader(uri="x:y"), "test_reads_its_samples", "hand on `raw.uri`"),
    (TextLoader(title=""), "test_reads_its_samples", "has a title"),
    (TextLoader(title="a\nb"), "test_reads_its_samples", "one line"),
    (TextLoader(text=" "), "test_reads_its_samples", "gave no text"),
    (TextLoader(text="a\0"), "test_text_is_clean", "NUL"),
    (TextLoader(text="a\r\n"), "test_text_is_clean", "lines end"),
    (TextLoader(text="a\ud800"), "test_text_is_clean", "drop lone surrogates"),
    (TextLoader(text="a\udfff"), "test_text_is_clean", "drop lone surrogates"),
    (TextLoader(places=()), "test_every_character_has_a_place", "begins at 0"),
    (TextLoader(places=(FIRST, FIRST)), "test_every_character_has_a_place", "ascend"),
    (
        TextLoader(places=(FIRST, Placed(9999, Place()))),
        "test_every_character_has_a_place",
        "behind the text",
    ),
    (TextLoader(places=(Placed(0, Place(page=0)),)), "test_every_character_has_a_place", "from 1"),
    (
        TextLoader(parts=(Part(kind=PartKind.CODE, start=0, end=9999),)),
        "test_parts_are_in_order",
        "is not in the text",
    ),
    (
        TextLoader(parts=2 * (Part(kind=PartKind.CODE, start=0, end=5),)),
        "test_parts_are_in_order",
        "overlap",
    ),
    (
        TextLoader(places=(Placed(0, Place(line=5)),)),
        "test_quotes_are_where_they_stand",
        "stands at",
    ),
    (
        TextLoader(text="nothing of it"),
        "test_quotes_are_where_they_stand",
        "no sample holds 'The door'",
    ),
    (ForgettingLoader(), "test_the_same_file_gives_the_same_document", "equal documents"),
    (CrashingLoader(), "test_broken_files_are_refused_in_words", "expected a DocumentError"),
    (RefusingLoader(), "test_broken_files_are_refused_in_words", "adds the path"),
]


@pytest.mark.parametrize(("loader", "test", "message"), BAD_LOADERS)
def test_a_bad_loader_is_noticed(tmp_path, loader, test, message):
    with pytest.raises(AssertionError, match=message):
        check(Samples, loader, test, tmp_path)


GOOD_LOADER_TESTS = [
    name
    for name in vars(LoaderContract)
    if name.startswith("test_") and name != "test_works_in_a_process_of_its_own"
]


@pytest.mark.parametrize("test", GOOD_LOADER_TESTS)
def test_a_good_loader_passes(tmp_path, test):
    check(Samples, TextLoader(), test, tmp_path)


# --- sources --------------------------------------------------------------------------------


class FolderSource:
    """Lists a folder; `fault` says what it does wrong."""

    def __init__(self, root, fault):
        self.root = root
        self.fault = fault

    async def changes(self, known):
        if not self.root.is_dir() and self.fault != "no error":
            raise SourceError("the folder is gone")
        found = {
            path.relative_to(self.root).as_posix(): path
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }
        for name, path in found.items():
            for change in self.told(name, path, known):
                yield change
        for name in known:
            if (name not in found and self.fault != "never gone") or self.fault == "all gone":
                yield Gone(name)
        if self.fault == "invents one":
            yield self.changed("invented.md", Path(__file__), "1")

    def told(self, name, path, known):
        version = str(path.stat().st_mtime_ns if self.fault == "by time" else path.read_text())
        if self.fault == "hands over nothing":
            yield Unreadable(name, "it is damaged")
        elif version != known.get(name) or self.fault == "all again":
            yield self.changed(name, path, "" if self.fault == "no version" else version)
        if self.fault == "all twice":
            yield self.changed(name, path, version)

    def changed(self, name, path, version):
        if self.fault == "no text":
            path.write_text("")
        return Changed(raw=RawDocument(id=name, path=path), version=version)


class Faulty(SourceContract):
    name = "subject"
    fault = ""
    opened = False

    @asynccontextmanager
    async def open(self, root):
        self.opened = True
        yield FolderSource(root, self.fault)


@pytest.mark.parametrize(
    ("fault", "test", "message"),
    [
        ("invents one", "test_a_place_without_documents_has_no_changes", "nothing was written"),
        ("hands over nothing", "test_every_document_is_new_at_first", "it is damaged"),
        ("no text", "test_every_document_is_new_at_first", "missing or wrong"),
        ("no version", "test_every_document_is_new_at_first", "not empty"),
        ("all twice", "test_every_document_is_new_at_first", "came twice"),
        ("all again", "test_what_is_known_is_not_told_again", "unchanged and told again"),
        ("all gone", "test_what_is_known_is_not_told_again", "though known and still there"),
        ("all again", "test_only_what_changed_is_told", "one document changed and 2 were told"),
        ("by time", "test_the_version_is_that_of_the_content", "only it may decide"),
        ("never gone", "test_what_was_removed_is_gone", "tell each known document that is not"),
        ("all again", "test_what_was_removed_is_gone", "unchanged and told again"),
        ("no text", "test_files_stay_readable_after_the_last_change", "keep each file"),
        ("no text", "test_a_hundred_documents", "tell each, with its text"),
        ("hands over nothing", "test_it_can_be_left_early", "it is damaged"),
        ("no error", "test_a_place_that_cannot_be_listed_loses_nothing", "DID NOT RAISE"),
    ],
)
def test_a_bad_source_is_noticed(tmp_path, fault, test, message):
    subject = type("Subject", (Faulty,), {"fault": fault})()

    with pytest.raises((AssertionError, pytest.fail.Exception), match=message):
        getattr(subject, test)(tmp_path)


@pytest.mark.parametrize("test", [one for one in vars(SourceContract) if one.startswith("test_")])
def test_a_good_source_passes(tmp_path, test):
    source = Faulty()

    getattr(source, test)(tmp_path)

    assert source.opened


# --- embedders ------------------------------------------------------------------------------


class LettersEmbedder:
    """Counts letters; each change is one way to be wrong."""

    def __init__(self, change=lambda vectors: vectors, identities=("letters",)):
        self.change = change
        self.identities = itertools.cycle(identities)

    @property
    def identity(self):
        return next(self.identities)

    async def embed(self, texts, *, kind):
        return self.change([self.vector(text) for text in texts])

    @staticmethod
    def vector(text):
        counts = [1 + text.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"]
        length = math.hypot(*counts)
        return [count / length for count in counts]


def mixed(vectors):
    """Let each vector depend on how many stand beside it."""
    return [[*vector[-len(vectors) :], *vector[: -len(vectors)]] for vector in vectors]


def ragged(vectors):
    return [[*vector, 0.0] if at else vector for at, vector in enumerate(vectors)]


@pytest.mark.parametrize("test", [one for one in vars(EmbedderContract) if one.startswith("test_")])
def test_a_good_embedder_passes(tmp_path, test):
    check(EmbedderContract, LettersEmbedder(), test, tmp_path)


@pytest.mark.parametrize(
    ("embedder", "test", "message"),
    [
        (
            LettersEmbedder(lambda vectors: vectors[:2]),
            "test_each_text_gets_a_vector_of_length_one",
            "one vector for each text",
        ),
        (
            LettersEmbedder(lambda vectors: vectors or [[1.0]]),
            "test_each_text_gets_a_vector_of_length_one",
            "no text, no vector",
        ),
        (
            LettersEmbedder(ragged),
            "test_each_text_gets_a_vector_of_length_one",
            "all vectors have one dimension",
        ),
        (
            LettersEmbedder(lambda vectors: [[0.0] * 26 for _ in vectors]),
            "test_odd_texts_get_vectors",
            "has the length 0.0; expected 1",
        ),
        (
            LettersEmbedder(lambda vectors: vectors[:1] * len(vectors)),
            "test_likeness_is_nearness",
            "another text has another vector",
        ),
        (LettersEmbedder(mixed), "test_neighbours_change_nothing", "on its own text alone"),
        (LettersEmbedder(identities=("",)), "test_the_identity_stays", "name what decides"),
        (LettersEmbedder(identities=("a\nb",)), "test_the_identity_stays", "one line"),
        (LettersEmbedder(identities=("a", "b")), "test_the_identity_stays", "same settings"),
    ],
)
def test_a_bad_embedder_is_noticed(tmp_path, embedder, test, message):
    with pytest.raises(AssertionError, match=message):
        check(EmbedderContract, embedder, test, tmp_path)


# --- verifiers ------------------------------------------------------------------------------


class WordsVerifier:
    """Wants every word of the claim in one passage."""

    async def judge(self, claim, passages):
        words = claim.split()
        found = any(words and all(word in one.text for word in words) for one in passages)
        return Verdict(supported=found, reason="by its words", check="words", score=float(found))


class FixedVerifier:
    def __init__(self, **changed):
        self.changed = {"supported": True, "reason": "so it is", "check": "fixed"} | changed

    async def judge(self, claim, passages):
        return Verdict(**self.changed)


class FirstPassageVerifier(WordsVerifier):
    async def judge(self, claim, passages):
        return await super().judge(claim, passages[:1])


@pytest.mark.parametrize("test", [one for one in vars(VerifierContract) if one.startswith("test_")])
def test_a_good_verifier_passes(tmp_path, test):
    check(VerifierContract, WordsVerifier(), test, tmp_path)


@pytest.mark.parametrize(
    ("verifier", "test", "message"),
    [
        (FixedVerifier(), "test_an_invented_statement_is_not_supported", "support only what"),
        (FixedVerifier(), "test_nothing_supports_without_passages", "nothing is supported"),
        (FixedVerifier(supported=False), "test_a_statement_supports_itself", "its own text"),
        (FirstPassageVerifier(), "test_a_statement_supports_itself", "one supporting passage"),
        (FixedVerifier(score=1.5), "test_odd_statements_get_a_verdict", "score 1.5 is not in"),
        (FixedVerifier(reason=""), "test_odd_statements_get_a_verdict", "set `reason`"),
        (FixedVerifier(reason="a\nb"), "test_odd_statements_get_a_verdict", "one line"),
        (FixedVerifier(check=""), "test_odd_statements_get_a_verdict", "set `check`"),
    ],
)
def test_a_bad_verifier_is_noticed(tmp_path, verifier, test, message):
    with pytest.raises(AssertionError, match=message):
        check(VerifierContract, verifier, test, tmp_path)


@pytest.mark.parametrize(
    "contract",
    [
        EmbedderContract,
        FormatterContract,
        LoaderContract,
        ModelContract,
        RetrieverContract,
        SourceContract,
        VerifierContract,
    ],
)
def test_contracts_need_no_plugin_of_pytest(contract):
    """Their tests are plain functions, which run an event loop of their own."""
    tests = [one for name, one in vars(contract).items() if name.startswith("test_")]

    assert tests
    assert not any(map(asyncio.iscoroutinefunction, tests))
