import pytest
from msgspec.structs import replace

from citewell import Place, Placed, Verdict
from citewell.engine.citing.quantities import missing_figure
from citewell.engine.citing.source import Source
from citewell.engine.citing.verdicts import (
    CONTAINMENT_BAR,
    PHRASE_BAR,
    Statement,
    judge,
    stands_as_title,
)
from passages import passage

LEAVE = passage(
    "Staff of Contoso receive thirty days of paid leave. Unused days do not lapse, and they can be "
    "sold. The Vienna office opened in 1999 with 12 desks. Sales increased to 5 million. See "
    "https://a.example/b or wiki.example for more.",
    title="Handbook",
    header="Country | Days",
    places=(Placed(100, Place(headings=("Rules", "Absence"))), Placed(110, Place(line=1))),
)


def verdict(text, *passages, question="", language="en", **options):
    sources = [Source(one) for one in passages or (LEAVE,)]
    return judge(Statement(text, sources, question, language), **options)


@pytest.mark.parametrize(
    "text",
    [
        "Staff of Contoso receive thirty days of paid leave.",
        "Staff receive 30 days of leave.",
        "Unused days do not lapse.",
        "Unused days can be sold.",
        "The office in Vienna opened in 1999.",
        "Sales increased to 5,000,000.",
        "See https://a.example/b for more.",
        "The Handbook: staff receive paid leave.",
        "Absence Rules: unused days do not lapse.",
        "Country and days of paid leave.",
        "12",
        "In 1999.",
    ],
)
def test_what_stands_there_is_supported(text):
    found = verdict(text)

    assert found.supported, found
    assert found.check == "containment"


@pytest.mark.parametrize(
    ("text", "check", "reason"),
    [
        ("See https://evil.example for paid leave.", "links",
         "a link that is not in what it cites: https://evil.example"),
        ("Staff receive 31 days of paid leave.", "figures", '"31 days" is not in what it cites'),
        ("The Vienna office opened in 1998.", "figures", '"1998" is not in what it cites'),
        ("Staff receive 12 of paid leave.", "figures",
         '"12" stands elsewhere in what it cites'),
        ("Staff of Fabrikam receive thirty days of paid leave.", "names",
         'the name "Fabrikam" is neither in what it cites nor in the question'),
        ("Unused days lapse.", "negation", "what it cites denies it"),
        ("Staff do not receive thirty days of paid leave.", "negation",
         "it denies what it cites affirms"),
        ("Sales decreased to 5 million.", "opposites",
         'it says "decreased" where the source says "increased"'),
        ("Gardeners prune roses before winter.", "containment",
         "0 of 4 content words stand in what it cites"),
        ("Vienna leave increased absence staff.", "phrases",
         "its words stand in what it cites, but hardly any two of them together"),
        ("It is.", "containment", "nothing in it can be looked up"),
    ],
)  # fmt: skip
def test_what_does_not_stand_there_is_not(text, check, reason):
    found = verdict(text)

    assert (found.supported, found.check, found.reason) == (False, check, reason)


def test_a_verdict_has_a_score():
    assert verdict("Staff receive paid leave.") == Verdict(
        supported=True,
        reason="4 of 4 content words stand in what it cites",
        check="containment",
        score=1.0,
    )
    assert verdict("Gardeners receive paid roses.").score == 0.5
    assert verdict("In 1999.") == Verdict(
        supported=True, reason="only figures, all found", check="containment"
    )


def test_the_bar_is_inclusive():
    half = "Gardeners prune paid leave."

    assert not verdict(half).supported
    assert verdict(half, bar=0.5).supported
    assert not verdict(half, bar=0.51).supported
    assert (CONTAINMENT_BAR, PHRASE_BAR) == (0.55, 0.2)


def test_two_words_need_no_phrase():
    assert verdict("Absent staff increase.").check == "phrases"
    assert verdict("Absent staff.").supported


