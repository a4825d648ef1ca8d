"""Converters and splitters of Haystack as loaders, with the places that they keep and no others."""

import json
from pathlib import Path

import docx
import pptx
import pytest
from docx.oxml import OxmlElement
from pptx.util import Inches

import commands
from citewell import DocumentError, Place, PluginError, RawDocument
from citewell.engine.settings import load_settings
from citewell.library.plans import loadings
from citewell.testing import LoaderContract
from citewell.testing.opening import opened

CONVERTERS = "haystack.components.converters"
SPLITTERS = "haystack.components.preprocessors"
TEXT = f"{CONVERTERS}.txt.TextFileToDocument"


class TestText(LoaderContract):
    name = "haystack"
    config = {"converter": TEXT, "suffixes": [".json"], "lines": True}
    quotes = {"The door was opened": Place(line=2)}


class TestTextInPieces(LoaderContract):
    name = "haystack"
    config = {
        "converter": TEXT,
        "suffixes": [".json"],
        "lines": True,
        "splitter": f"{SPLITTERS}.DocumentSplitter",
        "splitter_parameters": {"split_by": "line", "split_length": 1},
    }
    quotes = {"The door was opened": Place(line=2)}


class TestHeadings(LoaderContract):
    name = "haystack"
    config = {
        "converter": TEXT,
        "suffixes": [".json"],
        "lines": True,
        "splitter": f"{SPLITTERS}.MarkdownHeaderSplitter",
        "splitter_parameters": {"keep_headers": True},
    }
    quotes = {"28 days": Place(line=5, headings=("Work", "Leave"))}

    def samples(self, folder):
        sample = folder / "sample.json"
        sample.write_text("# Work\n\n## Leave\n\nEveryone has 28 days.\n", encoding="utf-8")
        return (sample,)


class TestJson(LoaderContract):
    name = "haystack"
    config = {
        "converter": f"{CONVERTERS}.json.JSONConverter",
        "parameters": {"content_key": "text"},
        "suffixes": [".json"],
    }

    def samples(self, folder):
        sample = folder / "sample.json"
        sample.write_text(json.dumps({"text": "Everyone has 28 days of leave."}), encoding="utf-8")
        return (sample,)


class TestSlides(LoaderContract):
    name = "haystack"
    config = {
        "converter": f"{CONVERTERS}.pptx.PPTXToDocument",
        "suffixes": [".pptx"],
        "form_feeds": "slide",
    }
    quotes = {"Thirty days of notice": Place(slide=2)}

    def samples(self, folder):
        deck = pptx.Presentation()
        for text in ("Twenty-eight days of leave", "Thirty days of notice"):
            slide = deck.slides.add_slide(deck.slide_layouts[6])
            box = slide.shapes.add_textbox(Inches(1), Inches(1), Inches(5), Inches(1))
            box.text_frame.text = text
        deck.save(folder / "sample.pptx")
        return (folder / "sample.pptx",)

    @property
    def spec(self):
        return _with_suffix(super().spec, ".pptx")


class TestWord(LoaderContract):
    name = "haystack"
    config = {"converter": f"{CONVERTERS}.docx.DOCXToDocument", "suffixes": [".docx"]}
    quotes = {"second page": Place(page=2)}

    def samples(self, folder):
        document = docx.Document()
        document.add_paragraph("Everyone has 28 days of leave.")
        # What Word notes when it lays a document out; a break that somebody typed is no page here.
        broken = document.add_paragraph().add_run()
        broken._r.append(OxmlElement("w:lastRenderedPageBreak"))
        broken.add_text("This is on the second page.")
        document.save(folder / "sample.docx")
        return (folder / "sample.docx",)

    @property
    def spec(self):
        return _with_suffix(super().spec, ".docx")


def _with_suffix(spec, suffix):
    """Return the spec as the contract uses it: it takes the first suffix for its broken files."""
    from msgspec.structs import replace

    return replace(spec, suffixes=(suffix,))


async def load(folder, content, **config):
    path = folder / "sample.txt"
    path.write_text(content, encoding="utf-8")
    settings = {"converter": TEXT, "suffixes": [".txt"]} | config
    async with opened("loader", "haystack", settings, folder) as loader:
        return loader.load(RawDocument(id="sample.txt", path=path))


async def test_no_place_is_made_up(tmp_path):
    document = await load(tmp_path, "one\ntwo\n")

    assert [placed.place for placed in document.places] == [Place()]


async def test_pieces_become_parts_without_a_gap(tmp_path):
    text = "One sentence. Another one.\n\nA last one."
    document = await load(
        tmp_path,
        text,
        splitter=f"{SPLITTERS}.DocumentSplitter",
        splitter_parameters={"split_by": "period", "split_length": 1},
    )

    assert "".join(document.text[part.start : part.end] for part in document.parts) == text


async def test_pieces_that_overlap_are_refused(tmp_path):
    with pytest.raises(DocumentError, match="set split_overlap = 0"):
        await load(
            tmp_path,
            "one two three four five six",
            splitter=f"{SPLITTERS}.DocumentSplitter",
            splitter_parameters={"split_by": "word", "split_length": 3, "split_overlap": 1},
        )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"converter": "os.path.PurePath"}, "is no class of haystack.components.converters"),
        (
            {
                "converter": f"{CONVERTERS}.OutputAdapter",
                "parameters": {"template": "{{ 1 }}", "output_type": "str", "unsafe": True},
            },
            "takes no sources",
        ),
        ({"parameters": {"colour": "red"}}, "cannot be made"),
        ({"converter": f"{CONVERTERS}.json.JSONConverter"}, "cannot be made"),
        ({"splitter": f"{CONVERTERS}.txt.TextFileToDocument"}, "is no class of haystack.comp"),
        ({"splitter": f"{SPLITTERS}.TextCleaner"}, "takes no documents"),
    ],
)
async def test_a_component_that_will_not_do_is_said_in_a_line(settings, said, tmp_path):
    with pytest.raises(PluginError, match=said) as raised:
        await load(tmp_path, "text", **settings)

    assert "\n" not in str(raised.value)


CONFIG = f"""
[library.docs]
use = "files"
path = "handbook"

[loader.notes]
use = "haystack"
converter = "{TEXT}"
suffixes = [".note", ".md"]
lines = true
"""


def test_a_section_takes_its_suffixes_and_the_others_stay(tmp_path):
    config = tmp_path / "citewell.toml"
    config.write_text(CONFIG, encoding="utf-8")

    found = loadings(load_settings(config).loaders)

    assert found[".note"].spec.name == found[".md"].spec.name == "haystack"
    assert found[".pdf"].spec.name == "pdf"
    assert ".msg" not in found


def test_a_file_of_a_new_kind_is_cited_with_its_line(tmp_path):
    machine = commands.Machine(tmp_path)
    (machine.work / "citewell.toml").write_text(CONFIG, encoding="utf-8")
    note = "Notes of the night.\n\nThe backup server restarted after a power cut.\n"
    Path(machine.handbook / "night.note").write_text(note, encoding="utf-8")

    synced = machine.citewell("sync")
    asked = machine.citewell("ask", "Why did the backup server restart?")

    assert synced.returncode == 0, synced.stderr
    assert "after a power cut" in asked.stdout
    assert "night.note" in asked.stdout
    assert "line 3" in asked.stdout
    assert machine.attempts.read_text(encoding="utf-8") == ""
