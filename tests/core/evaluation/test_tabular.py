"""Questions in a CSV file: a header that names fields, and cells that hold them."""

import pytest

from citewell import ConfigError
from citewell.evaluation.questions import load_questions
from citewell.types.evaluation import EvalItem, Figure, Swap


def read(tmp_path, content, name="questions.csv"):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_questions(file)


def test_a_row_is_a_question(tmp_path):
    (item,) = read(
        tmp_path,
        "id,question,answers,figures,unanswerable,slices,swap,output_schema\n"
        'x,"How long, then?",28 days|four weeks,"28±1 days | 1,200 EUR",no,a|b,28|30,"{""type"":'
        ' ""object""}"\n',
    )

    assert item == EvalItem(
        id="x",
        question="How long, then?",
        answers=("28 days", "four weeks"),
        figures=(
            Figure(value=28.0, tolerance=1.0, unit="days"),
            Figure(value=1200.0, unit="EUR"),
        ),
        slices=("a", "b"),
        swap=Swap(fact="28", instead="30"),
        output_schema={"type": "object"},
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "question;answer\r\nHow long?;28 days\r\n"),
        ("a.tsv", "question\tground_truth\nHow long?\t28 days\n"),
        ("a.csv", b"\xef\xbb\xbfinput,expected_output\nHow long?,28 days\n"),
    ],
)
def test_other_delimiters_and_names_are_understood(tmp_path, name, content):
    (item,) = read(tmp_path, content, name)

    assert (item.question, item.answers) == ("How long?", ("28 days",))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("quesion,answer\na,b\n", 'line 1: the column "quesion" is unknown'),
        ("answer\nb\n", 'line 1: no column is named "question"'),
        ("question,answer,expected\na,b,c\n", 'line 1: two columns are the field "answers"'),
        ("question,answer\na,b\nc,d,e\n", "line 3: has 3 fields; expected 2"),
        ('question,answer\n"a\nb",c\nd,\n', "line 4: expects nothing of an answer"),
        ("question,unanswerable\na,perhaps\n", 'line 2: unanswerable is "perhaps"'),
        ("question,figures\na,many\n", 'line 2: figures has "many"; expected a number'),
        ("question,swap\na,b\n", 'line 2: swap is "b"; expected two facts'),
        ("question,output_schema\na,{\n", "line 2: output_schema is no JSON"),
        ('question,answer\n"a" x,b\n', "line 2: is no CSV"),
        ("", "no column is named"),
        ("question,answer\n", "holds no question"),
    ],
)
def test_a_wrong_table_is_refused_in_a_line(tmp_path, content, said):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, content)

    assert said in str(error.value)
    assert "\n" not in str(error.value)