@pytest.mark.parametrize(
    ("source", "supported"),
    [
        ("alpha bravo charl delta", True),
        ("bravo alpha charl x delta", True),
        ("alpha x y bravo x y charl x y delta x y echos x y foxtr", False),
        ("alpha x bravo x y charl x y delta x y echos x y foxtr", True),
        ("alpha bravo x y charl x y delta x y echos x y foxtr", True),
        ("bravo x alpha x y charl x y delta x y echos x y foxtr", True),
    ],
)
def test_a_fifth_of_the_neighbours_must_stand_together(source, supported):
    source = passage(source.replace(" x", " xxx").replace(" y", " yyy"))

    found = verdict("alpha bravo charl delta echos foxtr", source, bar=0.5)

    assert found.supported is supported
    assert found.score is not None
    assert supported or found.check == "phrases"


def test_one_pair_of_six_is_not_enough():
    source = passage(
        "alpha bravo xxx yyy charl xxx yyy delta xxx yyy echos xxx yyy foxtr xxx yyy golfs"
    )

    assert verdict("alpha bravo charl delta echos foxtr golfs", source).check == "phrases"


def test_sources_are_taken_together():
    other = passage("The canteen serves soup on Fridays for 4 euros.", "b")
    text = "Staff receive thirty days of paid leave and the canteen serves soup for 4 euros."

    assert verdict(text, LEAVE, other).supported
    assert verdict(text, LEAVE).check == "figures"


def test_names_may_come_from_the_question():
    text = "Staff of Fabrikam receive thirty days of paid leave."

    assert verdict(text, question="What do people at Fabrikam get?").supported


@pytest.mark.parametrize(
    ("text", "checked"),
    [
        ("Fabrikam staff receive paid leave.", False),
        ("Fabrikam Group staff receive paid leave.", True),
        ("Staff: Fabrikam receive paid leave.", False),
        ("Staff receive paid leave, FABRIKAM.", True),
        ("Staff's paid leave: The Contosos receive leave.", False),
        ("Staff receive paid leave, I say, The End.", True),
        ("**Fabrikam** staff receive paid leave.", False),
        ("Staff receive paid leave at Vienna-Fabrikam.", True),
        ("Staff receive paid leave at Vienna's office.", False),
        ("Staff receive paid leave, Her paid leave.", False),
        ("Staff receive paid leave at XY.", True),
        ("Fabrikam Vienna staff receive paid leave.", True),
        ("Fabrikam Vienna.", True),
        ("Staff receive paid leave: Fabrikam", False),
    ],
)
def test_only_capitals_inside_a_sentence_are_names(text, checked):
    assert (verdict(text).check == "names") is checked


def test_german_nouns_are_not_names():
    source = replace(passage("Mitarbeiter erhalten dreissig Tage Urlaub."), language="de")

    assert verdict("Mitarbeiter erhalten dreissig Tage Ferien.", source, language="de").supported
    assert verdict("Mitarbeiter erhalten dreissig Tage Ferien.", source).check == "names"


def test_negation_of_another_clause_does_not_matter():
    source = passage("Staff get leave, but contractors do not get a badge.")

    assert verdict("Staff get leave.", source).supported
    assert verdict("Contractors get a badge.", source).check == "negation"
    assert verdict("Staff do not get leave.", source).check == "negation"


@pytest.mark.parametrize(
    ("source", "text", "check"),
    [
        ("Dogs never enter the office.", "Dogs enter cold office.", "negation"),
        ("Cats may enter. Dogs do not bark.", "Cats never enter.", "negation"),
        ("Dogs will not enter.", "Dogs can enter.", "negation"),
        ("Staff rest, but guests do not rest.", "Staff rest.", "containment"),
        ("Dogs bark.", "Dogs bark, not cats", "negation"),
        ("Guests do not rest. Staff eat.", "Staff eat, guests rest.", "negation"),
        ("Costs rose first.", "First costs fell.", "opposites"),
        ("In 2023 all was new. Beta came. Gamma came. Delta costs 4 euros.",
         "Delta costs 4 euros in 2023.", "containment"),
    ],
)  # fmt: skip
def test_clauses_are_compared_by_their_own_words(source, text, check):
    assert verdict(text, passage(source)).check == check


