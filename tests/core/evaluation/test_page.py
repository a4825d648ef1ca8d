"""The page of a report, in a real browser: everything is there, and nothing in it runs."""

import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from citewell import Audience
from citewell.cli.indexing import bring_up
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.evaluation.agreement import Agreement
from citewell.evaluation.answers import open_answers
from citewell.evaluation.asking import Terms
from citewell.evaluation.page import html
from citewell.evaluation.session import Wanted, evaluate
from citewell.types.evaluation import EvalItem
from islands import items, write_project

HOSTILE = (
    "\"'><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<a href=javascript:alert(1)>click</a></svg></style><iframe src=//example.org></iframe>"
)


@pytest.fixture(scope="session")
def chromium():
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    return path


@pytest.fixture
async def report(tmp_path):
    settings = load_settings(write_project(tmp_path))
    hostile = EvalItem(
        id=HOSTILE, question=f"How many? {HOSTILE}", answers=(HOSTILE,), slices=(HOSTILE,)
    )
    async with open_runtime(settings) as runtime:
        await bring_up(runtime)
        with open_answers(tmp_path / "answers.sqlite") as answers:
            wanted = Wanted(
                items=[*items(), hostile],
                terms=Terms(audience=Audience.of("everyone")),
                warnings=(HOSTILE,),
            )
            found = (await evaluate(runtime, answers, wanted, lambda _: None)).report
    first, *others = found.arms
    return replace(
        found,
        arms=(replace(first, given_up=HOSTILE), *others),
        agreement=(Agreement(score=HOSTILE, labels=1, share=1.0, reason=HOSTILE),),
    )


class Elements(HTMLParser):
    """What a page has: its elements, their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.names, self.attributes, self.text = set(), set(), ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


def test_a_browser_shows_all_of_it_and_runs_nothing(report, chromium, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(html(report), encoding="utf-8")
    options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'b'}")

    done = subprocess.run(
        [chromium, *options, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    shown = Elements(done.stdout)
    assert "<title>Evaluation</title>" in done.stdout
    assert not shown.names & {"script", "img", "iframe", "a", "link", "object", "form"}
    assert not {name for name in shown.attributes if name.startswith("on")} - {"on"}
    assert shown.attributes.isdisjoint({"href", "src", "action"})
    for arm in ("base", "tuned", "rag", "both"):
        assert arm in shown.text
    assert "document.title='owned'" in shown.text, "what is hostile is shown as it is"
    for trade_off in report.trade_offs:
        assert trade_off.name in shown.text


def test_a_browser_draws_it(report, chromium, tmp_path):
    page, picture = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text(html(report), encoding="utf-8")
    options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'b'}")

    subprocess.run(
        [chromium, *options, "--window-size=900,1200", f"--screenshot={picture}", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )

    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 20_000, "the page is drawn empty"
