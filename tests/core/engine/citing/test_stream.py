"""Laws 1, 2 and 6 through the one door: deltas in, checked claims out."""

import asyncio

import pytest
from msgspec.structs import replace

from citewell import ClaimKind, StoreError, Verdict
from citewell.engine.citing import Policy, cite, is_refusal
from citewell.engine.citing import checking as checking_module
from citewell.engine.citing.stream import MAX_REFUSAL_CHARS
from citewell.engine.citing.windows import MAX_QUOTE_CHARS
from passages import claims, evidence, parts, passage

LEAVE = passage(
    "Staff receive 30 days of paid leave each year. Unused days do not lapse. Write to “Human  "
    "Resources” first. See https://a.example/form now.\n\n```\nsync --all\n  ask x[1]\n```",
    "leave",
    title="Leave",
)
TABLE = passage("| Country | Days |\n|---|---|\n| Kenya | 21 |\n| France | 25 |", "table")
GIVEN = evidence(LEAVE, TABLE, question="How much leave do Martians get?")


def texts(found):
    return [claim.text for claim in found if claim.shown]


async def one(output, given=GIVEN):
    (claim,) = await claims(output, given)
    return claim


async def test_a_supported_sentence_is_shown_with_its_quote():
    claim = await one("Staff receive 30 days of leave [1].")

    (citation,) = claim.citations
    assert claim.shown
    assert claim.kind is ClaimKind.SENTENCE
    assert claim.text == "Staff receive 30 days of leave."
    assert claim.raw == "Staff receive 30 days of leave [1]."
    assert claim.verdict == Verdict(
        supported=True,
        reason="4 of 4 content words stand in what it cites",
        check="containment",
        score=1.0,
    )
    assert citation.quote == "Staff receive 30 days of paid leave each year."
    assert (citation.number, citation.passage_id, citation.start) == (1, "leave", 100)


@pytest.mark.parametrize(
    ("output", "check", "reason"),
    [
        ("Staff receive 30 days of leave.", "citation", "no citation"),
        ("Staff receive 30 days of leave [3].", "marks", "[3] names no passage"),
        ("Staff receive 30 days of leave [１].", "marks", "[１] is no citation"),
        ("Staff receive 30 days of leave [7][8][9][10][11].", "marks",
         "[7] names no passage; [8] names no passage; [9] names no passage; 2 more"),
        ("Staff receive 30 days of leave [7][8][9][10].", "marks",
         "[7] names no passage; [8] names no passage; [9] names no passage; 1 more"),
        ("Staff receive 30 days of leave [7][8][9].", "marks",
         "[7] names no passage; [8] names no passage; [9] names no passage"),
        ("```\nsync --none\n```", "code", "its lines do not stand together in a source"),
        ("| Land | Days |\n|---|---|\n| Kenya | 21 [2] |", "header",
         "the table's header is not in what the row cites"),
        ("Staff receive 31 days of leave [1].", "figures", '"31 days" is not in what it cites'),
        ('They "get free cake" as paid leave [1].', "quote", 'quote not found: "get free cake"'),
        ("> Staff get free cake [1]", "quote", "quote not found"),
        ("Staff receive 30 days of leave `[1]`.", "citation", "no citation"),
    ],
)  # fmt: skip
async def test_an_unsupported_sentence_is_dropped(output, check, reason):
    claim = await one(output)

    assert not claim.shown
    assert claim.citations == ()
    assert claim.verdict == Verdict(supported=False, reason=reason, check=check)


async def test_a_failed_mark_beside_a_good_one_is_told():
    claim = await one("Unused days do not lapse [1][9].")

    assert claim.shown
    assert claim.verdict.reason.endswith("; [9] names no passage")
    assert [citation.number for citation in claim.citations] == [1]


async def test_numbers_are_given_in_the_order_of_appearance():
    found = await claims(
        "Kenya | 21 [2]. Unused days do not lapse [1]. France | 25 [2]. Staff paid [9].", GIVEN
    )

    assert [[c.number for c in claim.citations] for claim in found] == [[1], [2], [1], []]
    assert [[c.passage_id for c in claim.citations] for claim in found][:2] == [
        ["table"],
        ["leave"],
    ]