def test_a_negation_needs_one_in_the_source():
    source = passage("Laptops travel home with staff who signed the travel form.")
    negated = passage("Laptops travel home with staff who signed it. Visitors never smoke.")
    text = "Staff laptops never travel home alone at night."

    assert verdict(text, source).check == "negation"
    assert verdict(text, negated).check != "negation"


def test_a_language_without_negators_has_no_such_check():
    assert verdict("Unused days lapse.", language="xx").check != "negation"


def test_equal_clauses_of_both_kinds_support_both():
    source = passage("Dogs enter the office. In winter dogs do not enter the office.")

    assert verdict("Dogs enter the office.", source).supported
    assert verdict("Dogs do not enter the office.", source).supported


def test_an_opposite_counts_only_when_the_word_is_nowhere():
    both = passage("Costs rose in May. Costs fell in June.")

    assert verdict("Costs rose in May.", both).supported
    assert verdict("Costs fell in May.", both).supported
    assert verdict("Costs fell in May.", passage("Costs rose in May.")).check == "opposites"


def titled(text, *sources, question="", language="en"):
    found = [Source(one) for one in sources or (LEAVE,)]
    return stands_as_title(Statement(text, found, question, language, titular=True))


def test_all_words_of_a_title_must_stand():
    assert titled("Paid leave")
    assert titled("The rules of absence")
    assert titled("")
    assert titled("30 days")
    assert not titled("Paid roses")
    assert titled("Paid roses", question="Which roses?")
    assert not titled("Leave in 2024")
    assert titled("Leave in 2024", question="What about 2024?")
    assert not titled("Understand leave", question="What is under leave?")


def test_a_title_takes_years_and_no_other_figures_from_the_question():
    assert titled("Thirty days", question="Do we get 99 days?")
    assert not titled("99 days", question="Do we get 99 days?")
    assert titled("Unused days on 4 July 2024", question="What lapses on 4 July 2024?")
    assert titled("Leave of the A320 staff", question="What do the A320 staff get?")


def test_a_title_passes_the_checks_of_a_sentence():
    assert titled("Unused days do not lapse")
    assert not titled("Unused days lapse")
    assert not titled("No paid leave")
    assert not titled("No staff")
    assert not titled("Leave of Contosans")
    assert not titled("See https://a.example/days")


def test_titles_are_read_in_their_language():
    source = replace(passage("Es sind 1,5 Tage."), language="de")

    assert titled("1,5 Tage", source, language="de")
    assert not titled("1,5 Tage", source, language="en")
    assert titled("Tage am 1.5.2024", source, question="Was gilt am 1.5.2024?", language="de")


def test_figures_near_a_claim_reach_one_sentence_further():
    source = Source(passage("Alpha costs 1. Beta is next. Gamma costs 3. Delta costs 4."))

    def near(reach):
        figures = source.figures_in(source.near("Beta is next", reach=reach))
        return [number for number in "134" if figures.has(_quantity(number))]

    assert near(0) == []
    assert near(1) == ["1", "3"]
    assert near(2) == ["1", "3", "4"]


def test_figures_near_a_claim_are_those_of_its_own_sentence():
    touching = Source(passage("甲は1。乙は2。丙は3。"))
    titled = Source(passage("5 apples are sold.", title="Fruit"))
    german = Source(replace(passage("Es sind 1,5 Tage."), language="de"))

    near = touching.figures_in(touching.near("乙は", reach=0))

    assert [near.has(_quantity(number)) for number in "123"] == [False, True, False]
    assert titled.figures_in(titled.near("apples sold", reach=0)).has(_quantity("5"))
    assert german.figures_in(german.near("Tage", reach=0)).has(_quantity("1.5"))


def _quantity(text):
    from citewell.engine.citing.quantities import _quantities

    return next(iter(_quantities(text, "en")))


