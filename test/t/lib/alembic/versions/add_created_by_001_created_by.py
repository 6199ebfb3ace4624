"""who created a row: required, but without a default for new rows"""
import sqlalchemy as sa
from alembic import op

revision = "add_created_by_001"
down_revision = "91f6c7ffafc4"
tables = ("notebooks", "sources", "outputs")


def upgrade():
    for table in tables:
        column = sa.Column("created_by", sa.String(length=255), nullable=False, server_default="system@discovery.local")
        op.add_column(table, column)
        op.create_index(f"ix_{table}_created_by", table, ["created_by"])
    for table in tables:
        op.alter_column(table, "created_by", server_default=None)


def downgrade():
    for table in tables:
        op.drop_column(table, "created_by")
