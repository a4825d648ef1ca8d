"""What makes an arm answer as it does: each part is noticed, and what shows alone is not."""

import os

import pytest

from citewell.engine.settings import load_settings
from citewell.evaluation.identity import FileHashes, identity

CONFIG = """
[library.docs]
use = "files"
path = "docs"

[embedder.words]
use = "scripted"

[retriever.main]
use = "hybrid"
embedder = "words"

[model.tuned]
use = "llamacpp"
path = "support.gguf"
lora = { support = "lora.gguf" }
chat_template = "chat.jinja"

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "tuned"
fallback = ["quotes"]
instructions = "Answer in two short paragraphs."
"""


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "docs").mkdir()
    for name in ("support.gguf", "lora.gguf", "chat.jinja"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    path = tmp_path / "citewell.toml"
    path.write_text(CONFIG)
    return path


def found(path, *, index="", files=None):
    settings = load_settings(path)
    return identity(settings, settings.profiles["default"], index, files or FileHashes())


@pytest.mark.parametrize("name", ["support.gguf", "lora.gguf", "chat.jinja"])
def test_one_byte_of_a_file_is_enough(settings, name):
    before = found(settings)
    path = settings.parent / name
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)

    assert found(settings).differs_from(before) == [f"model tuned: {name}"]


def test_a_file_of_the_same_content_and_another_time_is_the_same(settings):
    before = found(settings)
    os.utime(settings.parent / "support.gguf", (1, 1))

    assert found(settings) == before


def test_a_file_is_read_once_while_it_stays_as_it_is(settings, monkeypatch):
    files = FileHashes()
    before = found(settings, files=files)
    monkeypatch.setattr("citewell.evaluation.identity._content_hash", None)

    assert found(settings, files=files) == before


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ("two short paragraphs", "two brief paragraphs", ["profile"]),
        ('fallback = ["quotes"]', 'fallback = ["quotes"]\ntemperature = 0.1', ["profile"]),
        ('fallback = ["quotes"]', 'fallback = ["quotes"]\npassages = 3', ["profile"]),
        ('fallback = ["quotes"]', "", ["model quotes", "order of the models"]),
        ('use = "extractive"', 'use = "extractive"\nmax_sentences = 1', ["model quotes"]),
        ('embedder = "words"', 'embedder = "words"\nstemming = false', ["retriever main"]),
        ('[embedder.words]\nuse = "scripted"', '[embedder.words]\nuse = "scripted"\nseed = 2',
         ["embedder words"]),
        ('path = "docs"', 'path = "docs"\npassage_chars = 500', ["library docs"]),
    ],
)  # fmt: skip
def test_each_setting_that_decides_an_answer_is_noticed(settings, before, after, parts):
    first = found(settings)
    settings.write_text(CONFIG.replace(before, after))

    assert found(settings).differs_from(first) == parts


def test_which_model_comes_first_is_noticed(settings):
    first = found(settings)
    turned = CONFIG.replace(
        'model = "tuned"\nfallback = ["quotes"]', 'model = "quotes"\nfallback = ["tuned"]'
    )
    settings.write_text(turned)

    assert found(settings).differs_from(first) == ["order of the models"]


def test_two_files_of_one_name_are_two_parts(settings):
    for folder in ("base", "adapter"):
        (settings.parent / folder).mkdir()
        (settings.parent / folder / "model.gguf").write_bytes(folder.encode())
    text = CONFIG.replace('"support.gguf"', '"base/model.gguf"')
    settings.write_text(text.replace('"lora.gguf"', '"adapter/model.gguf"'))
    before = found(settings)

    (settings.parent / "base" / "model.gguf").write_bytes(b"another")

    assert len(found(settings).differs_from(before)) == 1


def test_what_a_file_held_before_it_was_written_is_not_what_it_holds_now(settings):
    loaded = load_settings(settings)
    (settings.parent / "support.gguf").write_bytes(b"another")
    now = load_settings(settings)
    files = FileHashes()

    before, after = (identity(one, one.profiles["default"], "", files) for one in (loaded, now))

    assert after.differs_from(before) == ["model tuned: support.gguf"]


def test_how_an_answer_is_shown_decides_nothing(settings):
    before = found(settings)
    settings.write_text(f'{CONFIG}formatter = "plain"\n')

    assert found(settings) == before


def test_the_documents_are_a_part_of_what_retrieves(settings):
    one, other = found(settings, index="1"), found(settings, index="2")

    assert one.retrieves
    assert one.differs_from(other) == ["documents"]
    assert one.key != other.key
    assert not found(settings).retrieves
