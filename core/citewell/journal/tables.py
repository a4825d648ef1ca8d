"""The journal's tables, as the newest migration leaves them."""

from __future__ import annotations

import sqlalchemy as sa

HEAD = "0005"
"""The newest revision in `migrations/versions`; a test compares the two."""

metadata = sa.MetaData()

questions = sa.Table(
    "questions",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("asked_at", sa.String(40), nullable=False, index=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("asker", sa.Text, index=True),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("readers", sa.JSON, nullable=False),
    # Row of the inbox; where it was forgotten or taken back, nothing is kept of what is answered.
    sa.Column("event", sa.BigInteger, index=True),
    # The answer whose question was asked once more, and is kept there alone.
    sa.Column("again", sa.String(32), nullable=False, server_default=""),
)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("question_id", sa.ForeignKey("questions.id"), nullable=False, index=True),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("notice", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("model_identity", sa.Text, nullable=False),
    sa.Column("retriever", sa.Text, nullable=False),
    sa.Column("index_identity", sa.Text, nullable=False),
    sa.Column("prompt_hash", sa.String(64), nullable=False),
    sa.Column("claims", sa.JSON, nullable=False),
    sa.Column("passages", sa.JSON, nullable=False),
    sa.Column("seconds", sa.JSON, nullable=False),
    sa.Column("input_tokens", sa.Integer, nullable=False),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("cost", sa.Float),
    sa.Column("errors", sa.JSON, nullable=False),
    sa.Column("reused_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("notes", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("generation", sa.String(16), nullable=False, server_default=""),
    sa.Column("labels", sa.JSON, nullable=False, server_default="[]"),
    # The passages that what an answer continues was written from.
    sa.Column("history", sa.JSON, nullable=False, server_default="[]"),
    # What it says was deleted, and that it was given stays.
    sa.Column("is_wiped", sa.Boolean, nullable=False, server_default=sa.false()),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("spent", sa.BigInteger, nullable=False),
    sa.Column("reserved", sa.BigInteger, nullable=False),
)

charges = sa.Table(
    "charges",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.key"), primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("reserved", sa.BigInteger, nullable=False),
    sa.Column("settled", sa.BigInteger),
)

# SQLite counts up by itself only where the column is a plain INTEGER.
_Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("seq", _Serial, primary_key=True, autoincrement=True),
    sa.Column("platform", sa.String(40), nullable=False),
    sa.Column("team", sa.String(100), nullable=False),
    sa.Column("channel", sa.String(100), nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("conversation", sa.String(400), nullable=False),
    # Empty when who asked was forgotten.
    sa.Column("asker", sa.String(100), nullable=False),
    # Of a question, without its text and without `extra`; empty when it was deleted.
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("text", sa.Text),
    # Attachments, and what somebody else wrote.
    sa.Column("extra", sa.Text),
    sa.Column("of", sa.String(200)),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("changed_at", sa.Float, nullable=False),
    sa.Column("received_at", sa.Float, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
    sa.Column("is_withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("is_stopped", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("owner", sa.String(100)),
    sa.Column("lease_until", sa.Float),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    # Unlike `attempts` it only grows, so it tells every lease from every other.
    sa.Column("lease", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_before", sa.Float, nullable=False, server_default="0"),
    sa.Column("waiting_since", sa.Float, nullable=False, server_default="0"),
    sa.Column("turned_away", sa.String(16), nullable=False, server_default=""),
    sa.UniqueConstraint("platform", "team", "channel", "key", name="uq_inbox_event"),
    sa.Index("ix_inbox_conversation", "conversation", "kind", "seq"),
    sa.Index("ix_inbox_state", "state", "seq"),
    sa.Index("ix_inbox_of", "of"),
    sa.Index("ix_inbox_asker", "platform", "team", "asker", "received_at"),
    sa.Index("ix_inbox_channel", "platform", "team", "channel", "received_at"),
)

replies = sa.Table(
    "replies",
    metadata,
    sa.Column("question", sa.ForeignKey("inbox.seq"), primary_key=True),
    sa.Column("key", sa.String(32), nullable=False, unique=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("posted", sa.Text, nullable=False, server_default="[]"),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("answer", sa.String(32)),
    sa.Column("opened_at", sa.Float, nullable=False),
    sa.Column("repeats", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_replies_answer", "answer"),
)

# Every answer that a reply has shown: a button of an earlier revision names an earlier one.
shown = sa.Table(
    "shown",
    metadata,
    sa.Column("answer", sa.String(32), primary_key=True),
    sa.Column("question", sa.ForeignKey("inbox.seq"), nullable=False, index=True),
)

votes = sa.Table(
    "votes",
    metadata,
    sa.Column("answer", sa.String(32), primary_key=True),
    sa.Column("voter", sa.String(250), primary_key=True),
    sa.Column("is_helpful", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Index("ix_votes_voter", "voter"),
)

# Up to when everything that was said in a chat service was taken in, and since when questions may
# have been changed there that nobody has looked at again.
heard = sa.Table(
    "heard",
    metadata,
    sa.Column("platform", sa.String(40), primary_key=True),
    sa.Column("until", sa.Float, nullable=False),
    sa.Column("unsure_since", sa.Float),
)

# Who stands behind the pseudonyms of the audit; without its row here one says nothing.
people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(250), nullable=False, unique=True),
    # What was known of them until then is to be deleted, as soon as no question is in work.
    sa.Column("forget_at", sa.Float),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", _Serial, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("actor", sa.String(100), nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    # Each entry is followed by one other at most, whoever writes at the same time.
    sa.Column("previous", sa.String(64), nullable=False, unique=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
)
