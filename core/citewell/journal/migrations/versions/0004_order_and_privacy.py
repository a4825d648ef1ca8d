"""Leases that are told apart, limits, every answer that was shown, and what forgetting needs.

Who did something stands in the audit under a pseudonym from here on. Entries of before keep what
they say: to change them would break the chain.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")

_inbox = sa.table(
    "inbox",
    sa.column("seq", _Serial),
    sa.column("kind", sa.Text),
    sa.column("conversation", sa.Text),
    sa.column("event", sa.Text),
)


def upgrade() -> None:
    """Add columns, tables and indexes, and fill them from what there is."""
    _add_columns()
    op.drop_index("ix_inbox_conversation", "inbox")
    op.create_index("ix_inbox_conversation", "inbox", ["conversation", "kind", "seq"])
    op.create_index("ix_inbox_asker", "inbox", ["platform", "team", "asker", "received_at"])
    op.create_index("ix_inbox_channel", "inbox", ["platform", "team", "channel", "received_at"])
    op.create_index("ix_questions_asker", "questions", ["asker"])
    op.create_table(
        "shown",
        sa.Column("answer", sa.String(32), primary_key=True),
        sa.Column("question", _Serial, sa.ForeignKey("inbox.seq"), nullable=False),
    )
    op.create_index("ix_shown_question", "shown", ["question"])
    op.execute(
        "INSERT INTO shown (answer, question) "
        "SELECT answer, min(question) FROM replies WHERE answer IS NOT NULL GROUP BY answer"
    )
    # Only questions are read again from their event; of others the columns say what is needed.
    op.execute("UPDATE inbox SET event = '' WHERE kind <> 'asked'")
    op.execute("UPDATE inbox SET text = NULL WHERE kind = 'edited' AND state = 'done'")
    _part_conversations()
    op.create_table(
        "heard",
        sa.Column("platform", sa.String(40), primary_key=True),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(250), nullable=False, unique=True),
        sa.Column("forget_at", sa.Float),
    )
    with op.batch_alter_table("votes") as votes:
        votes.alter_column("voter", existing_type=sa.String(100), type_=sa.String(250))
    op.create_index("ix_votes_voter", "votes", ["voter"])


def _part_conversations() -> None:
    """Name what one person alone sees a conversation of its own."""
    connection = op.get_bind()
    alone = sa.select(_inbox).where(
        _inbox.c.kind == "asked", _inbox.c.event.contains('"only_for":"', autoescape=True)
    )
    for row in connection.execute(alone).all():
        only_for = json.loads(row.event)["address"]["only_for"]
        if only_for is not None:
            _rename(row.seq, f"{row.conversation}\n{only_for}")


def _join_conversations() -> None:
    connection = op.get_bind()
    alone = sa.select(_inbox).where(_inbox.c.conversation.contains("\n"))
    for row in connection.execute(alone).all():
        _rename(row.seq, row.conversation.partition("\n")[0])


def _rename(seq: int, conversation: str) -> None:
    row = sa.update(_inbox).where(_inbox.c.seq == seq)
    op.get_bind().execute(row.values(conversation=conversation))


def _add_columns() -> None:
    op.add_column("questions", sa.Column("event", sa.BigInteger))
    op.add_column("questions", sa.Column("again", sa.String(32), nullable=False, server_default=""))
    op.create_index("ix_questions_event", "questions", ["event"])
    op.add_column("answers", sa.Column("history", sa.JSON, nullable=False, server_default="[]"))
    op.add_column(
        "answers", sa.Column("is_wiped", sa.Boolean, nullable=False, server_default=sa.false())
    )
    for column in (
        sa.Column("extra", sa.Text),
        sa.Column("lease", sa.Integer, nullable=False, server_default="0"),
        sa.Column("not_before", sa.Float, nullable=False, server_default="0"),
        sa.Column("waiting_since", sa.Float, nullable=False, server_default="0"),
        sa.Column("turned_away", sa.String(16), nullable=False, server_default=""),
    ):
        op.add_column("inbox", column)
    op.execute("UPDATE inbox SET waiting_since = received_at, lease = attempts")


def downgrade() -> None:
    """Drop them; what was deleted meanwhile stays so."""
    op.drop_index("ix_votes_voter", "votes")
    with op.batch_alter_table("votes") as votes:
        votes.alter_column("voter", existing_type=sa.String(250), type_=sa.String(100))
    for table in ("people", "heard", "shown"):
        op.drop_table(table)
    for index in ("ix_questions_event", "ix_questions_asker"):
        op.drop_index(index, "questions")
    for name in ("again", "event"):
        op.drop_column("questions", name)
    for index in ("ix_inbox_channel", "ix_inbox_asker", "ix_inbox_conversation"):
        op.drop_index(index, "inbox")
    op.create_index("ix_inbox_conversation", "inbox", ["conversation", "seq"])
    _join_conversations()
    for name in ("turned_away", "waiting_since", "not_before", "lease", "extra"):
        op.drop_column("inbox", name)
    op.drop_column("answers", "is_wiped")
    op.drop_column("answers", "history")
