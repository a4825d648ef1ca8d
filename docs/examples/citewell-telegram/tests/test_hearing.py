"""Where a message stands, and where its answer goes."""

from __future__ import annotations

from telegram import Message

from citewell.chat import Venue
from citewell_telegram.hearing import Hearing


def message(kind: str, **fields: object) -> Message:
    """Return a message as the Bot API describes one."""
    told = {
        "message_id": 7,
        "date": 1_700_000_000,
        "chat": {"id": 501 if kind == "private" else -100, "type": kind},
        "from": {"id": 501, "is_bot": False, "first_name": "Ada"},
        "text": "Good morning.",
    }
    return Message.de_json({**told, **fields}, None)


def test_a_topic_of_a_forum_is_a_thread() -> None:
    hearing = Hearing("telegram")

    topic = hearing.venue(message("supergroup", message_thread_id=5, is_topic_message=True))
    replied = hearing.venue(message("supergroup", message_thread_id=5))

    assert topic == Venue(platform="telegram", channel="-100", thread="5")
    assert replied == Venue(platform="telegram", channel="-100")


def test_the_answer_goes_to_the_message_that_asked() -> None:
    address = Hearing("telegram").address(message("supergroup"), 501)

    assert address.data == {"message": "7", "asker": "501"}


def test_a_private_chat_is_a_direct_conversation() -> None:
    address = Hearing("telegram").address(message("private"), 501)

    assert address.venue.channel == "501"
    assert address.data["direct"] == "1"
