"""What a component says of an answer: in plain words to people, in full to the operator."""

import logging

import pytest

from desks import SETTINGS, asked, working

PLAIN = "search by meaning is off at the moment; only words were looked for"
HYBRID = (
    SETTINGS.replace('retriever = "main"', 'retriever = "both"')
    + """
[retriever.both]
use = "hybrid"
embedder = "words"

[embedder.words]
"""
)
FIRST = 'use = "scripted"\ndimension = 16\nseed = 1'
OTHER = 'use = "scripted"\ndimension = 16\nseed = 2'
ABSENT = 'use = "llamacpp"\npath = "secret-place/none.gguf"'


@pytest.mark.parametrize(
    ("embedder", "lack"),
    [
        (OTHER, "made by scripted 16 1, the settings name scripted 16 2; run: citewell reindex"),
        (ABSENT, "secret-place/none.gguf"),
    ],
)
async def test_people_read_plain_words_and_the_log_has_the_rest_once(
    tmp_path, caplog, embedder, lack
):
    async with working(tmp_path, settings=HYBRID + FIRST):
        pass
    caplog.clear()
    with caplog.at_level(logging.WARNING, "citewell"):
        async with working(tmp_path, settings=HYBRID + embedder) as at_work:
            await at_work.desk.accept(asked("1"))
            await at_work.desk.accept(asked("2", "When is a doctor's note due?"))
            await at_work.idle()

    shown = at_work.chat.messages()
    assert len(shown) == 2
    for message in shown:
        assert PLAIN in message.text
        for hidden in ("scripted", "citewell", "reindex", "secret-place", "embedder"):
            assert hidden not in message.text
    told = [one for one in caplog.messages if one.startswith("found by words alone: ")]
    assert len(told) == 1
    assert lack in told[0]
    for record in at_work.journal.recent(2):
        assert record.errors == (f"retriever both: {told[0]}",)