def test_a_passage_is_read_in_its_language():
    source = Source(replace(passage("Der Urlaub. Das Wetter."), language="de"))

    assert source.quote("der Urlaub") == ((0, 11), 1.0)
    assert source.quote("das Urlaub") == ((0, 11), 1.0)


def test_what_belongs_to_a_passage_is_read_with_it():
    source = Source(LEAVE)

    assert source.text.startswith("Handbook\nRules\nAbsence\nCountry | Days\nStaff of")
    assert source.addresses == {"https://a.example/b", "wiki.example"}
    assert ("days", "thirt") in source.pairs
    assert "contoso" in source.words
    assert "conto" in source.stems


def near(text, claim, *, reach, figure):
    source = Source(passage(text))
    return not missing_figure(figure, [source.figures_in(source.near(claim, reach=reach))], "en")


def test_figures_stand_near_in_sentences_or_in_one_row():
    wrapped = "Alpha is one\nof the\nmany 50. Bravo is two. Charl is 70."
    lines = "Alpha 50\nBravo 70"

    assert near(wrapped, "alpha many", reach=1, figure="50")
    assert not near(wrapped, "alpha many", reach=1, figure="70")
    assert near(lines, "alpha", reach=0, figure="50")
    assert not near(lines, "alpha", reach=0, figure="70")


def test_with_reach_the_neighbours_of_all_that_says_it_are_near():
    text = "Alpha is one. Bravo is two. Charl is 70."

    assert near(text, "alpha bravo", reach=1, figure="70")
    assert not near(text, "alpha", reach=1, figure="70")


def test_without_words_the_whole_text_is_near():
    assert near("57 apples", "it is", reach=1, figure="57")
    assert not near("57 apples", "it is", reach=1, figure="7")


BERLIN, PARIS = passage("Berlin has 50 staff.", "b"), passage("Paris has 20 staff.", "p")


@pytest.mark.parametrize(
    ("text", "supported"),
    [
        ("Paris has 20 staff and Berlin has 50.", True),
        ("Paris has 20 staff, Berlin has 50.", True),
        ("Berlin has 50 staff.", True),
        ("The staff of Berlin: 50.", True),
        ("Paris has staff: it has 20.", True),
        ("Staff, in Berlin: 50, in Paris: 20.", True),
        ("Staff, in Berlin: 20, in Paris: 50.", False),
        ("Between 20 and 50 are the staff of Berlin.", False),
        ("Paris has 50 staff.", False),
        ("Paris has 20 staff and Berlin has 20.", False),
        ("Paris has 50 staff, Berlin has 20.", False),
        ("In Berlin, Paris has 50 staff.", False),
    ],
)
@pytest.mark.parametrize("sources", [(BERLIN, PARIS), (PARIS, BERLIN)])
def test_a_figure_stands_beside_the_name_of_its_clause(text, supported, sources):
    found = verdict(text, *sources)

    assert found.supported is supported, found
    assert supported or found.check == "figures"


def test_a_figure_of_something_else_is_told():
    assert verdict("Paris has 50 staff.", BERLIN, PARIS) == Verdict(
        supported=False, reason='what it cites says "50" of something else', check="figures"
    )


def test_a_name_in_all_sources_tells_nothing():
    first = passage("Contoso sells 50 desks.", "a")
    second = passage("Contoso pays staff.", "b")

    assert not verdict("Contoso pays 50 staff.", first, second).supported
    assert verdict("Contoso sells 50 desks.", first, second).supported


def test_without_names_most_words_of_the_clause_stand_beside_the_figure():
    first = passage("The leave is 25 days.", "a")
    second = passage("The probation lasts a month.", "b")

    assert verdict("The probation lasts a month and leave is 25 days.", first, second).supported
    for text in (
        "The probation lasts 25 days.",
        "Probation leave lasts 25 days.",
        "Probation leave lasts 25 days a month.",
    ):
        assert verdict(text, first, second).check == "figures"