async def test_a_dropped_sentence_spends_no_number():
    found = await claims("Kenya has 99 days [2]. Unused days do not lapse [1].", GIVEN)

    assert [citation.number for claim in found for citation in claim.citations] == [1]


async def test_citations_ascend_by_number():
    output = "Unused days do not lapse [1]. Kenya 21 days, unused days do not lapse [2][1]."

    found = await claims(output, GIVEN)

    assert [citation.number for citation in found[1].citations] == [1, 2]


async def test_a_mark_that_adds_nothing_is_left_out():
    claim = await one("Unused days do not lapse and each year is paid leave [1][2].")

    assert [citation.passage_id for citation in claim.citations] == ["leave"]


async def test_a_mark_that_holds_a_fifth_of_the_claim_is_kept():
    claim = await one("Unused days do not lapse each paid year [1][2].")

    assert [citation.passage_id for citation in claim.citations] == ["leave", "table"]


async def test_a_quote_may_be_two_sentences_but_only_one_row():
    sentences = await one("Staff receive 30 days and unused days do not lapse [1].")
    wine = evidence(passage("- Kenya grants 21 days\n- France adds wine"))
    row = await one("| Kenya | days |\n|---|---|\n| Kenya | 21 [1] |", wine)
    both = await one("| Kenya | days |\n|---|---|\n| Kenya | wine [1] |", wine)
    lines = evidence(passage("Items and staff\nKenya 21\nPeru 25"))
    line = await one("| Items | Staff |\n|---|---|\n| Kenya | 21 [1] |", lines)

    assert sentences.citations[0].quote == (
        "Staff receive 30 days of paid leave each year. Unused days do not lapse."
    )
    assert row.citations[0].quote == "- Kenya grants 21 days"
    assert line.citations[0].quote == "Kenya 21"
    assert both.verdict == Verdict(
        supported=False,
        reason='"Kenya" is not in that row and column of what it cites',
        check="row",
    )


async def test_a_figure_may_stand_one_sentence_away():
    source = evidence(
        passage("Alpha costs 1 euro. Beta is next. Gamma is here. Delta costs 4 euros.")
    )

    near, far = await claims("Beta is next to 1 [1]. Beta is next to 4 [1].", source)

    assert near.shown
    assert (far.shown, far.verdict.check) == (False, "figures")


async def test_one_passage_under_two_marks_is_cited_once():
    claim = await one("Unused days do not lapse [1][2].", evidence(LEAVE, LEAVE))

    assert [citation.number for citation in claim.citations] == [1]


@pytest.mark.parametrize(
    "now",
    [
        [],
        [replace(LEAVE, text=LEAVE.text.replace("30", "31"))],
        [replace(LEAVE, labels=frozenset({"board"}))],
    ],
)
@pytest.mark.parametrize(
    "output",
    ["Unused days do not lapse [1].", "> Unused days do not lapse [1]", "```\nsync --all\n```"],
)
async def test_what_may_not_be_read_now_is_neither_cited_nor_shown(now, output):
    claim = await one(output, evidence(LEAVE, now=now))

    assert not claim.shown
    assert claim.citations == ()


async def test_a_store_that_fails_ends_the_answer():
    async def fetch(ids):
        raise StoreError("the index is gone")

    with pytest.raises(StoreError):
        await claims("Unused days do not lapse [1].", evidence(LEAVE, fetch=fetch))


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ('Write to "Human Resources" first [1].', 'Write to "Human Resources" first.'),
        ("Write to «HUMAN RESOURCES» first [1].", "Write to «Human Resources» first."),
        ("Write to „human-resources“ first [1].", "Write to „Human Resources“ first."),
        ("Write first: “staff receive 30 … unused days do not lapse” [1].",
         "Write first: “Staff receive 30 … Unused days do not lapse”."),
        ("Write to 'human resources' first [1].", "Write to 'Human Resources' first."),
        ('"Martians" and staff receive leave [1].', '"Martians" and staff receive leave.'),
        ("> write to 'Human Resources' first [1]", "Write to “Human Resources” first"),
        ('> "Staff receive 30 ... days do not lapse" [1]', "Staff receive 30 … days do not lapse"),
        ("> see https://a.example/form now [1]", "See https://a.example/form now"),
        ("Unused days do not lapse “…” [1].", "Unused days do not lapse “…”."),
        ("Unused days do not lapse|expire [1].", "Unused days do not lapse|expire."),
        ('Unused days do not `"end"` or lapse [1].', 'Unused days do not `"end"` or lapse.'),
    ],
)  # fmt: skip
async def test_quotations_show_stored_words(output, text):
    claim = await one(output)

    assert claim.shown, claim.verdict
    assert claim.text == text


