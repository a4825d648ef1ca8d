"""The report of a run needs no network and runs nothing, and shows what it is given as text."""

import re
from xml.etree import ElementTree as ET

import pytest

import tunings
from citewell.training import Stepped, Validated
from citewell.tuning.runs.comparing import compare
from citewell.tuning.runs.curves import HEIGHT, WIDTH, charts
from citewell.tuning.runs.events import Curve
from citewell.tuning.runs.page import html
from citewell.tuning.runs.saying import duration, money, size


def steps(*losses):
    return tuple(
        Stepped(step=at, loss=loss, learning_rate=0.1, tokens=at, seconds=1)
        for at, loss in enumerate(losses, 1)
    )


async def test_the_page_has_curves_figures_and_hashes(bench):
    run, recipe = bench.new(head='license = "mit"\nprice_per_hour = 2\ncurrency = "EUR"')
    (record,) = await bench.work((run, recipe))

    page = html(run, record)

    assert page.count("<svg") == 2
    assert "validation: the grey line" in page
    for shown in (
        record.inputs.train.sha256,
        record.inputs.base_sha256,
        record.recipe_sha256,
        record.made[0].sha256,
        "2.00 EUR",
        '<th class="number">logits</th>',
        "the adapter is of step 4",
    ):
        assert shown in page
    for drawing in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        ET.fromstring(drawing)


async def test_the_page_loads_and_runs_nothing(bench):
    run, recipe = bench.new()
    (record,) = await bench.work((run, recipe))

    page = html(run, record)

    assert "default-src 'none'" in page
    assert not re.search(r"<script|<link|<img|<iframe|url\(|@import|\bsrc=|\bhref=", page)


async def test_what_makes_a_run_doubtful_stands_on_the_page(bench):
    run, recipe = bench.new(trainer="lost_at = 2")
    tunings.write(bench.folder / "train.jsonl", [*map(tunings.chat, range(30)), tunings.chat(1)])

    (record,) = await bench.work((run, recipe))

    page = html(run, record)
    assert "attempt 1 of 3 was lost: the trainer was killed" in page
    assert "line 31: says what line 2 says" in page


async def test_what_it_is_given_stays_text(bench):
    run, recipe = bench.new(head="# </pre><script>alert(1)</script>", trainer="fails_at = 1")
    (record,) = await bench.work((run, recipe))

    assert "<script" not in html(run, record)
    assert "&lt;script&gt;" in html(run, record)


async def test_a_run_that_failed_early_has_a_page_too(bench):
    run, recipe = bench.new()
    (bench.folder / "train.jsonl").write_text("{\n")

    (record,) = await bench.work((run, recipe))

    page = html(run, record)
    assert "<svg" not in page
    assert "is no JSON" in page


@pytest.mark.parametrize(
    "losses",
    [(1.0,), (2.0, 2.0), (float("nan"), 1.0, float("inf")), tuple(range(5000))],
)
def test_every_point_is_inside_its_chart(losses):
    curve = Curve(steps=steps(*losses), validated=(Validated(step=1, loss=3.0),), total=9)

    for chart in charts(curve):
        for line in chart.lines:
            points = [tuple(map(float, one.split(","))) for one in line.points.split()]
            assert 0 < len(points) <= 400
            assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)


def test_without_steps_or_without_numbers_there_is_no_chart_of_them():
    assert charts(Curve()) == ()
    assert [one.title for one in charts(Curve(steps=steps(float("nan"))))] == ["Learning rate"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (3599.9, "1 h 0 min"),
     (7500, "2 h 5 min"), (180_000, "2 d 2 h")],
)  # fmt: skip
def test_durations_have_two_parts_at_most(seconds, said):
    assert duration(seconds) == said


def test_sizes_and_amounts_have_units():
    assert [size(one) for one in (7, 2048, 5.5 * 2**20, 3 * 2**40)] == [
        "7 bytes",
        "2.0 KiB",
        "5.5 MiB",
        "3072.0 GiB",
    ]
    assert [money(0.001, "EUR"), money(1234.5, None), money(0, "EUR")] == [
        "less than 0.01 EUR",
        "1,234.50",
        "0.00 EUR",
    ]


async def test_two_runs_beside_each_other_name_what_differs(bench):
    one, recipe = bench.new(trainer="steps = 2")
    await bench.work((one, recipe))
    other, recipe = bench.new(trainer="steps = 5", export='files = ["adapter", "Q8_0"]')
    await bench.work((other, recipe))

    found = compare(one, other)

    figures = {name: cells for name, *cells in found.figures}
    assert figures["final loss"] == ["2", "0.8"]
    assert figures["best validation loss"] == ["2.5", "1"]
    assert figures["size of Q8_0"][0] == "-"
    assert "cost" not in figures
    assert found.differences == (
        ("trainer.steps", "2", "5"),
        ("export.files", "-", "['adapter', 'Q8_0']"),
    )
