"""the store is discovery's

On a database that revision 913390ba554c made, this adopts its tables and brings them up; on an empty one it makes them.

Revision ID: 0001
Revises:
"""
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.execute("CREATE EXTENSION IF NOT EXISTS discovery")
    op.execute("SELECT discovery_upgrade()")


def downgrade():
    # The rows stay: what drops a store's tables is discovery_drop_store(), and it refuses while they have rows.
    op.execute("DROP EXTENSION discovery CASCADE")