async def test_each_part_of_a_quoted_paragraph_is_cited():
    claim = await one("> Staff receive 30 days … Unused days do not lapse [1]")

    assert [citation.quote for citation in claim.citations] == [
        "Staff receive 30 days",
        "Unused days do not lapse",
    ]
    assert {citation.number for citation in claim.citations} == {1}
    assert claim.verdict == Verdict(
        supported=True, reason="quoted from what it cites", check="quote", score=1.0
    )
    assert claim.lead == "> "


async def test_a_year_may_stand_outside_the_quote():
    stored = "Rules of 1999. " + "Something else is said here at length. " * 20
    given = evidence(passage(f"{stored}Staff receive 30 days of paid leave each year."))

    claim = await one("In 1999 staff receive 30 days of paid leave [1].", given)

    assert claim.shown, claim.verdict
    assert [citation.quote for citation in claim.citations] == [
        "Staff receive 30 days of paid leave each year."
    ]


@pytest.mark.parametrize("policy", list(Policy))
async def test_a_first_heading_has_nothing_before_it(policy):
    given = evidence(LEAVE, policy=policy)

    heading, _ = await claims("# Leave\n\nStaff receive 30 days of leave [1].", given)

    assert heading.lead == ""


async def test_what_the_paragraph_above_denies_is_no_part_of_a_quoted_one():
    given = evidence(passage("What you must never\n\nAll dogs are welcome here."))

    claim = await one("> All dogs are welcome here [1]", given)

    assert claim.shown, claim.verdict


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("> staff may smoke in the lift [1]", False),
        ("> It is not true that staff may smoke in the lift [1]", True),
        ("> staff may smoke in the lift. All pay [1]", False),
        ("> They may smoke outside [1]", True),
        ("> guests pay nothing [1]", False),
        ("> can order by phone [1]", True),
        ("> ask the desk for a pass [1]", True),
        ("> Not all guests pay nothing [1]", True),
        ("> All pay [1]", True),
    ],
)
async def test_a_quoted_paragraph_begins_before_what_denies_it(output, shown):
    stored = (
        "Not all guests pay nothing. It is not true that staff may smoke in the lift. All pay. "
        "Staff without a phone can order by phone. If you have not one, ask the desk for a pass. "
    )
    claim = await one(output, evidence(passage(f"{stored}They may smoke outside.")))

    assert claim.shown == shown
    if not shown:
        assert claim.verdict == Verdict(
            supported=False, reason="it begins behind what denies it", check="negation"
        )


async def test_a_quoted_paragraph_is_looked_for_in_each_passage():
    claim = await one("> | France | 25 | [1][2]")

    assert [citation.passage_id for citation in claim.citations] == ["table"]


async def test_code_that_stands_in_a_source_is_shown_as_stored():
    output = "Unused days do not lapse [1].\n```sh\nsync   --all\nask x[1]\n```"

    sentence, code = await claims(output, GIVEN)

    assert sentence.shown
    assert code.kind is ClaimKind.CODE
    assert code.text == "```sh\nsync --all\n  ask x[1]\n```"
    assert [citation.quote for citation in code.citations] == ["sync --all\n  ask x[1]"]
    assert code.verdict == Verdict(
        supported=True, reason="stands in what it cites", check="code", score=1.0
    )


async def test_code_leans_on_the_claim_before_it():
    before, code = await claims("| Kenya | 21 [2]\n\n```\nsync --all\n```", GIVEN)
    alone = await one("```\nsync --all\n```")

    assert before.shown
    assert not code.shown
    assert code.verdict.check == "code"
    assert alone.shown


async def test_code_alone_is_looked_for_in_every_passage():
    first = await one("```\nsync --all\n```", evidence(LEAVE, TABLE))
    last = await one("```\nsync --all\n```", evidence(TABLE, LEAVE))

    assert first.shown
    assert last.shown


