"""Questions with known answers: what is wrong in the file is said with its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell import CitewellError, ConfigError, Passage, Place, Placed
from citewell.evaluation import contents
from citewell.evaluation.expecting import problems
from citewell.evaluation.questions import (
    held_out,
    load_questions,
    placed,
    question_id,
    save_questions,
)
from citewell.types.evaluation import EvalItem, Figure, Swap


def passage(document, text="Every employee has 28 days."):
    return Passage(
        id=f"{document}/{text}",
        document_id=document,
        title="",
        text=text,
        start=0,
        end=len(text),
        places=(Placed(0, Place()),),
    )


def written(tmp_path, content, name="questions.jsonl"):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_each_line_is_a_question_and_has_an_id(tmp_path):
    file = written(
        tmp_path,
        '{"question": "How long?", "documents": ["leave.md"]}\n\n'
        '{"question": "How many?", "quotes": ["28 days"], "id": "mine"}\n',
    )

    first, second = load_questions(file)

    assert first == EvalItem(
        id=question_id("how LONG"), question="How long?", documents=("leave.md",)
    )
    assert second == EvalItem(id="mine", question="How many?", quotes=("28 days",))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no question; expected a JSON object in each line"),
        ("{", "line 1: input data was truncated"),
        ('["a"]', "line 1: expected `object`, got `array`"),
        ('{"documents": ["a"]}', "line 1: object missing required field `question`"),
        ('{"question": 3, "documents": ["a"]}', "line 1: expected `str`, got `int`"),
        (
            '{"question": " ", "documents": ["a"]}',
            "line 1: the question is empty; expected a question that is not empty",
        ),
        ('{"question": "a"}', "line 1: expects nothing of an answer; expected at least one of"),
        ('{"question": "a", "quotes": [" "]}', "line 1: quotes holds an empty text"),
        ('{"question": "a", "document": "b"}', "line 1: object contains unknown field `document`"),
        ('{"question": "a", "documents": ["b"]}\n7', "line 2: expected `object`, got `int`"),
        (b'{"question": "\xff", "quotes": ["b"]}', "line 1: is not UTF-8 text"),
        (b'{"question": "a", "quotes": ["b"]}\n\n\xff', "line 3: is not UTF-8 text"),
        (
            '{"question": "a", "answers": ["b"]}\n{"question": "A?", "answers": ["c"]}',
            "line 2: asks what line 1 asks",
        ),
        (
            '{"id": "x", "question": "a", "choice": "b"}\n{"id":"x","question":"c","choice":"b"}',
            'line 2: has the id "x" of line 1; expected another',
        ),
        (
            '{"question": "a", "answers": ["b"], "unanswerable": true}',
            "line 1: is unanswerable and has answers; expected one of them",
        ),
        ('{"question": "a", "pattern": "("}', 'line 1: pattern "(" does not compile'),
        (
            '{"question": "a", "output_schema": {"type": "strin"}}',
            "line 1: output_schema is wrong at $.type",
        ),
        (
            '{"question": "a", "figures": [{"value": 1, "tolerance": -1}]}',
            "line 1: figures has the tolerance -1; expected a finite number that is not negative",
        ),
        (
            '{"question": "a", "swap": {"fact": "28 days", "instead": " 28  days"}}',
            'line 1: swap exchanges "28 days" for itself',
        ),
        (
            (
                '{"question": "a", "documents": ["x:b"], "unanswerable": true}\n'
                '{"question": "c", "documents": ["b"]}'
            ),
            "line 2: is answered in b, which unanswerable questions leave out",
        ),
        (
            '{"question": "a", "contains": ["b"], "lacks": ["B"]}',
            'line 1: contains and lacks both have "b"',
        ),
    ],
)
def test_a_wrong_file_is_refused_in_a_line(tmp_path, content, said):
    file = written(tmp_path, content)

    with pytest.raises(ConfigError) as error:
        load_questions(file)

    assert str(error.value).startswith(f"{file}: {said}")
    assert "\n" not in str(error.value)


def test_of_many_wrong_lines_five_are_shown(tmp_path):
    file = written(tmp_path, "{\n" * 8)

    with pytest.raises(ConfigError) as error:
        load_questions(file)

    lines = str(error.value).splitlines()
    assert [line.partition("line ")[2][:1] for line in lines[:5]] == ["1", "2", "3", "4", "5"]
    assert lines[5:] == [f"{file}: 3 more lines like these"]


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: no such file"):
        load_questions(tmp_path / "none.jsonl")


def test_a_file_without_bounds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "_MAX_BYTES", 10)
    file = written(tmp_path, '{"question": "a", "quotes": ["b"]}')

    with pytest.raises(ConfigError, match="larger than 10 bytes"):
        load_questions(file)


def test_a_mark_of_bytes_and_the_line_ends_of_windows_are_no_part_of_it(tmp_path):
    file = written(tmp_path, b'\xef\xbb\xbf{"question": "a", "answers": ["b"]}\r\n\r\n')

    assert [item.question for item in load_questions(file)] == ["a"]


def test_a_line_separator_within_a_text_ends_no_line(tmp_path):
    file = written(tmp_path, '{"question": "a\u2028b", "answers": ["c"]}')

    assert load_questions(file)[0].question == "a\u2028b"


def test_names_of_other_tools_stand_for_ours(tmp_path):
    file = written(
        tmp_path, '{"user_input": "a", "reference": "b", "reference_contexts": ["c", "d"]}'
    )

    (item,) = load_questions(file)

    assert (item.question, item.answers, item.quotes) == ("a", ("b",), ("c", "d"))


def test_a_draft_need_not_expect_anything_yet(tmp_path):
    file = written(tmp_path, '{"question": "a", "is_draft": true}')

    assert load_questions(file)[0].is_draft


def texts(**bounds):
    return st.lists(st.text(min_size=1).filter(str.strip), max_size=2, **bounds).map(tuple)


ITEMS = st.builds(
    EvalItem,
    id=st.text(min_size=1),
    question=st.text(min_size=1).filter(str.strip),
    documents=texts(),
    quotes=texts(),
    answers=texts(),
    contains=texts(),
    slices=texts(),
    figures=st.lists(
        st.builds(
            Figure,
            value=st.floats(allow_nan=False, allow_infinity=False),
            unit=st.text(),
            tolerance=st.floats(min_value=0, max_value=1e9),
        ),
        max_size=2,
    ).map(tuple),
    choice=st.none() | st.text(min_size=1),
    output_schema=st.none() | st.just({"type": "object", "properties": {"a": {"minimum": 1}}}),
    swap=st.none() | st.just(Swap(fact="28 days", instead="30 days")),
    unanswerable=st.booleans(),
    is_easy=st.booleans(),
    is_draft=st.booleans(),
    origin=st.sampled_from(["written", "documents", "model", "journal"]),
).filter(lambda item: not [*problems(item)])


@given(items=st.lists(ITEMS, min_size=1, max_size=4, unique_by=lambda item: item.id))
def test_what_is_saved_is_loaded_again(tmp_path_factory, items):
    file = tmp_path_factory.mktemp("sets") / "questions.jsonl"

    save_questions(file, items)

    assert load_questions(file) == items


def test_defaults_are_not_written_and_nothing_is_left_beside_the_file(tmp_path):
    file = tmp_path / "questions.jsonl"

    save_questions(file, [EvalItem(id="x", question="a", figures=(Figure(value=3.0),))])

    assert json.loads(file.read_text()) == {"id": "x", "question": "a", "figures": [{"value": 3.0}]}
    assert [path.name for path in tmp_path.iterdir()] == ["questions.jsonl"]


def test_a_set_that_cannot_be_written_is_said_in_a_line(tmp_path):
    with pytest.raises(CitewellError, match="cannot be written: No such file"):
        save_questions(tmp_path / "none" / "questions.jsonl", [])


def test_what_tells_no_place_is_left_out_and_counted(tmp_path):
    file = tmp_path / "questions.jsonl"
    told = EvalItem(question="a", quotes=("b",))
    others = [
        EvalItem(question="c", answers=("d",)),
        EvalItem(question="e", documents=("f",), is_draft=True),
        EvalItem(question="g", documents=("h",), unanswerable=True),
    ]

    assert placed(file, [told, *others]) == ([told], 3)
    with pytest.raises(ConfigError, match="no question tells what is to be found"):
        placed(file, others)


def test_documents_of_unanswerable_questions_are_held_out():
    questions = [
        EvalItem(question="a", documents=("docs:a.md",), unanswerable=True),
        EvalItem(question="b", documents=("docs:b.md",)),
    ]

    assert held_out(questions) == {"docs:a.md"}


def test_a_document_is_named_with_or_without_its_library():
    leave, other = passage("handbook:leave.md"), passage("handbook:other.md")

    for name in ("leave.md", "handbook:leave.md"):
        question = EvalItem(question="?", documents=(name,))
        assert question.is_right(leave)
        assert not question.is_right(other)
        assert question.named([other, leave, leave]) == ["handbook:other.md", name]
        assert question.relevant([]) == {name}


def test_a_quote_is_found_whatever_its_case_and_blank_space():
    right = passage("a:b", "Every employee\n has 28  DAYS.")
    wrong = passage("a:b", "Every employee has 29 days.")
    question = EvalItem(question="?", quotes=("has 28 days",))

    assert question.relevant([right, wrong]) == {right.id}
    assert question.named([wrong, right]) == [wrong.id, right.id]


def test_a_quote_counts_in_the_named_documents_alone():
    question = EvalItem(question="?", documents=("b",), quotes=("28 days",))

    assert question.is_right(passage("a:b"))
    assert not question.is_right(passage("a:c"))
