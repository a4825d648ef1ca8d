"""The journal's tables, as the newest migration leaves them."""

from __future__ import annotations

import sqlalchemy as sa

HEAD = "0003"
"""The newest revision in `migrations/versions`; a test compares the two."""

metadata = sa.MetaData()

questions = sa.Table(
    "questions",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("asked_at", sa.String(40), nullable=False, index=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("asker", sa.Text),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("readers", sa.JSON, nullable=False),
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
    sa.Column("asker", sa.String(100), nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("text", sa.Text),
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
    sa.UniqueConstraint("platform", "team", "channel", "key", name="uq_inbox_event"),
    sa.Index("ix_inbox_conversation", "conversation", "seq"),
    sa.Index("ix_inbox_state", "state", "seq"),
    sa.Index("ix_inbox_of", "of"),
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

votes = sa.Table(
    "votes",
    metadata,
    sa.Column("answer", sa.String(32), primary_key=True),
    sa.Column("voter", sa.String(100), primary_key=True),
    sa.Column("is_helpful", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
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