async def test_code_does_not_lean_on_a_claim_that_failed():
    found = await claims("Kenya 99 days [2].\n```\nsync --all\n```", GIVEN)

    assert [claim.shown for claim in found] == [False, True]


async def test_two_code_blocks_lean_on_the_same_claim():
    found = await claims(
        "Unused days do not lapse [1].\n```\nsync --all\n```\n```\nask x[1]\n```", GIVEN
    )

    assert [claim.shown for claim in found] == [True, True, True]


async def test_other_code_is_dropped():
    assert not (await one("```\nsync --none\n```")).shown
    assert not (await one("```\n\n```")).shown


@pytest.mark.parametrize("policy", Policy)
async def test_what_is_too_long_is_never_shown(policy):
    claim = await one("```\n" + "sync --all\n" * 3000 + "```", replace(GIVEN, policy=policy))

    assert claim.verdict == Verdict(supported=False, reason="too long", check="length")
    assert (claim.shown, claim.text) == (False, "")


async def test_a_passage_without_text_cannot_be_quoted():
    claim = await one("Paid leave days [1].", evidence(passage("  ", title="Paid leave days")))

    assert not claim.shown
    assert claim.verdict == Verdict(supported=False, reason="nothing in it to quote", check="quote")


async def test_the_header_comes_with_the_first_row_that_survives():
    found = await claims(
        "| Country | Days |\n|---|---|\n"
        "| Kenya | 99 [2] |\n| Kenya | 21 [2] |\n| France [2] | 25 |",
        GIVEN,
    )

    assert [claim.shown for claim in found] == [False, True, True]
    assert found[1].text == "| Country | Days |\n|---|---|\n| Kenya | 21 |"
    assert found[2].text == "| France | 25 |"
    assert found[1].lead == ""
    assert found[2].lead == "\n"
    assert found[0].raw.startswith("| Country | Days |\n|---|---|\n| Kenya")


@pytest.mark.parametrize(
    ("output", "check"),
    [
        ("| Land | Days |\n|---|---|\n| Kenya | 21 [2] |", "header"),
        ("| Country | Days |\n|---|---|\n| Kenya | 25 [2] |", "row"),
        ("| Country | Days |\n|---|---|\n| Kenya [2] | France | 21 |", "row"),
        ("| Days | Country |\n|---|---|\n| Kenya | 21 [2] |", "row"),
        ("| Not Country | Days |\n|---|---|\n| Kenya | 21 [2] |", "header"),
        ("| Country | Not Days |\n|---|---|\n| Kenya | 21 [2] |", "header"),
        ("| Country | Days |\n|---|---|\n| Kenya | 21 |", "citation"),
        ("| Country | Days |\n|---|---|\n", "citation"),
    ],
)
async def test_rows_that_do_not_stand_are_dropped(output, check):
    claim = await one(output)

    assert (claim.shown, claim.verdict.check, claim.kind) == (False, check, ClaimKind.TABLE)


async def test_two_tables_each_have_their_header():
    table = "| Country | Days |\n|---|---|\n| Kenya | 21 [2] |\n"

    found = await claims(f"{table}\n{table}", GIVEN)

    assert [claim.text.count("Country") for claim in found] == [1, 1]


async def test_a_heading_waits_for_a_supported_claim():
    found = await claims(
        "# Paid leave\n## Cake\n## Days\nNo mark.\nUnused days do not lapse [1].\n# Year\n", GIVEN
    )

    assert [(claim.text, claim.shown) for claim in found] == [
        ("## Cake", False),
        ("No mark.", False),
        ("# Paid leave", True),
        ("## Days", True),
        ("Unused days do not lapse.", True),
        ("# Year", False),
    ]
    assert found[2].verdict.check == found[0].verdict.check == "heading"
    assert found[2].citations == ()
    assert found[0].verdict == Verdict(
        supported=False, reason="nothing under it is supported", check="heading"
    )
    assert found[2].verdict == Verdict(
        supported=True, reason="its words stand in what the next claim cites", check="heading"
    )


async def test_a_heading_of_other_words_is_dropped():
    found = await claims("# Free cake\nUnused days do not lapse [1].", GIVEN)

    assert texts(found) == ["Unused days do not lapse."]
    assert found[0].verdict.reason == "its words do not all stand in what the next claim cites"


