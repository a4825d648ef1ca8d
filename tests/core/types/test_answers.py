from citewell import ClaimKind
from citewell.testing import make_answer, make_claim, make_passages

(LEAVE,) = make_passages("Everyone has 25 days of leave.")


def test_a_heading_is_no_statement():
    heading = make_claim("## Leave", {1: LEAVE}, kind=ClaimKind.HEADING)
    sentence = make_claim(LEAVE.text, {1: LEAVE})

    answer = make_answer(heading, sentence)

    assert heading.verdict.supported
    assert answer.statements == (sentence,)
    assert answer.supported_count == 1


def test_a_dropped_statement_is_one_too():
    dropped = make_claim("Bob has 40.", shown=False)

    answer = make_answer(make_claim(LEAVE.text, {1: LEAVE}), dropped)

    assert dropped in answer.statements
    assert answer.supported_count == 1


def test_rows_and_code_are_statements():
    claims = [make_claim("| a |", kind=ClaimKind.TABLE), make_claim("`a`", kind=ClaimKind.CODE)]

    assert make_answer(*claims).statements == tuple(claims)
