"""outputs"""
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "91f6c7ffafc4"
down_revision = "913390ba554c"


def upgrade():
    op.create_table(
        "outputs",
        sa.Column("id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("notebook_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, server_default=""),
        sa.Column("output_type", sa.String(length=50), nullable=False, server_default="blog_post"),
        sa.Column("status", sa.String(length=20), nullable=False, server_default="draft"),
        sa.Column("prompt", sa.Text(), nullable=True),
        sa.Column("template_name", sa.String(length=100), nullable=True),
        sa.Column("output_metadata", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("source_references", postgresql.ARRAY(sa.String()), nullable=False, server_default="{}"),
        sa.Column("word_count", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("created_at", sa.DateTime(), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(), nullable=False, server_default=sa.func.now()),
        sa.Column("completed_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["notebook_id"], ["notebooks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("notebook_id", "status", "output_type", "created_at", "updated_at", "completed_at"):
        op.create_index(f"ix_outputs_{column}", "outputs", [column])
    op.create_index("ix_outputs_notebook_status", "outputs", ["notebook_id", "status"])


def downgrade():
    op.drop_table("outputs")