async def test_a_heading_may_use_the_words_of_the_question():
    assert (
        texts(await claims("# Martians\nUnused days do not lapse [1].", GIVEN))[0] == "# Martians"
    )


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("No mark. Unused days do not lapse [1].", "Unused days do not lapse."),
        ("- No mark. Unused days do not lapse [1].", "- Unused days do not lapse."),
        ("Unused days do not lapse [1].\n- No mark. Unused days do not lapse [1].",
         "Unused days do not lapse.\n- Unused days do not lapse."),
        ("Unused days do not lapse [1].\n\nNo mark. Unused days do not lapse [1].",
         "Unused days do not lapse.\n\nUnused days do not lapse."),
        ("Unused days do not lapse [1].\n\nNo mark.\n- Unused days do not lapse [1].",
         "Unused days do not lapse.\n\n- Unused days do not lapse."),
        ("No mark.\n  - Unused days do not lapse [1].", "  - Unused days do not lapse."),
        ("Unused days do not lapse [1].\n\nNo mark.\n\nUnused days do not lapse [1].",
         "Unused days do not lapse.\n\nUnused days do not lapse."),
        ("Unused days do not lapse [1]. No mark. Unused days do not lapse [1].",
         "Unused days do not lapse. Unused days do not lapse."),
        ("Unused days do not lapse [1].\n\nNo mark.\n# Leave\nUnused days do not lapse [1].",
         "Unused days do not lapse.\n\n# Leave\nUnused days do not lapse."),
        ("Unused days do not lapse [1].\n- No mark.\n# Cake\nUnused days do not lapse [1].",
         "Unused days do not lapse.\nUnused days do not lapse."),
        ("Unused days do not lapse [1].\n# Leave\n- None.\n\n- None. Unused days do not lapse [1].",
         "Unused days do not lapse.\n# Leave\n\n- Unused days do not lapse."),
        ("Unused days do not lapse [1].\n\n# Cake\nUnused days do not lapse [1].",
         "Unused days do not lapse.\n\nUnused days do not lapse."),
        ("Unused days do not lapse [1].\n- No.\n\n# Leave\n1. None. Unused days do not lapse [1].",
         "Unused days do not lapse.\n\n# Leave\n1. Unused days do not lapse."),
    ],
)  # fmt: skip
async def test_what_is_dropped_leaves_its_structure_behind(output, shown):
    found = await claims(output, GIVEN)

    assert "".join(claim.lead + claim.text for claim in found if claim.shown) == shown


@pytest.mark.parametrize(
    "heading", ["Unused days lapse", "No paid leave", "99 unlimited days", "Unused days 99"]
)
async def test_a_heading_that_says_otherwise_is_dropped(heading):
    given = replace(GIVEN, question="Is it true that we get 99 unlimited days?")

    found = await claims(f"# {heading}\n\nUnused days do not lapse [1].", given)

    assert texts(found) == ["Unused days do not lapse."]


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("31. days do not lapse [1].", []),
        ("1. Staff receive [1]\n2. each year [1]",
         ["1. Staff receive", "\n2. each year"]),
        ("1. No mark.\n2. each year [1]\n3. paid leave [1]",
         ["- each year", "\n- paid leave"]),
        ("1. each year [1]\n2. No mark.\n3. paid leave [1]",
         ["1. each year", "\n- paid leave"]),
        ("1. each year [1]\n   1. No mark.\n   2. paid leave [1]\n2. paid leave [1]",
         ["1. each year", "\n   - paid leave", "\n2. paid leave"]),
    ],
)  # fmt: skip
async def test_the_number_of_an_item_counts_what_is_shown(output, shown):
    found = await claims(output, GIVEN)

    assert [claim.lead + claim.text for claim in found if claim.shown] == shown


async def test_policy_mark_shows_everything_without_citations():
    output = (
        "# Cake https://evil.example\nNo mark. Unused days do not lapse [1]. "
        "See https://evil.example and evil.example.\n"
        "```\nrm\n\n```\n| [Land](x) https://evil.example |\n|---|\n| Kenya [2] |\n| Peru |\n![](x)"
    )
    found = await claims(output, replace(GIVEN, policy=Policy.MARK))

    assert texts(found) == [
        "# Cake (link removed)",
        "No mark.",
        "Unused days do not lapse.",
        "See (link removed) and evil.\u200bexample.",
        "```\nrm\n```",
        "| Land (link removed) |\n|---|\n| Kenya |",
        "| Peru |",
    ]
    assert found[0].verdict == Verdict(
        supported=False, reason="a heading carries no citation", check="heading"
    )
    assert [bool(claim.citations) for claim in found if claim.shown] == [0, 0, 1, 0, 0, 0, 0]
    assert all(claim.verdict.supported == bool(claim.citations) for claim in found)


