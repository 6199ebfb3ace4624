"""Alembic's environment. The store's tables are discovery's: Alembic only adds the application's own columns."""
import os
import sys
from pathlib import Path

from alembic import context
from sqlalchemy import create_engine

sys.path.insert(0, str(Path(__file__).parent))
from application_models import Base

STORE_TABLES = {"notebooks", "sources", "outputs", "discovery_migrations", "discovery_deletions",
                "discovery_lost_files", "discovery_trash"}


def include_object(obj, name, type_, reflected, compare_to):
    """Of what is on the store's tables, shows only what the models have and the database has not: for autogenerate."""
    table = obj if type_ == "table" else getattr(obj, "table", None)
    if table is None or table.name not in STORE_TABLES:
        return True
    if type_ != "table":
        return not reflected and compare_to is None
    if compare_to is not None:
        compare_to.comment = obj.comment  # Alembic compares it without asking
    return compare_to is not None


def run():
    engine = create_engine(os.environ["DATABASE_URL"])
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, include_object=include_object)
        with context.begin_transaction():
            context.run_migrations()


run()