def test_titles_that_sources_share_part_nothing():
    def both(first, second, *titles):
        return passage(first, "a", title=titles[0]), passage(second, "b", title=titles[-1])

    shared = both("Berlin has 50 staff.", "Paris has 20 staff.", "Paris and Berlin")
    own = both("It has 50 staff.", "Rome has 20 staff.", "Oslo", "Rome")

    assert not verdict("Paris has 50 staff.", *shared).supported
    assert verdict("Paris has 20 staff.", *shared).supported
    assert verdict("Oslo has 50 staff.", *own).supported
    assert not verdict("Rome has 50 staff.", *own).supported


def test_a_capital_that_begins_a_sentence_is_no_name():
    first = passage("All staff have 50 desks.", "a")
    second = passage("Some desks are old.", "b")

    assert verdict("Desks of staff: 50 desks have all staff.", first, second).supported


def test_a_clause_does_not_end_inside_a_number():
    source = passage("Staff hold 1,234 shares at 10:30.")

    assert verdict("Staff hold 1,234 shares at 10:30.", source, BERLIN).supported


def test_a_negation_without_other_words_needs_one_in_the_source():
    assert verdict("Not 25.", passage("It is 25.")).check == "negation"
    assert verdict("Not 25.", passage("It is not 25.")).supported


def test_years_stand_anywhere_in_what_is_cited():
    since = passage("Berlin has 50 staff since 1999.", "b")

    assert verdict("Paris has 20 staff in 1999.", since, PARIS).supported
    assert not verdict("Paris has 50 staff in 1999.", since, PARIS).supported


def test_a_word_of_no_meaning_is_no_name():
    first = passage("The desks of Berlin are old.", "a")
    second = passage("Staff: 20.", "b")

    assert verdict("The staff: 20.", first, second).supported


def test_figures_of_several_sources_are_read_in_their_language():
    german = [
        replace(passage(text, text[:3]), language="de")
        for text in ("Paris hat 1,5 Leute", "Rom hat 2,5 Leute")
    ]

    assert verdict("Paris hat 1,5 Leute", *german, language="de").supported
    assert verdict("Rom hat 1,5 Leute", *german, language="de").check == "figures"


def test_what_is_near_begins_with_its_first_figure():
    first = passage("50 staff work in Berlin.", "a", title="Year 7")
    second = passage("20 staff work in Paris.", "b", title="Year 7")

    assert verdict("20 staff work in Paris.", first, second).supported
    assert not verdict("50 staff work in Paris.", first, second).supported


def test_what_is_near_ends_with_its_last_figure():
    first = passage("Staff of Berlin: 50", "a", title="Year 7")
    second = passage("Staff of Paris: 20", "b", title="Year 7")

    assert verdict("Staff of Berlin: 50", first, second).supported
    assert verdict("Year 7: staff of Paris are 20.", first, second).supported


def test_a_sentence_takes_no_year_from_the_question():
    assert verdict("The Vienna office opened in 1998.", question="In 1998?").check == "figures"


def test_the_question_is_read_in_its_language():
    source = replace(passage("Es sind Tage."), language="de")

    assert titled("Tage 2024", source, question="Was gilt 2024?", language="de")
    assert not titled("Tage 2024", source, question="Sind es 2024.000 Tage?", language="de")


def test_stored_text_is_read_in_its_language():
    source = passage("ab cd ef nicht gh ij kl")

    assert Source(source).stored("ab cd ef … gh ij kl") == "ab cd ef … gh ij kl"
    assert not Source(replace(source, language="de")).stored("ab cd ef … gh ij kl")


def test_a_clause_of_one_telling_word_joins_the_next():
    assert verdict("No staff, as it is, smoke.", passage("Staff do not smoke.")).supported


def test_a_clause_of_figures_joins_the_one_before():
    source = passage("Staff rest for 5 days. Dogs do not bark.")

    assert verdict("Staff rest: 5, dogs bark.", source).check == "negation"