async def test_without_passages_nothing_is_cited():
    found = await claims("Mars is red [1].", evidence(policy=Policy.MARK))

    assert texts(found) == ["Mars is red."]
    assert found[0].citations == ()


async def test_policy_refuse_drops_as_well():
    found = await claims(
        "No mark. Unused days do not lapse [1].", replace(GIVEN, policy=Policy.REFUSE)
    )

    assert texts(found) == ["Unused days do not lapse."]


async def test_links_stay_only_where_the_source_has_them():
    claim = await one("See https://a.example/form now [1].")
    other = await one("See https://a.example/other now [1].")

    assert claim.text == "See https://a.example/form now."
    assert (other.shown, other.verdict.check) == (False, "links")
    assert other.text == "See (link removed) now."


async def test_an_answer_is_read_in_its_language():
    source = replace(passage("Mitarbeiter erhalten 1,5 Tage Urlaub im Monat."), language="de")
    output = "# Urlaub 1,5\nMitarbeiter erhalten 1,5 Tage Urlaub [1]."

    german = await claims(output, evidence(source, language="de"))
    english = await claims(output, evidence(source))

    assert [claim.shown for claim in german] == [True, True]
    assert [claim.shown for claim in english] == [False, False]


async def test_rows_are_read_in_their_language():
    source = replace(passage("Urlaub | Tage\nWien | 1,5"), language="de")
    output = "| Urlaub | Tage |\n|---|---|\n| Wien | 1,5 [1] |"

    german = await claims(output, evidence(source, language="de"))
    english = await claims(output, evidence(source))

    assert [claim.shown for claim in german] == [True]
    assert [claim.verdict.check for claim in english] == ["row"]


async def test_a_heading_may_name_the_year_of_the_question():
    given = replace(GIVEN, question="What lapses in 2024?")

    assert texts(await claims("# Days in 2024\nUnused days do not lapse [1].", given)) == [
        "# Days in 2024",
        "Unused days do not lapse.",
    ]


async def test_sentences_end_as_in_their_language():
    source = replace(passage("Mitarbeiter kamen am 3. Mai aus Wien."), language="de")
    output = "Mitarbeiter kamen am 3. Mai aus Wien [1]."

    german = await claims(output, evidence(source, language="de"))

    assert [claim.text for claim in german] == ["Mitarbeiter kamen am 3. Mai aus Wien."]


async def test_code_is_defused():
    given = evidence(passage("```\nping @everyone ``` x\n```"))
    claim = await one("````a b\nping @everyone ``` x\n````", given)

    assert claim.text == "````ab\nping @\u200beveryone ``` x\n````"


class Judge:
    def __init__(self, *, supported=True, error=None, seconds=0.0):
        self.seen = []
        self._verdict = Verdict(supported=supported, reason="I say so", check="judge")
        self._error = error
        self._seconds = seconds

    async def judge(self, claim, passages):
        self.seen.append((claim, tuple(passages)))
        await asyncio.sleep(self._seconds)
        if self._error:
            raise self._error
        return self._verdict


async def test_every_verifier_must_agree():
    first, second = Judge(), Judge(supported=False)

    claim = await one("Unused days do not lapse [1].", replace(GIVEN, verifiers=(first, second)))

    assert first.seen == second.seen == [("Unused days do not lapse.", (LEAVE,))]
    assert claim.verdict == Verdict(supported=False, reason="I say so", check="judge")
    assert not claim.shown


async def test_verifiers_that_agree_leave_the_verdict():
    claim = await one("Unused days do not lapse [1].", replace(GIVEN, verifiers=(Judge(),)))

    assert claim.shown
    assert claim.verdict.check == "containment"


