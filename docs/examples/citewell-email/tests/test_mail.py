"""How a mail looks."""

from __future__ import annotations

import asyncio
import logging
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from citewell import Answer, ClaimKind, Context, Outcome
from citewell.blocks import Span, Text
from citewell.testing import make_answer, make_claim, make_passages
from citewell_email.plugin import EmailConfig, build

LEAVE, PORTAL = make_passages(
    "Everyone has 25 days of leave.", "Leave is asked for in the portal, two weeks ahead."
)


def mail(answer: Answer, **settings: object) -> str:
    """Return an answer as `citewell ask --format email` prints it into a file."""

    async def rendered() -> str:
        here = Path()
        log = logging.getLogger("citewell.formatter.email")
        context = Context(name="email", log=log, data_dir=here, base_dir=here)
        async with build(EmailConfig.model_validate(settings), context) as formatter:
            return "\n\n".join(
                span.text
                for block in formatter.render(answer)
                if isinstance(block, Text)
                for span in block.inlines
                if isinstance(span, Span)
            )

    return asyncio.run(rendered())


def test_statements_carry_numbers_and_notes_stand_below() -> None:
    answer = make_answer(
        make_claim("Everyone has 25 days of leave.", {1: LEAVE}, lead=""),
        make_claim("Ask for it in the portal.", {2: PORTAL}),
    )

    text = mail(answer)

    body, _, notes = text.partition("\n\nNotes\n-----\n\n")
    assert body == "Everyone has 25 days of leave. [1] Ask for it in the portal. [2]"
    assert notes.startswith(f"[1] {LEAVE.title}")
    assert '"Leave is asked for in the portal, two weeks ahead."' in notes


def test_no_line_is_longer_than_the_width_but_a_word_that_is() -> None:
    long = "https://example.org/" + "x" * 80
    answer = make_answer(make_claim(f"{'many words ' * 20}{long} and more", lead=""))

    lines = mail(answer).split("\n")

    assert long in lines
    assert all(len(line) <= 72 for line in lines if line != long)


def test_items_and_quotations_keep_what_begins_their_lines() -> None:
    answer = make_answer(
        make_claim("word " * 20, {1: LEAVE}, lead="\n- "),
        make_claim("said " * 20, {1: LEAVE}, lead="\n> "),
    )

    item, quotation, *_ = mail(answer, width=40).split("\n\n")

    assert item.startswith("- word")
    assert all(line.startswith("  word") for line in item.split("\n")[1:3])
    assert all(line.startswith("> ") for line in quotation.split("\n"))


def test_code_and_tables_are_not_wrapped() -> None:
    code = "x = 1  # " + "a" * 90
    row = f"| {'b' * 90} | 7 |"
    answer = make_answer(
        make_claim(f"```python\n{code}\n```", {1: LEAVE}, kind=ClaimKind.CODE, lead=""),
        make_claim(row, {1: LEAVE}, kind=ClaimKind.TABLE, lead="\n"),
    )

    lines = mail(answer).split("\n")

    assert f"    {code}" in lines
    assert f"{row} [1]" in lines


def test_what_is_not_supported_says_so_but_for_answers_without_sources() -> None:
    claim = make_claim("Paris.", lead="")

    assert mail(make_answer(claim)) == "Paris. (unsupported)"
    free = make_answer(claim, outcome=Outcome.UNSOURCED, notice="Not from the documents.")
    assert mail(free) == "Not from the documents.\n\nParis."


def test_flowed_lines_go_on_and_nothing_is_taken_for_a_quotation() -> None:
    answer = make_answer(
        make_claim("From here on " * 12, {1: LEAVE}, lead=""),
        make_claim("> is greater", {1: LEAVE}, lead="\n\n"),
    )

    first, second, *_ = mail(answer, flowed=True, quotes=False).split("\n\n")

    assert all(line.endswith(" ") and len(line) <= 73 for line in first.split("\n")[:-1])
    assert first.startswith(" From here")
    assert second.startswith(" > is greater")


def test_it_is_a_mail_that_the_standard_library_sends() -> None:
    text = mail(make_answer(make_claim("Everyone has 25 days.", {1: LEAVE}, lead="")))

    message = EmailMessage(policy=SMTP)
    message.set_content(text)

    assert message.get_content_type() == "text/plain"
    assert message.get_content().rstrip("\n").replace("\r\n", "\n") == text
