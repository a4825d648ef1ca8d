"""A site from the first sync to an answer, as a user runs it."""

import json
import re

from commands import Machine
from websites import website

SETTINGS = """
[library.site]
use = "web"
urls = ["{url}"]
allow_private = ["127.0.0.1"]
requests_per_s = 1000
labels = {{ "127.0.0.1:*/hr/**" = ["people-team"], "**" = ["everyone"] }}

[retriever.main]
use = "lexical"

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "quotes"
"""
LEAVE = '<h1 id="leave">Leave</h1><p>Every employee has 28 days of leave a year.</p>'
PAY = "<h1>Pay</h1><p>The director earns 90000 euros a year.</p>"


def test_pages_are_read_cited_by_address_labelled_by_address_and_forgotten(tmp_path):
    machine = Machine(tmp_path)
    with website() as site:
        site.link("/", "leave/", "hr/pay")
        site.put("/leave/", LEAVE)
        site.put("/hr/pay", PAY)
        (machine.work / "citewell.toml").write_text(SETTINGS.format(url=site.url))

        first = machine.citewell("sync")
        second = machine.citewell("sync")
        leave = machine.citewell("ask", "--json", "How many days of leave does an employee have?")
        pay = machine.citewell("ask", "--json", "What does the director earn a year?")
        del site.pages["/leave/"]
        site.link("/", "leave/", "hr/pay", "new.pdf")
        site.put("/new.pdf", b"no PDF", "application/pdf")
        third = machine.citewell("sync")

    assert re.fullmatch(r"3 added \(\d+\.\d s\)\n", first.stdout)
    assert re.fullmatch(r"3 unchanged \(\d+\.\d s\)\n", second.stdout)
    cited = json.loads(leave.stdout)["sources"][0]["citations"][0]
    assert cited["quote"] == "Every employee has 28 days of leave a year."
    assert (cited["uri"], cited["place"]["anchor"]) == (f"{site.url}leave/", "leave")
    assert "90000" not in pay.stdout
    assert re.match(r"1 updated, 1 removed, 1 unchanged ", third.stdout)
    assert "site:127.0.0.1:" in third.stdout
    assert (first.stderr, second.stderr, third.stderr) == ("", "", "")
    assert machine.attempts.read_text() == ""