async def test_a_verifier_is_not_asked_about_what_failed():
    judge = Judge()

    await claims("Unused days lapse [1]. No mark.", replace(GIVEN, verifiers=(judge,)))

    assert judge.seen == []


async def test_a_verifier_that_fails_does_not_agree():
    broken = Judge(error=ValueError("secret detail"))

    claim = await one("Unused days do not lapse [1].", replace(GIVEN, verifiers=(broken,)))

    assert claim.verdict == Verdict(
        supported=False, reason="a verifier failed: ValueError", check="verifier"
    )


async def test_a_verifier_that_takes_too_long_does_not_agree(monkeypatch):
    monkeypatch.setattr(checking_module, "VERIFIER_TIMEOUT_S", 0.01)

    claim = await one(
        "Unused days do not lapse [1].", replace(GIVEN, verifiers=(Judge(seconds=5),))
    )

    assert claim.verdict == Verdict(
        supported=False, reason="a verifier took too long", check="verifier"
    )


async def test_a_cancellation_that_comes_together_with_an_opinion_is_not_lost():
    class Late(Judge):
        async def judge(self, claim, passages):
            opinion = await super().judge(claim, passages)
            asking.cancel()
            return opinion

    given = replace(GIVEN, verifiers=(Late(),))
    asking = asyncio.create_task(claims("Unused days do not lapse [1].", given))
    await asyncio.wait({asking})

    assert asking.cancelled()


async def test_nothing_is_given_out_before_its_sentence_has_ended():
    seen = []

    async def deltas():
        for part in ("Unused days do ", "not lapse [1].", " Staff", " receive 30 days [1]."):
            seen.append(part)
            yield part

    async for claim in cite(deltas(), GIVEN):
        seen += [claim.text]

    assert seen[-3:] == [
        " receive 30 days [1].",
        "Unused days do not lapse.",
        "Staff receive 30 days.",
    ]


async def test_ten_thousand_marks_are_read():
    found = await claims("Unused days do not lapse " + "[1]" * 10_000, GIVEN)

    assert texts(found) == ["Unused days do not lapse"]


async def test_work_for_many_sentences_asks_once_for_each():
    asked = []

    async def fetch(ids):
        asked.append(ids)
        return [LEAVE]

    await claims("Unused days do not lapse [1][1][1]. " * 5, evidence(LEAVE, fetch=fetch))

    assert asked == [("leave",)] * 5


async def test_an_output_may_be_empty():
    assert await claims([], GIVEN) == []
    assert await claims(["", "", " \n"], GIVEN) == []
    assert await claims("[1][2]\n\n[1]", GIVEN) == []
    assert texts(await claims("![](x) <b></b> [1]", GIVEN)) == []


@pytest.mark.parametrize(
    "text",
    [
        "The documents do not say.",
        "the documents do not say",
        " **The documents do not say.** [1]\n",
        "“The documents do not say.”",
        "The documents do not say." + " " * (MAX_REFUSAL_CHARS - 25),
    ],
)
def test_a_refusal_is_recognised(text):
    assert is_refusal(text, "The documents do not say.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The documents do not say it.",
        "The documents do say.",
        "The documents do not say. But I know: 42.",
        "The documents do not say." + " " * (MAX_REFUSAL_CHARS - 24),
    ],
)
def test_an_answer_is_no_refusal(text):
    assert not is_refusal(text, "The documents do not say.")
    assert not is_refusal("", "")


async def test_closing_early_leaves_the_deltas_open_for_their_owner():
    deltas = parts("Unused days do not lapse [1]. ", "Staff receive 30 days [1]. And")
    stream = cite(deltas, GIVEN)

    first = await anext(stream)
    await stream.aclose()

    assert first.shown
    assert [part async for part in deltas] == []


@pytest.mark.parametrize("words_between", [100, 300])
async def test_a_quote_holds_every_figure_of_its_sentence(words_between):
    stored = f"Alpha and bravo cost 17 euros, {'and so on, ' * words_between}while charl costs 29."
    claim = await one("Alpha and bravo cost 17 euros, while charl costs 29 [1].",
                      evidence(passage(stored)))  # fmt: skip

    if len(stored) <= MAX_QUOTE_CHARS:
        assert claim.citations[0].quote == stored
    else:
        assert claim.verdict == Verdict(
            supported=False, reason='"29" is in no quote of it', check="quote"
        )
