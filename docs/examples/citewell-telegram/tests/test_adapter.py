"""What the adapter does beyond its contract."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar, cast

import pytest

from citewell import AdapterError, Context, DeliveryError
from citewell.blocks import Block, Span, Text
from citewell.chat import Adapter, Address, Attachment, Host, Rehearsal, Venue
from citewell_telegram.drafts import Draft, Drafts
from citewell_telegram.plugin import TelegramConfig, build, rehearsal

T = TypeVar("T")


def in_telegram(
    folder: Path, play: Callable[[Rehearsal, Adapter], Awaitable[T]], **settings: object
) -> T:
    """Return what `play` makes of a stand-in and an adapter that speaks to it."""

    async def run() -> T:
        async with rehearsal() as chat:
            config = TelegramConfig.model_validate({**chat.settings, **settings})
            log = logging.getLogger("citewell.adapter.telegram")
            context = Context(name="telegram", log=log, data_dir=folder, base_dir=folder)
            async with build(config, context) as adapter:
                return await play(chat, adapter)

    return asyncio.run(run())


def at(channel: str, **data: str) -> Address:
    return Address(venue=Venue(platform="telegram", channel=channel), data=data)


def saying(text: str) -> list[Block]:
    return [Text((Span(text),))]


def test_a_wrong_token_is_told(tmp_path: Path) -> None:
    async def serve(_chat: Rehearsal, adapter: Adapter) -> None:
        # It is refused before anything is handed over.
        await adapter.serve(cast("Host", None))

    with pytest.raises(AdapterError, match="knows no such bot"):
        in_telegram(tmp_path, serve, token="42:another")


def test_members_whom_nobody_met_count_as_readers_of_no_group(tmp_path: Path) -> None:
    async def read(chat: Rehearsal, adapter: Adapter) -> list[frozenset[frozenset[str]]]:
        asker, other = chat.person("a", groups=["7"]), chat.person("b", groups=["7"])
        alone, both = chat.channel("alone", [asker]), chat.channel("both", [asker, other])
        return [await adapter.readers(at(one, asker=asker), {"7", "8"}) for one in (alone, both)]

    alone, both = in_telegram(tmp_path, read)

    assert alone == {frozenset({"7"})}
    assert both == {frozenset({"7"}), frozenset()}


def test_a_reply_of_before_a_crash_is_changed_and_grows_no_more(tmp_path: Path) -> None:
    async def answer(chat: Rehearsal, adapter: Adapter) -> list[tuple[str, bool]]:
        person = chat.person("a")
        before = await adapter.open_reply(at(person), "key")
        await before.show([saying("Every")], complete=False)
        after = await adapter.find_reply(at(person), "key", ())
        assert after is not None
        await after.show([saying("Every day.")], complete=True)
        return [(one.text, one.is_growing) for one in chat.seen(person)]

    assert in_telegram(tmp_path, answer) == [("Every day.", False)]


def test_a_message_that_may_stand_there_unknown_is_told(tmp_path: Path) -> None:
    Drafts(tmp_path / "drafts").keep("key", Draft(is_posting=True))

    async def find(chat: Rehearsal, adapter: Adapter) -> tuple[object, object]:
        place = at(chat.person("a"))
        return (
            await adapter.find_reply(place, "key", ()),
            await adapter.find_reply(place, "key", ()),
        )

    first, second = in_telegram(tmp_path, find)

    assert first is None
    assert second is not None


def test_an_answer_that_is_cancelled_while_it_is_posted_is_found(tmp_path: Path) -> None:
    async def answer(chat: Rehearsal, adapter: Adapter) -> tuple[int, int]:
        person = chat.person("a")
        reply = await adapter.open_reply(at(person), "key")
        showing = asyncio.create_task(reply.show([saying("Every day.")], complete=False))
        await asyncio.sleep(0)
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
        found = await adapter.find_reply(at(person), "key", ())
        assert found is not None
        return len(found.posted), len(chat.seen(person))

    posted, seen = in_telegram(tmp_path, answer)

    assert posted == seen


def test_a_message_goes_when_it_is_too_much(tmp_path: Path) -> None:
    async def answer(chat: Rehearsal, adapter: Adapter) -> list[str]:
        person = chat.person("a")
        reply = await adapter.open_reply(at(person), "key")
        await reply.show([saying("one"), saying("two")], complete=True)
        await reply.show([saying("one")], complete=True)
        return [one.text for one in chat.seen(person)]

    assert in_telegram(tmp_path, answer) == ["one"]


@pytest.mark.parametrize(("status", "passes"), [(429, True), (503, True), (403, False)])
def test_what_is_refused_says_whether_it_passes(tmp_path: Path, status: int, passes: bool) -> None:
    async def answer(chat: Rehearsal, adapter: Adapter) -> None:
        chat.fail(1, status=status, retry_after_s=2 if status == 429 else None)
        reply = await adapter.open_reply(at(chat.person("a")), "key")
        await reply.show([saying("one")], complete=True)

    with pytest.raises(DeliveryError) as raised:
        in_telegram(tmp_path, answer)

    assert raised.value.passes is passes
    assert raised.value.retry_after_s == (2 if status == 429 else 0)


def test_a_file_that_is_too_large_is_not_fetched(tmp_path: Path) -> None:
    async def fetch(_chat: Rehearsal, adapter: Adapter) -> None:
        await adapter.fetch(Attachment(name="big", ref="file0", size=11), max_bytes=10)

    with pytest.raises(DeliveryError, match="larger than 10 bytes"):
        in_telegram(tmp_path, fetch)
