"""A file that is code is handed out as it was when it was trusted, or not at all."""

import pytest

from citewell import PluginError, UntrustedPlugin
from citewell.engine.trust import Trust


@pytest.fixture
def trust(tmp_path):
    return Trust(tmp_path / "home" / "trusted.json")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "query.yaml"
    path.write_text("components: {}\n", encoding="utf-8")
    return path


def test_what_nobody_trusted_is_not_handed_out(trust, file):
    with pytest.raises(UntrustedPlugin, match=f"{file} is not trusted yet; read it, then run: "):
        trust.content(file)


def test_what_was_trusted_is_handed_out(trust, file):
    trust.add(file, file.read_bytes())

    assert trust.content(file) == b"components: {}\n"


def test_what_changed_is_not_handed_out(trust, file):
    trust.add(file, file.read_bytes())
    file.write_text("components: {x: {type: os.system}}\n", encoding="utf-8")

    with pytest.raises(UntrustedPlugin, match="changed since it was trusted"):
        trust.content(file)


def test_trust_in_one_file_is_none_in_another_of_the_same_words(trust, file, tmp_path):
    trust.add(file, file.read_bytes())
    other = tmp_path / "other.yaml"
    other.write_bytes(file.read_bytes())

    with pytest.raises(UntrustedPlugin):
        trust.content(other)


def test_a_file_that_is_not_there_is_said(trust, tmp_path):
    with pytest.raises(PluginError, match="is not a file"):
        trust.content(tmp_path / "absent.yaml")
