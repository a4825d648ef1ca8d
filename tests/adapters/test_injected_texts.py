"""What injects instructions pings nobody, links nowhere and loads nothing."""

import json

import pytest

from hostility import library_of, perform
from readership import staged


@pytest.fixture(scope="module")
def texts(data_dir):
    (file,) = data_dir("injection_strings").glob("*.jsonl")
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["instruction"] for line in lines]


@pytest.fixture(scope="module", params=["slack", "discord"])
def opened(request, texts):
    with staged(request.param, library_of(texts)) as stage:
        yield stage


@pytest.mark.parametrize("way", ["quoted", "freely"])
def test_what_injects_instructions_does_nothing(opened, texts, way):
    assert len(texts) == 75

    perform(opened, texts, way)
