"""What an answer tells of routing and of the settings in force; budgets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and the tables of what answers cost."""
    for column in (
        sa.Column("reused_tokens", sa.Integer, nullable=False, server_default="0"),
        sa.Column("notes", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("generation", sa.String(16), nullable=False, server_default=""),
    ):
        op.add_column("answers", column)
    op.create_table(
        "accounts",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("spent", sa.BigInteger, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "charges",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(200), sa.ForeignKey("accounts.key"), primary_key=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.BigInteger),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("charges")
    op.drop_table("accounts")
    for name in ("generation", "notes", "reused_tokens"):
        op.drop_column("answers", name)
