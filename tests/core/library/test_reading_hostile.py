"""Bad files are refused in under 10 seconds and 512 MB, and cost only themselves."""

import io
import random
import resource
import struct
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import docx
import openpyxl
import pptx
import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from citewell import DocumentError, RawDocument
from citewell.engine.registry import Registry
from citewell.library.reading import Reader

MEGABYTE = 1024 * 1024
LOADERS = {suffix: spec for spec in Registry.load().loaders.values() for suffix in spec.suffixes}
ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol" * 10}">' for n in range(10))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE lolz [{ENTITIES}]>'
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'
)


class Watch(Thread):
    """Records the largest memory that any reading process has had."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self.finished = Event()

    def run(self):
        while not self.finished.wait(0.01):
            self.look()

    def look(self):
        for pid in self.children():
            # A process or a thread may end between two looks.
            with suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_text()
                status = Path(f"/proc/{pid}/status").read_text()
                peaks = [line for line in status.splitlines() if line.startswith("VmHWM")]
                if peaks and "reading_child" in command:
                    self.peak_mb = max(self.peak_mb, int(peaks[0].split()[1]) / 1024)

    def children(self):
        for listed in Path("/proc/self/task").glob("*/children"):
            with suppress(OSError):
                yield from listed.read_text().split()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.look()
        self.finished.set()
        self.join()


def office(suffix):
    """Return an innocent file as bytes."""
    held = io.BytesIO()
    if suffix == ".docx":
        docx.Document().save(held)
    elif suffix == ".xlsx":
        openpyxl.Workbook().save(held)
    else:
        deck = pptx.Presentation()
        deck.slides.add_slide(deck.slide_layouts[0])
        deck.save(held)
    return held.getvalue()


MAIN = {
    ".docx": "word/document.xml",
    ".xlsx": "xl/worksheets/sheet1.xml",
    ".pptx": "ppt/slides/slide1.xml",
}


def repacked(suffix, change, extra=None):
    """Return an innocent file in which the main entry is `change(entry)`."""
    held = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(office(suffix))) as old,
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name == MAIN[suffix] else data)
        if extra:
            new.writestr(extra, "x")
    return held.getvalue()


def bomb(suffix):
    return repacked(suffix, lambda data: data + b" " * 150 * MEGABYTE)


def lying_bomb(suffix):
    """A bomb whose directory says that it unpacks to 1,000 bytes."""
    packed = bytearray(bomb(suffix))
    entry = packed.rindex(b"PK\x01\x02", 0, packed.rindex(MAIN[suffix].encode()))
    packed[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    return bytes(packed)


def crowd(suffix):
    """Many entries that are each within the ratio and together far too much."""
    noise = random.Random(1).randbytes(20_000)
    held = io.BytesIO(office(suffix))
    with zipfile.ZipFile(held, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(300):
            archive.writestr(f"word/media/{number}.xml", noise + b" " * MEGABYTE)
    return held.getvalue()


def laughing(suffix):
    def laugh(data):
        body = data[data.index(b"?>") + 2 :] if data.startswith(b"<?xml") else data
        root_end = body.index(b">") + 1
        return LAUGHS.encode() + body[:root_end] + b"&e9;" + body[root_end:]

    return repacked(suffix, laugh)


def sheet(dimension, rows):
    return repacked(".xlsx", lambda _: SHEET.format(dimension=dimension, rows=rows).encode())


def pdf(**options):
    held = io.BytesIO()
    canvas = Canvas(held, invariant=True, **options)
    canvas.drawString(72, 720, "secret")
    canvas.save()
    return held.getvalue()


def pdf_bomb():
    import zlib

    packed = zlib.compress(zlib.compress(b"0 0 m " * 100_000_000, 1), 9)
    head = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    head += b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    head += b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\n"
    head += b"4 0 obj<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n" % len(packed)
    return head + packed + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"


def noise(size):
    return random.Random(1).randbytes(size)


REFUSED = {
    "empty.md": (lambda: b"", "empty"),
    "empty.pdf": (lambda: b"", "empty"),
    "png.pdf": (lambda: b"\x89PNG\r\n\x1a\n" + noise(1000), "not a PDF"),
    "text.docx": (lambda: b"Hello, world. " * 100, "not a zip"),
    "pdf.md": (pdf, "is a PDF"),
    "docx.txt": (lambda: office(".docx"), "zip"),
    "old.docx": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise(5000),
        "encrypted or in the old",
    ),
    "cut.pdf": (lambda: pdf()[:120], "damaged"),
    "noise.pdf": (lambda: b"%PDF-1.7\n" + noise(50_000), "damaged"),
    "encrypted.pdf": (lambda: pdf(encrypt=StandardEncryption("a", "b")), "encrypted"),
    "bomb.pdf": (pdf_bomb, ""),
    "cut.docx": (lambda: office(".docx")[:2000], "damaged"),
    "bomb.docx": (lambda: bomb(".docx"), "decompression bomb"),
    "bomb.xlsx": (lambda: bomb(".xlsx"), "decompression bomb"),
    "bomb.pptx": (lambda: bomb(".pptx"), "decompression bomb"),
    "lying.docx": (lambda: lying_bomb(".docx"), ""),
    "lying.xlsx": (lambda: lying_bomb(".xlsx"), ""),
    "crowd.docx": (lambda: crowd(".docx"), "unpacks to"),
    "laughs.docx": (lambda: laughing(".docx"), ""),
    "laughs.pptx": (lambda: laughing(".pptx"), ""),
    "laughs.xlsx": (lambda: laughing(".xlsx"), ""),
    "outside.docx": (
        lambda: repacked(".docx", lambda data: data, "../../etc/passwd"),
        "outside the archive",
    ),
    "absolute.xlsx": (
        lambda: repacked(".xlsx", lambda data: data, "/etc/passwd"),
        "outside the archive",
    ),
    "cells.xlsx": (
        lambda: sheet("A1:XFD1048576", '<row r="{}"><c r="XFD{}"><v>1</v></c></row>' * 600_000),
        "",
    ),
    "binary.txt": (lambda: noise(20 * MEGABYTE), "binary"),
    "zeros.csv": (lambda: b"\0" * 20 * MEGABYTE, "binary"),
    "damaged.txt": (lambda: "Größe und Maß. ".encode() * 50 + b"\xff\xfe\xfd", "UTF-8"),
    "undecidable.md": (lambda: b"some text " * 20 + bytes(range(128, 256)) * 4, "encoding"),
    "deep.html": (lambda: b"<div>" * 1_000_000 + b"x", "nested too deeply"),
    "many.html": (lambda: b"<p>a</p>" * 6_000_000, "MB of memory"),
}

# What is only strange may be read; it must not take more time or memory.
STRANGE = {
    "quotes.md": lambda: b"> " * 200_000 + b"x",
    "list.md": lambda: b"".join(b"  " * depth + b"- x\n" for depth in range(2000)),
    "heading.md": lambda: b"# " + b"[" * 50_000 + b"*a_" * 20_000,
    "fences.md": lambda: b"```\n" * 100_000,
    "line.md": lambda: b"word " * 8_000_000,
    "bars.md": lambda: b"|" * 500_000 + b"\n" + b"|-" * 500_000 + b"|\n",
    "list.rst": lambda: b"".join(b" " * depth + b"- x\n\n" for depth in range(2000)),
    "line.rst": lambda: b"word " * 2_000_000,
    "quote.csv": lambda: b'a,"' + b"b,c\n" * 5_000_000,
    "commas.csv": lambda: b"," * 20_000_000,
    "markup.html": lambda: b"<a<b<c " * 3_000_000,
    "tables.html": lambda: b"<table><tr><td>" * 600 + b"x",
    "emoji.txt": lambda: "\U0001f600".encode() * 10_000_000,
    "far.xlsx": lambda: sheet(
        "A1:XFD1048576", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    ),
    "pages.pdf": lambda: pdf_pages(100),
}


def pdf_pages(count):
    held = io.BytesIO()
    canvas = Canvas(held, invariant=True)
    for number in range(count):
        for line in range(45):
            canvas.drawString(72, 800 - line * 16, f"Page {number}, line {line}: words " * 2)
        canvas.showPage()
    canvas.save()
    return held.getvalue()


async def read(path, **limits):
    spec = LOADERS[path.suffix]
    async with Reader(processes=1) as reader:
        raw = RawDocument(id=path.name, path=path)
        return await reader.read(raw, spec, spec.config(), **limits)


@pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc")
@pytest.mark.parametrize("name", REFUSED)
async def test_bad_file_is_refused_in_time_and_memory(name, tmp_path):
    make, reason = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(make())

    computed = children_seconds()
    with Watch() as watch, pytest.raises(DocumentError) as refused:
        await read(path)

    seconds = children_seconds() - computed
    print(f"{name}: {seconds:.1f} s, {watch.peak_mb:.0f} MB: {refused.value}")
    assert seconds < 10
    assert watch.peak_mb < 512
    assert reason in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc")
@pytest.mark.parametrize("name", STRANGE)
async def test_strange_file_takes_no_more_than_its_share(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(STRANGE[name]())
    outcome = ""
    computed = children_seconds()

    with Watch() as watch:
        try:
            outcome = f"read {len((await read(path)).text)} characters"
        except DocumentError as error:
            outcome = str(error)

    seconds = children_seconds() - computed
    print(f"{name}: {seconds:.1f} s, {watch.peak_mb:.0f} MB: {outcome}")
    assert seconds < 10
    assert watch.peak_mb < 512


def children_seconds():
    """Return what children that ended have computed, however busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def test_gigabyte_is_refused_unread(tmp_path):
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(1024 * MEGABYTE)

    with pytest.raises(DocumentError, match=r"1024\.0 MB, more than the 50 MB"):
        await read(path)
