"""Components that open slowly, never open, or fail to close cost themselves, and nobody else."""

import asyncio
import io
from contextlib import asynccontextmanager

import pytest

from assistants import Kept, answers, write_handbook
from citewell import Audience, Outcome
from citewell.cli.assisting import Conversation, Manner
from citewell.cli.indexing import bring_up
from citewell.cli.pipe import Pipe
from citewell.engine import serving as engine_serving
from citewell.engine.assistant import Assistant
from citewell.engine.serving import Serving
from citewell.engine.settings import load_settings
from citewell.engine.trust import Trust

PLUGIN = '''
import asyncio
from contextlib import asynccontextmanager
import citewell

class AwkwardConfig(citewell.Config):
    opening_s: float = 0
    closing_fails: bool = False
    shares: str = "own"

class Awkward:
    """Says a fixed sentence."""

    async def generate(self, prompt):
        yield citewell.Delta("Every employee has 28 days of paid leave a year [1].")
        yield citewell.Usage()

@asynccontextmanager
async def build(config, context):
    with (context.base_dir / "opened").open("a") as log:
        log.write(f"{context.name}\\n")
    await asyncio.sleep(config.opening_s)
    yield Awkward()
    if config.closing_fails:
        raise RuntimeError("boom while closing")

def memory(config, context):
    return {config.shares: 1_000_000_000, context.name: 1}

@citewell.hookimpl
def register_models():
    return [
        citewell.ModelSpec(
            name="awkward", summary="x", config=AwkwardConfig, build=build, memory=memory
        )
    ]
'''


def settings(*, one="", two="", profile='fallback = ["quotes"]', other="quotes"):
    """Return settings with two awkward models, the first of which answers by default."""
    return f"""
[plugins]
paths = ["awkward.py"]

[model.one]
use = "awkward"
{one}

[model.two]
use = "awkward"
{two}

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "one"
{profile}

[profile.other]
model = "{other}"
"""


@asynccontextmanager
async def serving(folder, monkeypatch, text, memory=10**12):
    """Yield what serves `text`, an assistant on it, its file and what is in there."""
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "home"))
    plugin = folder / "awkward.py"
    plugin.write_text(PLUGIN)
    Trust().add(plugin, plugin.read_bytes())
    config = write_handbook(folder, text)
    served = Serving(load_settings(config), lambda: load_settings(config), memory=lambda: memory)
    async with served.lease() as runtime:
        await bring_up(runtime)
    try:
        yield served, Assistant(served, Kept()), config, config.read_text()
    finally:
        await served.close()


def opened(folder):
    return (folder / "opened").read_text().split()


async def last(assistant, text="How many days of leave?", **changes):
    return (await answers(assistant, text, **changes))[-1]


async def until(is_so):
    while not is_so():  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0.05)


async def test_while_one_model_opens_the_others_answer(tmp_path, monkeypatch):
    text = settings(two="opening_s = 3600", other="two")
    async with serving(tmp_path, monkeypatch, text) as (_, assistant, _, _):
        await last(assistant)
        stuck = asyncio.create_task(last(assistant, profile="other"))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            answer = await last(assistant)
        stuck.cancel()
        await asyncio.gather(stuck, return_exceptions=True)

    assert answer.model == "one"


async def test_what_opens_too_slowly_goes_on_opening_and_the_fallback_answers(
    tmp_path, monkeypatch
):
    text = settings(one="opening_s = 1", profile='fallback = ["quotes"]\ntimeout_s = 0.3')
    async with serving(tmp_path, monkeypatch, text) as (_, assistant, _, _):
        early = await last(assistant)
        await asyncio.sleep(1.5)
        late = await last(assistant)

    assert (early.model, late.model) == ("quotes", "one")
    assert early.note == "answered by quotes, because one is being loaded"
    assert opened(tmp_path) == ["one"]


