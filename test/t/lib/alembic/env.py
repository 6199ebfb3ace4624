# As `alembic init` writes it, without logging; the URL and the schema come by -x.
from alembic import context
from sqlalchemy import create_engine

arguments = context.get_x_argument(as_dictionary=True)
with create_engine(arguments["url"]).connect() as connection:
    context.configure(connection=connection, version_table_schema=arguments.get("schema"))
    with context.begin_transaction():
        context.run_migrations()
