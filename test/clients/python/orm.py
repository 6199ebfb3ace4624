#!/usr/bin/python3
"""SQLAlchemy's ORM over a discovery store. The database is that of DATABASE_URL."""
import os
import time

from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Notebook, Output, Source


def violated(error: IntegrityError) -> str:
    """The constraint that a statement violated; psycopg2 has it from the server."""
    return error.orig.diag.constraint_name


engine = create_engine(os.environ["DATABASE_URL"], future=True)
with Session(engine) as session:
    # Notebooks
    notebook = Notebook(name="Client", tags=["reading"], created_by="anna@example.org")
    session.add(notebook)
    session.commit()
    notebook_id = notebook.id
    print(f"created: {notebook.name}, by {notebook.created_by}")
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

    def print_counts():
        notebook = session.get(Notebook, notebook_id)
        print(f"counted: sources {notebook.source_count}, outputs {notebook.output_count}")

    print_counts()
    rows = session.execute(select(Source).where(Source.notebook_id == notebook.id, Source.deleted_at.is_(None))
                           .order_by(Source.created_at, Source.id).limit(50).offset(0))
    for source in rows.scalars():
        print("page:", source.name)

    # Soft delete and restore: by function; `source.deleted_at = …` does the same
    deletion = session.execute(select(text("deletion_id, deleted")).select_from(
        func.delete_sources([note.id], "not needed"))).one()
    session.commit()
    print("deleted:", deletion.deleted)
    print_counts()
    restored = session.execute(
        select(text("id")).select_from(func.restore_sources(deletion.deletion_id))).scalars().all()
    session.commit()
    print("restored:", session.get(Source, restored[0]).name)
    print_counts()

    # Outputs
    output = Output(notebook_id=notebook_id, title="A summary", content="A page, and a note.")
    session.add(output)
    session.commit()
    print(f"output: {output.title}, {output.status}")
    print_counts()

    # The trash: the notebook moves there with its sources and outputs, and comes back as it was
    def everything():
        return [session.execute(select(model.__table__).order_by(model.id)).all()
                for model in (Notebook, Source, Output)]

    def restore(deletion_id):
        tables = session.execute(text("SELECT table_name, count(*) FROM restore_deletion(:id)"
                                      " GROUP BY table_name ORDER BY table_name"), {"id": deletion_id}).all()
        session.commit()
        print("restored:", ", ".join(f"{table} {count}" for table, count in tables))
        print_counts()
        print("same as before:", "yes" if everything() == before else "no")

    before = everything()
    deletion = session.execute(select(text("deletion_id, sources, outputs")).select_from(
        func.delete_notebook(notebook_id, "cleaning up"))).one()
    session.commit()
    print(f"to the trash: sources {deletion.sources}, outputs {deletion.outputs}")
    print("notebooks left:", session.scalar(select(func.count()).select_from(Notebook)))
    for row in session.execute(text("SELECT name, reason FROM deleted_notebooks")):
        print(f"in the trash: {row.name}, {row.reason}")
    restore(deletion.deletion_id)

    # With this setting, which a role or a database can have, the session's own delete moves it there, too.
    session.execute(text("SET LOCAL discovery.keep_deleted = on"))
    assert notebook.outputs == [output]  # that they are loaded changes nothing
    session.delete(notebook)
    session.commit()
    print("notebooks left:", session.scalar(select(func.count()).select_from(Notebook)))
    restore(session.scalar(text("SELECT deletion_id FROM deleted_notebooks WHERE id = :id"), {"id": notebook_id}))

    # Purge: unlink the files only after the commit, and only if no row uses them any more
    session.execute(func.delete_source(page.id))
    session.commit()
    # Sources in the trash still use their files.
    users = text("""SELECT count(*) FROM (SELECT file_path FROM sources UNION ALL SELECT file_path FROM discovery_trash)
                    AS used WHERE file_path = :path""")
    time.sleep(0.01)  # '0' spares what was deleted in this very millisecond
    purged = session.execute(
        select(text("file_path")).select_from(func.purge_deleted_sources(text("interval '0'")))).all()
    session.commit()
    for row in purged:
        if session.scalar(users, {"path": row.file_path}) == 0:
            print("purged:", row.file_path)

    # For good: the foreign keys take sources and outputs along.
    session.delete(session.get(Notebook, notebook_id))
    session.commit()
    print("notebook deleted, sources left:", session.scalar(select(func.count()).select_from(Source)))
