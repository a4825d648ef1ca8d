"""The scripted model does what its settings say."""

import asyncio
from time import perf_counter

import pytest

from citewell import Delta, Generation, ModelError, Prompt, Usage
from citewell.testing import ModelContract, make_passages
from citewell.testing.scripted import ScriptedConfig
from citewell.testing.scripts import ATTACKS, ScriptedModel

PASSAGES = make_passages(
    "# Leave\n\nEvery employee has 28 days of leave. It is asked for in the portal.",
    "The office is closed on Sundays \U0001f98a.",
    "A third passage about nothing.",
)


class TestObedient(ModelContract):
    name = "scripted"


class TestOddPieces(ModelContract):
    name = "scripted"
    config = {"behaviour": "odd-pieces"}


class TestHostile(ModelContract):
    name = "scripted"
    config = {"behaviour": "hostile"}


class TestSlow(ModelContract):
    name = "scripted"
    config = {"behaviour": "slow", "delay_s": 0.001}


def prompt(**bounds):
    return Prompt(
        instructions="",
        question="How many days?",
        refusal="The documents do not say.",
        passages=PASSAGES,
        generation=Generation(**bounds),
    )


def generated(asked=None, **config):
    async def collect():
        model = ScriptedModel(ScriptedConfig(**config))
        return [item async for item in model.generate(asked or prompt())]

    items = asyncio.run(collect())
    deltas = [item.text for item in items if isinstance(item, Delta)]
    return deltas, items[-1]


def test_obedient_cites_the_first_sentences():
    deltas, usage = generated()

    assert "".join(deltas) == (
        "Every employee has 28 days of leave [1]. The office is closed on Sundays \U0001f98a [2]."
    )
    assert usage.finish == "stop"
    assert usage.output_tokens == 16


def test_a_script_is_said_line_by_line():
    deltas, _ = generated(script=["One [1].", "", "Two."])

    assert "".join(deltas) == "One [1].\n\nTwo."


def test_failing_stops_after_the_pieces_it_was_told():
    model = ScriptedModel(ScriptedConfig(behaviour="failing", pieces=2))
    seen = []

    async def collect():
        async for item in model.generate(prompt()):
            seen.append(item)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(ModelError, match="told to fail"):
        asyncio.run(collect())
    assert seen == [Delta("Every"), Delta(" employee")]


def test_slow_waits_before_each_piece():
    since = perf_counter()

    deltas, _ = generated(behaviour="slow", delay_s=0.01, script=["a b c d e"])

    assert len(deltas) == 5
    assert perf_counter() - since >= 0.05


def test_odd_pieces_cut_through_marks_and_characters_and_lose_nothing():
    seen = set()
    for seed in range(60):
        deltas, _ = generated(behaviour="odd-pieces", seed=seed)
        seen.update(deltas)
        whole = "".join(deltas).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        assert whole == "".join(generated()[0])

    assert "" in seen
    assert any(piece.endswith("[") for piece in seen)
    assert any("\ud800" <= piece[-1:] <= "\udbff" for piece in seen)


def test_hostile_tries_everything_and_says_one_true_thing():
    text = "".join(generated(behaviour="hostile")[0])

    assert text.startswith("Every employee has 28 days of leave [1].")
    for trap in ["https://evil.example", "<!channel>", "\x1b]8", "\uff11", "[99999999999]", "```"]:
        assert trap in text
    assert len(ATTACKS) > 15


def test_hostile_is_another_one_with_each_seed():
    texts = {"".join(generated(behaviour="hostile", seed=seed)[0]) for seed in range(10)}

    assert len(texts) == 10


def test_bounds_are_kept():
    deltas, usage = generated(prompt(max_output_tokens=3))
    assert "".join(deltas) == "Every employee has"
    assert usage == Usage(input_tokens=31, output_tokens=3, finish="length")

    deltas, usage = generated(prompt(stop=("days", "leave")))
    assert "".join(deltas) == "Every employee has 28"
    assert usage.finish == "stop"
