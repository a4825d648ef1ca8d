"""What comes in from chat services, what was said there, votes, and the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables, and keep the labels of answers."""
    op.add_column("answers", sa.Column("labels", sa.JSON, nullable=False, server_default="[]"))
    op.create_table(
        "inbox",
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
    )
    op.create_index("ix_inbox_conversation", "inbox", ["conversation", "seq"])
    op.create_index("ix_inbox_state", "inbox", ["state", "seq"])
    op.create_index("ix_inbox_of", "inbox", ["of"])
    op.create_table(
        "replies",
        sa.Column("question", _Serial, sa.ForeignKey("inbox.seq"), primary_key=True),
        sa.Column("key", sa.String(32), nullable=False, unique=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("posted", sa.Text, nullable=False, server_default="[]"),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("answer", sa.String(32)),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("repeats", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_index("ix_replies_answer", "replies", ["answer"])
    op.create_table(
        "votes",
        sa.Column("answer", sa.String(32), primary_key=True),
        sa.Column("voter", sa.String(100), primary_key=True),
        sa.Column("is_helpful", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("seq", _Serial, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False, unique=True),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("audit", "votes", "replies", "inbox"):
        op.drop_table(name)
    op.drop_column("answers", "labels")
