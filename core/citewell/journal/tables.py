"""The journal's tables, as the newest migration leaves them."""

from __future__ import annotations

import sqlalchemy as sa

HEAD = "0002"
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
