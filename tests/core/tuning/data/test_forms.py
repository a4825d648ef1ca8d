"""Whatever form examples are written in, they are the same examples."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from citewell.tuning.data.checking import faults
from citewell.tuning.data.examples import Example, Kind, Message
from citewell.tuning.data.loading import load
from citewell.tuning.data.writing import save

ASKED = "How many days?\n\nLeave, in a year."
ANSWER = "28 days, “as agreed”."
TALK = (Message("user", ASKED), Message("assistant", ANSWER))
TOLD = (Message("system", "Be short."), *TALK)

FORMS = {
    "messages": (
        {
            "messages": [
                {"role": "system", "content": "Be short."},
                {"role": "user", "content": [{"type": "text", "text": ASKED}]},
                {"role": "assistant", "content": ANSWER},
            ]
        },
        TOLD,
    ),
    "conversations": (
        {
            "system": "Be short.",
            "conversations": [
                {"from": "human", "value": ASKED},
                {"from": "gpt", "value": ANSWER},
            ],
        },
        TOLD,
    ),
    "instruction+output": (
        {"instruction": "How many days?", "input": "Leave, in a year.", "output": ANSWER},
        TALK,
    ),
    "prompt+completion": ({"prompt": ASKED, "completion": ANSWER}, TALK),
    "input+output": ({"input": ASKED, "output": ANSWER, "system": "Be short."}, TOLD),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_found_by_its_fields(form, tmp_path):
    row, messages = FORMS[form]
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")

    loaded = load(file)

    assert loaded.schema.name == form
    assert [one.messages for one in loaded.examples] == [messages]
    assert not loaded.problems


TEXTS = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1).filter(str.strip)
"""What people write: no control characters, and not only blanks."""

TURNS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3)
LINEAGE = st.lists(TEXTS, max_size=2).map(tuple)


@st.composite
def examples_of(draw, kind):
    turns = draw(TURNS)
    messages = [one for q, a in turns for one in (Message("user", q), Message("assistant", a))]
    if draw(st.booleans()):
        messages.insert(0, Message("system", draw(TEXTS)))
    shared = {"kind": kind, "documents": draw(LINEAGE), "origin": draw(st.just("") | TEXTS)}
    match kind:
        case Kind.CHAT:
            return Example(messages=tuple(messages), **shared)
        case Kind.TEXT:
            return Example(text=draw(TEXTS), **shared)
        case Kind.PREFERENCE:
            chosen = draw(TEXTS)
            return Example(
                messages=tuple(messages[:-1]), chosen=chosen, rejected=f"{chosen} no", **shared
            )
        case Kind.VOTE:
            return Example(
                messages=tuple(messages[:-1]),
                answer=draw(TEXTS),
                is_good=draw(st.booleans()),
                **shared,
            )


FILES = st.sampled_from([*Kind]).flatmap(lambda kind: st.lists(examples_of(kind), max_size=5))


@given(FILES)
def test_what_is_written_is_read_as_it_was(tmp_path_factory, examples):
    file = tmp_path_factory.mktemp("data") / "a.jsonl"
    sound = [one for one in examples if not [*faults(one)]]
    save(file, sound)

    loaded = load(file)

    assert [replace(one, line=0) for one in loaded.examples] == sound
    assert [one.line for one in loaded.examples] == [*range(1, len(sound) + 1)]
    assert not loaded.errors or not sound


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6))
def test_every_file_type_holds_the_same(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("data")
    rows = [{"prompt": asked, "completion": answer} for asked, answer in pairs]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "a.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False), "utf-8")
    for suffix, delimiter in (("csv", ","), ("tsv", "\t")):
        written = io.StringIO()
        table = csv.DictWriter(written, ["prompt", "completion"], delimiter=delimiter)
        table.writeheader()
        table.writerows(rows)
        (folder / f"a.{suffix}").write_text(written.getvalue(), "utf-8")
    _write_parquet(folder / "a.parquet", rows)

    found = [
        [one.messages for one in load(folder / f"a.{suffix}").examples]
        for suffix in ("jsonl", "json", "csv", "tsv", "parquet")
    ]

    assert found == [found[0]] * 5
    assert len(found[0]) == len(pairs)


def _write_parquet(path, rows):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(rows), path)


def test_messages_stand_in_a_parquet_file_and_in_a_table(tmp_path):
    row, messages = FORMS["messages"]
    plain = [{"role": one.role, "content": one.content} for one in messages]
    _write_parquet(tmp_path / "a.parquet", [{"messages": plain}])
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["messages"], [json.dumps(row["messages"])]])

    for name in ("a.parquet", "a.csv"):
        loaded = load(tmp_path / name)
        assert [one.messages for one in loaded.examples] == [messages]


def test_a_text_file_holds_a_text_in_each_line(tmp_path):
    (tmp_path / "a.txt").write_text("one text\n\nanother\n", encoding="utf-8")

    loaded = load(tmp_path / "a.txt")

    assert [(one.line, one.text) for one in loaded.examples] == [(1, "one text"), (3, "another")]
    assert loaded.schema.kind is Kind.TEXT


def test_semicolons_part_the_fields_of_a_table_too(tmp_path):
    (tmp_path / "a.csv").write_text("prompt;completion\nHi, you;Hello\n", encoding="utf-8-sig")

    (example,) = load(tmp_path / "a.csv").examples

    assert example.messages == (Message("user", "Hi, you"), Message("assistant", "Hello"))


@pytest.mark.parametrize(
    ("label", "is_good"), [(True, True), (0, False), ("yes", True), ("False", False)]
)
def test_a_vote_is_up_or_down_however_it_is_written(label, is_good, tmp_path):
    row = {"prompt": "q", "completion": "a", "label": label}
    (tmp_path / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")

    (example,) = load(tmp_path / "a.jsonl").examples

    assert (example.kind, example.answer, example.is_good) == (Kind.VOTE, "a", is_good)
    assert example.messages == (Message("user", "q"),)


def test_a_preference_has_a_better_and_a_worse_answer(tmp_path):
    answers = {name: [{"role": "assistant", "content": name}] for name in ("chosen", "rejected")}
    row = {"prompt": [{"role": "user", "content": "q"}], **answers}
    (tmp_path / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")

    (example,) = load(tmp_path / "a.jsonl").examples

    assert (example.kind, example.chosen, example.rejected) == (
        Kind.PREFERENCE,
        "chosen",
        "rejected",
    )


def test_fields_that_nothing_is_made_of_are_counted(tmp_path):
    row = {"text": "one", "id": 3, "document": "a.md", "origin": "a.md#3"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")

    loaded = load(tmp_path / "a.jsonl")

    assert loaded.unused == {"id": 1}
    (example,) = loaded.examples
    assert (example.documents, example.origin) == (("a.md",), "a.md#3")


def test_another_field_names_the_document(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "one", "page": 7}', encoding="utf-8")

    loaded = load(tmp_path / "a.jsonl", by="page")

    assert [one.documents for one in loaded.examples] == [("7",)]
    assert not loaded.unused


def test_a_list_of_documents_stands_in_a_cell(tmp_path):
    (tmp_path / "a.csv").write_text('text,documents\none,"[""x"", ""y""]"\ntwo,x\n')

    loaded = load(tmp_path / "a.csv")

    assert [one.documents for one in loaded.examples] == [("x", "y"), ("x",)]


def test_columns_that_are_not_used_may_hold_anything(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    far = arrow.array([2**60], arrow.timestamp("ms"))
    table = arrow.table({"text": arrow.array(["one"]), "at": far})
    parquet.write_table(table, tmp_path / "a.parquet")

    loaded = load(tmp_path / "a.parquet")

    assert [one.text for one in loaded.examples] == ["one"]
    assert loaded.unused == {"at": 1}
    assert not loaded.problems


def test_a_field_that_cannot_be_read_is_no_crash(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    far = arrow.array([2**60], arrow.timestamp("ms"))
    parquet.write_table(arrow.table({"text": far}), tmp_path / "a.parquet")

    (problem,) = load(tmp_path / "a.parquet").errors

    assert problem.is_end


@pytest.mark.parametrize("head", ["PK", "BZ is", "(/"])
def test_letters_that_archives_begin_with_may_begin_a_text(tmp_path, head):
    (tmp_path / "a.txt").write_text(f"{head} a text\n")

    assert [one.text for one in load(tmp_path / "a.txt").examples] == [f"{head} a text"]


def test_an_answer_in_json_stays_a_text(tmp_path):
    (tmp_path / "a.csv").write_text('input,output\nWho?,"[{""name"": ""Ann""}]"\n')

    (example,) = load(tmp_path / "a.csv").examples

    assert example.messages[-1].content == '[{"name": "Ann"}]'
