"""Scans are read where that is asked for, on this machine and with nothing downloaded."""

import sys

import pytest
from PIL import Image, ImageDraw, ImageFont
from pydantic import ValidationError

from citewell import MissingExtra, RawDocument
from citewell.library.reading import Reader
from citewell.testing.opening import context_for, find, opened
from citewell_pdf.plugin import PdfConfig, build_pdf

LINES = (
    "Every employee has 28 days of paid leave a year.",
    "Unused days expire on 31 March of the next year.",
)
ROWS = (("Region", "Net sales", "Costs"), ("North", "38,410", "7,120"), ("South", "9,875", "6,540"))


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """Return a PDF of one page that is a picture: two lines, and a table below them."""
    page = Image.new("RGB", (1240, 1754), "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=34)
    for number, line in enumerate(LINES):
        draw.text((100, 200 + 56 * number), line, font=font, fill="black")
    for number, row in enumerate(ROWS):
        for left, cell in zip((100, 500, 900), row, strict=True):
            draw.text((left, 500 + 56 * number), cell, font=font, fill="black")
    path = tmp_path_factory.mktemp("scan") / "scan.pdf"
    page.save(path, resolution=150)
    return RawDocument(id="scan.pdf", path=path)


async def test_a_scan_is_read_with_its_lines_and_rows(scan, tmp_path):
    async with opened("loader", "pdf", {"ocr": True}, tmp_path) as loader:
        document = loader.load(scan)

    for line in LINES:
        assert line in document.text
    assert "North | 38,410 | 7,120" in document.text
    assert document.place_at(0).page == 1


async def test_a_scan_is_read_in_a_process_of_its_own(scan, tmp_path):
    spec = find("loader", "pdf")
    async with Reader(processes=1, data_dir=tmp_path, base_dir=tmp_path) as reader:
        document = await reader.read(scan, spec, PdfConfig(ocr=True), max_seconds=120)

    assert LINES[0] in document.text


async def test_without_the_extra_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr", None)

    with pytest.raises(MissingExtra, match=r'"citewell\[ocr\]"'):
        async with build_pdf(PdfConfig(ocr=True), context_for("loader", "pdf", tmp_path)):
            pass


def test_ocr_is_said_as_yes_or_no():
    with pytest.raises(ValidationError):
        PdfConfig(ocr="perhaps")
