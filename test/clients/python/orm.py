#!/usr/bin/python3
"""SQLAlchemy's ORM over a discovery store. The database is that of DATABASE_URL."""
import os
import time

from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Notebook, Source


def violated(error: IntegrityError) -> str:
    """The constraint that a statement violated; psycopg2 has it from the server."""
    return error.orig.diag.constraint_name


engine = create_engine(os.environ["DATABASE_URL"], future=True)
with Session(engine) as session:
    # Notebooks
    notebook = Notebook(name="Client", tags=["reading"])
    session.add(notebook)
    session.commit()
    print("created:", notebook.name)
    same = session.execute(select(Notebook).where(Notebook.id == notebook.id)).scalar_one()
    print(f"read: {same.name}, tags {', '.join(same.tags)}")
    listed = session.execute(select(Notebook).where(Notebook.tags.overlap(["reading"])).order_by(Notebook.name))
    print("listed:", len(listed.scalars().all()))
    try:
        with session.begin_nested():
            session.add(Notebook(name="Client"))
    except IntegrityError as error:
        print("name taken:", violated(error))
    notebook.name = "Client 2"
    notebook.tags = ["hashing", "reading"]
    session.commit()
    print(f"renamed and retagged: {notebook.name}, tags {', '.join(notebook.tags)}")

    # Sources: by the session, which meets the duplicate as an IntegrityError
    page = Source(notebook_id=notebook.id, name="page.html", source_type="url", url="https://example.org/",
                  file_path="/files/page.html", extracted_text="A page")
    session.add(page)
    session.commit()
    print("added by INSERT:", page.name)
    try:
        with session.begin_nested():
            session.add(Source(notebook_id=notebook.id, name="duplicate", source_type="url", url="https://example.org/",
                               extracted_text="A page"))
    except IntegrityError as error:
        print("duplicate by INSERT:", violated(error))

    # … and by add_source(), which says what happened
    def add_source(**arguments):
        call = ", ".join(f"{name} => :{name}" for name in arguments)
        return session.execute(text(f"SELECT id, outcome FROM add_source({call})"), arguments).one()

    note = add_source(notebook_id=notebook.id, name="note", source_type="text", extracted_text="A note")
    print("add_source:", note.outcome)
    again = add_source(notebook_id=notebook.id, name="note again", source_type="text", extracted_text="A note")
    print(f"add_source: {again.outcome}, of {session.get(Source, again.id).name}")
    session.commit()
    print("counted:", notebook.source_count)
    rows = session.execute(select(Source).where(Source.notebook_id == notebook.id, Source.deleted_at.is_(None))
                           .order_by(Source.created_at, Source.id).limit(50).offset(0))
    for source in rows.scalars():
        print("page:", source.name)

    # Soft delete and restore: by function; `source.deleted_at = …` does the same
    deletion = session.execute(select(text("deletion_id, deleted")).select_from(
        func.delete_sources([note.id], "not needed"))).one()
    session.commit()
    print("deleted:", deletion.deleted)
    print("counted:", notebook.source_count)
    restored = session.execute(
        select(text("id")).select_from(func.restore_sources(deletion.deletion_id))).scalars().all()
    session.commit()
    print("restored:", session.get(Source, restored[0]).name)
    print("counted:", notebook.source_count)

    # Purge: unlink the files only after the commit, and only if no row uses them any more
    session.execute(func.delete_source(page.id))
    session.commit()
    time.sleep(0.01)  # '0' spares what was deleted in this very millisecond
    purged = session.execute(
        select(text("file_path")).select_from(func.purge_deleted_sources(text("interval '0'")))).all()
    session.commit()
    for row in purged:
        used = session.execute(select(func.count()).select_from(Source).where(Source.file_path == row.file_path))
        if used.scalar_one() == 0:
            print("purged:", row.file_path)

    # The foreign key takes the sources along.
    session.delete(notebook)
    session.commit()
    print("notebook deleted, sources left:", session.execute(select(func.count()).select_from(Source)).scalar_one())
