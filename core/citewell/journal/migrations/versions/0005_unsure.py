"""Since when questions may have been changed that nobody has looked at again.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is there is sure."""
    op.add_column("heard", sa.Column("unsure_since", sa.Float))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("heard", "unsure_since")