async def test_who_gives_up_waiting_stops_nobody_elses_opening(tmp_path, monkeypatch):
    text = settings(one="opening_s = 1")
    async with serving(tmp_path, monkeypatch, text) as (_, assistant, _, _):
        waiting = [asyncio.create_task(last(assistant)) for _ in range(3)]
        await asyncio.sleep(0.3)
        waiting[0].cancel()
        found = await asyncio.gather(*waiting, return_exceptions=True)

    assert isinstance(found[0], asyncio.CancelledError)
    assert [answer.model for answer in found[1:]] == ["one", "one"]
    assert opened(tmp_path) == ["one"]


async def test_during_a_swap_the_fallback_answers_until_the_new_model_is_open(
    tmp_path, monkeypatch
):
    text = settings(two="opening_s = 2")
    async with serving(tmp_path, monkeypatch, text, memory=0) as (served, assistant, config, whole):
        await last(assistant)
        config.write_text(whole.replace('model = "one"', 'model = "two"'))
        changing = asyncio.create_task(served.reload())
        await asyncio.sleep(0.5)
        async with asyncio.timeout(1):
            meanwhile = await last(assistant)
        change = await changing
        after = await last(assistant)

    assert change.applied
    assert (meanwhile.model, after.model) == ("quotes", "two")
    assert meanwhile.note == "answered by quotes, because two is being loaded"


@pytest.mark.parametrize("memory", [0, 10**12])
async def test_what_fails_while_it_closes_stops_no_later_change(tmp_path, monkeypatch, memory):
    monkeypatch.setattr(engine_serving, "_POLL_S", 0.05)
    text = settings(one="closing_fails = true")
    async with serving(tmp_path, monkeypatch, text, memory) as (served, assistant, config, whole):
        await last(assistant)
        watching = asyncio.create_task(served.watch())
        seen = []
        for name in ("two", "one"):
            config.write_text(whole.replace('model = "one"', f'model = "{name}"'))
            async with asyncio.timeout(5):
                await until(lambda now=name: served.settings.profiles["default"].model == now)
                # During a swap the fallback answers.
                while (answer := await last(assistant)).model == "quotes":  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.05)
            seen.append(answer.model)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    assert seen == ["two", "one"]


@pytest.mark.parametrize(("shares", "swapped"), [("base", False), ("own", True)])
async def test_what_models_share_is_counted_once(tmp_path, monkeypatch, shares, swapped):
    """Two models over one base fit where two bases do not."""
    text = settings(one=f'shares = "{shares}"', two='shares = "base"')
    async with serving(tmp_path, monkeypatch, text, memory=10) as (
        served,
        assistant,
        config,
        whole,
    ):
        await last(assistant)
        config.write_text(whole.replace('model = "one"', 'model = "two"'))
        async with served.lease():
            changing = asyncio.create_task(served.reload())
            done, _ = await asyncio.wait([changing], timeout=1)
        change = await changing

    assert change.applied, change.reason
    # A swap waits for the answers that are under way; opening beside what is open does not.
    assert bool(done) is not swapped


async def test_a_change_in_the_middle_of_a_turn_holds_nothing_up(tmp_path, monkeypatch):
    text = settings(profile="")
    async with serving(tmp_path, monkeypatch, text, memory=0) as (served, assistant, config, whole):
        await last(assistant)
        manner = Manner(audience=Audience.of("everyone"))
        talk = Conversation(served, served.settings, manner, Pipe(io.StringIO()))
        async with served.lease() as runtime:
            formatter = runtime.formatter

            async def slow(name):
                await asyncio.sleep(0.3)
                return await formatter(name)

            runtime.formatter = slow
        asking = asyncio.create_task(talk.ask("How many days of leave?"))
        await asyncio.sleep(0.1)
        config.write_text(whole.replace('model = "one"', 'model = "two"'))
        async with asyncio.timeout(10):
            change = await served.reload()
            answer = await asking

    assert change.applied
    assert (answer.model, answer.outcome) == ("one", Outcome.ANSWERED)
