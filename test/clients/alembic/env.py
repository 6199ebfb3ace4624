"""Alembic's environment. The store's tables are discovery's: Alembic neither makes, alters nor drops them."""
import os
import sys
from pathlib import Path

from alembic import context
from sqlalchemy import create_engine

sys.path.insert(0, str(Path(__file__).parent))
from application_models import Base

STORE_TABLES = {"notebooks", "sources", "discovery_migrations", "discovery_deletions"}


def include_object(obj, name, type_, reflected, compare_to):
    """Leaves out the store's tables, with all that is on them: for autogenerate and for check."""
    table = obj if type_ == "table" else getattr(obj, "table", None)
    return table is None or table.name not in STORE_TABLES


def run():
    engine = create_engine(os.environ["DATABASE_URL"])
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, include_object=include_object)
        with context.begin_transaction():
            context.run_migrations()


run()
